"""Reading the configuration: values, files, the machine."""

import logging

import pytest
from oslo_config import cfg

from nova import config
from nova.exception import ConfigurationError


@pytest.fixture
def written(tmp_path):
    def write(text, mode=0o640, name="nova.conf"):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    return write


def load(path, **options):
    return config.load(["--config-file", path], "nova-test", conf=cfg.ConfigOpts(), **options)


def test_host_and_address_are_filled_in_when_unset(written):
    conf = load(written("[DEFAULT]\n"))
    assert conf.host and conf.my_ip


def test_host_is_kept_when_set(written):
    conf = load(written("[DEFAULT]\nhost = h1\nmy_ip = 192.0.2.7\n"))
    assert (conf.host, str(conf.my_ip)) == ("h1", "192.0.2.7")


def test_service_down_time_is_raised_above_the_report_interval(written):
    conf = load(written("[DEFAULT]\nreport_interval = 100\nservice_down_time = 60\n"))
    assert conf.service_down_time == 250


@pytest.mark.parametrize(
    "text",
    [
        "[DEFAULT]\nreport_interval = soon\n",
        "[DEFAULT]\nreport_interval = 0\n",
        "[DEFAULT]\nconcurrency = magic\n",
        "[upgrade_levels]\ncompute = newest\n",
        "no section = 1\n",
    ],
)
def test_bad_value_is_one_clear_line(written, text):
    with pytest.raises(ConfigurationError) as caught:
        load(written(text))
    assert "\n" not in str(caught.value)


def test_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(ConfigurationError):
        load(str(tmp_path / "none.conf"))


def test_hst_06_database_is_refused(written):
    path = written("[database]\nconnection = sqlite://\n")
    with pytest.raises(ConfigurationError, match="database"):
        load(path)


def test_hst_06_database_from_the_environment_is_refused(written, monkeypatch):
    monkeypatch.setenv("OS_DATABASE__CONNECTION", "sqlite://")
    with pytest.raises(ConfigurationError, match="database"):
        load(written("[DEFAULT]\n"))


def test_hst_06_conductor_may_have_the_database(written):
    path = written("[database]\nconnection = sqlite://\n")
    assert load(path, database=True).database.connection == "sqlite://"


def test_hst_04_file_that_everybody_writes_is_refused(written):
    with pytest.raises(ConfigurationError, match="written by everybody"):
        load(written("[DEFAULT]\n", mode=0o646))


def test_hst_04_secret_that_everybody_reads_is_refused(written):
    path = written("[database]\nconnection = mysql+pymysql://u:p@h/d\n", mode=0o644)
    with pytest.raises(ConfigurationError, match="read by everybody"):
        load(path, database=True)


def test_hst_04_file_without_secrets_may_be_read(written):
    assert load(written("[DEFAULT]\nhost = h1\n", mode=0o644)).host == "h1"


def test_log_02_dump_masks_secrets(written, caplog):
    caplog.set_level(logging.DEBUG)
    path = written("[database]\nconnection = mysql+pymysql://u:canary@h/d\n")
    config.dump(load(path, database=True), logging.getLogger("dump"))
    assert "canary" not in caplog.text and "report_interval = 10" in caplog.text
