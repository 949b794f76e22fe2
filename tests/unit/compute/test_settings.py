from nova.compute.resources import Reserves
from nova.compute.settings import ComputeSettings, compute_hosts, compute_settings


def test_default_options_are_the_default_settings(conf):
    assert compute_settings(conf) == ComputeSettings()


def test_options_reach_the_settings(conf):
    conf.set_override("my_ip", "192.0.2.7")
    conf.set_override("reserved_host_memory_mb", 1024)
    conf.set_override("ram_allocation_ratio", 1.0)
    conf.set_override("shutdown_timeout", 5)
    settings = compute_settings(conf)
    assert settings.my_ip == "192.0.2.7"
    assert settings.reserves == Reserves(memory_mb=1024, ram_allocation_ratio=1.0)
    assert settings.shutdown.timeout_s == 5


def test_only_the_fake_driver_plays_several_hosts(conf):
    conf.set_override("host_count", 3, "fake")
    assert compute_hosts(conf, "node") == ("node",)
    conf.set_override("compute_driver", "fake.FakeDriver")
    assert compute_hosts(conf, "node") == ("node-1", "node-2", "node-3")
    conf.set_override("host_count", 1, "fake")
    assert compute_hosts(conf, "node") == ("node",)
