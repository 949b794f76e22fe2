"""Settings from options."""

from nova.conductor.settings import ConductorSettings, conductor_settings, database_settings


def test_the_options_defaults_are_the_settings_defaults(conf):
    assert conductor_settings(conf) == ConductorSettings()


def test_a_down_time_below_the_report_interval_is_raised(conf):
    conf.set_override("report_interval", 60)
    conf.set_override("service_down_time", 30)
    assert conductor_settings(conf).service_down_time_s == 150


def test_database_settings_take_every_option(conf):
    conf.set_override("connection", "sqlite://", group="database")
    conf.set_override("max_retries", 3, group="database")
    found = database_settings(conf)
    assert (found.connection, found.max_retries) == ("sqlite://", 3)
