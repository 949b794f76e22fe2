"""Options as plain values."""

import pytest
from oslo_config import cfg

from nova.exception import ConfigurationError
from nova.network.settings import from_conf


def with_values(conf: cfg.ConfigOpts, **values: object) -> cfg.ConfigOpts:
    for name, value in {"host": "net1", "my_ip": "192.0.2.10", **values}.items():
        conf.set_override(name, value)
    return conf


def test_addresses_default_to_that_of_the_host(conf: cfg.ConfigOpts) -> None:
    settings = from_conf(with_values(conf))
    assert (settings.metadata_host, settings.routing_source_ip) == ("192.0.2.10", "192.0.2.10")
    assert settings.networks_path == "/var/lib/nova/networks"
    assert settings.dhcpbridge_user != "root"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metadata_host", "metadata.example"),
        ("routing_source_ip", "::1"),
        ("dmz_cidr", ["10.0.0.0/8 -j DROP"]),
        ("force_snat_range", ["x"]),
        ("dns_server", ["192.0.2.1,x"]),
        ("flat_network_bridge", "br 100"),
        ("public_interface", "eth0/x"),
        ("forward_bridge_interface", ["all", "-j"]),
    ],
)
def test_unusable_value_is_named(conf: cfg.ConfigOpts, name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        from_conf(with_values(conf, **{name: value}))
