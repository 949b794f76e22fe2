"""Puts nova-network together from its configuration."""

import os
from collections.abc import Iterable

from oslo_config import cfg

from nova.exception import ConfigurationError
from nova.network.host import NetworkHost
from nova.network.linux import LinuxHost
from nova.network.manager import NetworkManager, manager_class
from nova.network.memory import MemoryHost
from nova.network.settings import from_conf
from nova.rpc.bus import Bus


def make_manager(conf: cfg.ConfigOpts, bus: Bus) -> NetworkManager:
    """Return the manager that the configuration asks for.  Raises: ConfigurationError."""
    manager = manager_class(conf.network_manager)
    settings = from_conf(conf)
    host: NetworkHost = MemoryHost()
    if not conf.fake_network:
        check_bridge_files(conf.dhcpbridge_flagfile, conf.dhcpbridge_user)
        host = LinuxHost(settings.networks_path)
    return manager(settings=settings, bus=bus, host=host)


def check_bridge_files(names: Iterable[str], user: str | None) -> None:
    """Refuse files of nova-dhcpbridge that are missing, since no dnsmasq could start.

    user: who reads them; None is the user of this process.  Raises: ConfigurationError.
    """
    for name in names:
        if not os.access(name, os.F_OK if user else os.R_OK):
            raise ConfigurationError(
                reason=f"nova-dhcpbridge can not read {name}, which dhcpbridge_flagfile names"
            )
