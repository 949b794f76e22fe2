"""Keep guests to their own addresses."""

import logging
from typing import Protocol

from nova import exception
from nova.objects.firewall import HostFirewall
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.virt.libvirt import filters
from nova.virt.libvirt.host import Host

LOG = logging.getLogger(__name__)


class Firewall(Protocol):
    """What the driver needs of a packet filter."""

    def init_host(self) -> None:
        """Make the host ready."""
        ...

    def apply(self, wanted: HostFirewall) -> None:
        """Let through to the guests of the host what is told, and nothing else."""
        ...

    def prepare(self, instance: Instance) -> None:
        """Put everything in place before the guest has interfaces."""
        ...

    def filter_of(self, instance: Instance, vif: Vif) -> str | None:
        """Return the name of an interface's filter, None for none."""
        ...

    def forget(self, instance: Instance, vif: Vif) -> None:
        """Remove what belongs to an interface that is gone; nothing being there is fine."""
        ...

    def remove(self, guest_name: str) -> None:
        """Remove what belongs to a guest that is gone; nothing being there is fine."""
        ...


class NWFilterFirewall:
    """Filters of libvirt, in force from an interface's first packet on."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def init_host(self) -> None:
        """Define the filters that all guests share."""
        for shared in filters.SHARED:
            self._host.define_filter(shared.name, shared.xml)

    def apply(self, wanted: HostFirewall) -> None:
        """Do nothing: what is sent is judged, what is received is not."""

    def prepare(self, instance: Instance) -> None:
        """Define the filter of each interface."""
        for vif in instance.vifs:
            own = filters.interface_filter(instance.name, vif)
            self._host.define_filter(own.name, own.xml)

    def filter_of(self, instance: Instance, vif: Vif) -> str | None:
        """Return the name of an interface's filter."""
        return filters.filter_name(instance.name, vif.address)

    def forget(self, instance: Instance, vif: Vif) -> None:
        """Remove the filter of an interface."""
        self._host.undefine_filter(filters.filter_name(instance.name, vif.address))

    def remove(self, guest_name: str) -> None:
        """Remove all filters of a guest, also of interfaces it no longer has."""
        prefix = filters.filter_prefix(guest_name)
        for name in self._host.list_filters():
            if name.startswith(prefix):
                self._host.undefine_filter(name)


class NoFirewall:
    """Filters nothing: for networks that do it themselves."""

    def init_host(self) -> None:
        """Warn that guests may use any address."""
        LOG.warning("The firewall driver in use lets guests send from any address")

    def apply(self, wanted: HostFirewall) -> None:
        """Do nothing."""

    def prepare(self, instance: Instance) -> None:
        """Do nothing."""

    def filter_of(self, instance: Instance, vif: Vif) -> str | None:
        """Return None."""
        return None

    def forget(self, instance: Instance, vif: Vif) -> None:
        """Do nothing."""

    def remove(self, guest_name: str) -> None:
        """Do nothing."""


NWFILTER_DRIVER = "nova.virt.libvirt.firewall.NWFilterFirewall"
NOOP_DRIVER = "nova.virt.firewall.NoopFirewallDriver"


def create(name: str, host: Host) -> Firewall:
    """Return the firewall of a configured name.  Raises: ConfigurationError."""
    if name == NWFILTER_DRIVER:
        return NWFilterFirewall(host)
    if name == NOOP_DRIVER:
        return NoFirewall()
    raise exception.ConfigurationError(reason=f"firewall_driver {name} is not known.")
