"""Puts nova-network together from its configuration."""

from oslo_config import cfg

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
    host: NetworkHost = MemoryHost() if conf.fake_network else LinuxHost(settings.networks_path)
    return manager(settings=settings, bus=bus, host=host)
