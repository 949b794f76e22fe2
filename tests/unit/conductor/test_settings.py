"""Settings from options."""

from nova.conductor.settings import ConductorSettings, conductor_settings, database_settings
from nova.scheduler.settings import rules_from


def test_the_options_defaults_are_the_settings_defaults(conf):
    # The networks of tests are shared by all projects; those of the option's default are not.
    conf.set_override("network_manager", "nova.network.manager.FlatDHCPManager")
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


def test_images_are_kept_apart_as_the_scheduler_is_told(conf):
    assert not conductor_settings(conf).image_isolation.by_host
    conf.set_override("enabled_filters", ["IsolatedHostsFilter"], "filter_scheduler")
    conf.set_override("isolated_hosts", ["host1"], "filter_scheduler")
    conf.set_override("isolated_images", ["secret"], "filter_scheduler")
    found = conductor_settings(conf).image_isolation
    assert (found.by_host, found.by_aggregate) == (True, False)
    assert (found.hosts, found.images) == (("host1",), ("secret",))
    of_filters = rules_from(conf).filters[0].settings.image_isolation
    assert (of_filters.hosts, of_filters.images) == (("host1",), ("secret",))
