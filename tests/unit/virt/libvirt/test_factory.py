"""The driver as the configuration describes it."""

import pytest
from oslo_config import cfg

from nova import config, exception
from nova.image.memory import MemoryImageService
from nova.image.source import CheckedImages
from nova.virt.driver import ComputeDriver, ImageCacheKeeper
from nova.virt.libvirt import factory
from nova.virt.libvirt.firewall import IptablesFirewall, NoFirewall


@pytest.fixture
def conf():
    conf = cfg.ConfigOpts()
    config.register(conf)
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    conf.set_override("host", "compute1")
    return conf


def create(conf):
    return factory.create(conf, CheckedImages(MemoryImageService()))


def test_default_driver_has_all_parts(conf):
    driver = create(conf)
    for protocol in (ComputeDriver, ImageCacheKeeper):
        assert isinstance(driver, protocol)
    assert isinstance(driver._firewall, IptablesFirewall)
    assert driver._setup.hardware.virt_type == "auto"
    assert driver._setup.hardware.vnc_listen == "127.0.0.1"
    assert driver._disks.disk_format == "qcow2"


@pytest.mark.parametrize(
    ("cow", "images_type", "expected"),
    [
        (True, "default", "qcow2"),
        (False, "default", "raw"),
        (False, "qcow2", "qcow2"),
        (True, "raw", "raw"),
    ],
)
def test_kind_of_disks(conf, cow, images_type, expected):
    conf.set_override("use_cow_images", cow)
    conf.set_override("images_type", images_type, "libvirt")
    assert create(conf)._disks.disk_format == expected


def test_firewall_and_console_can_be_switched_off(conf):
    conf.set_override("firewall_driver", "nova.virt.firewall.NoopFirewallDriver")
    conf.set_override("enabled", False, "vnc")
    driver = create(conf)
    assert isinstance(driver._firewall, NoFirewall)
    assert driver._setup.hardware.vnc_listen is None


def test_cache_mode_of_files(conf):
    conf.set_override("disk_cachemodes", ["network=none", "file=writeback"], "libvirt")
    assert create(conf)._setup.hardware.cache_mode == "writeback"


@pytest.mark.parametrize(
    ("name", "value"), [("disk_cachemodes", ["file=quick"]), ("cpu_mode", "custom")]
)
def test_senseless_values_are_configuration_errors(conf, name, value):
    conf.set_override(name, value, "libvirt")
    with pytest.raises(exception.ConfigurationError):
        create(conf)


def test_only_minus_two_is_possible_for_inject_partition(conf):
    with pytest.raises(ValueError):
        conf.set_override("inject_partition", 1, "libvirt")


def test_con_08_console_on_every_address_is_warned_about(conf, caplog):
    conf.set_override("server_listen", "0.0.0.0", "vnc")
    create(conf)
    assert "server_listen" in caplog.text
