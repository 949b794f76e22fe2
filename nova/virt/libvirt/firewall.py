"""Keep guests to their own addresses, and from them what their groups do not allow."""

import logging
from typing import Protocol

from nova import exception
from nova.objects.firewall import HostFirewall
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.virt.iptables import NO_RULES, wanted_rules
from nova.virt.libvirt import filters
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.kernel_rules import KernelRules

LOG = logging.getLogger(__name__)


class Firewall(Protocol):
    """What the driver needs of a packet filter."""

    def init_host(self) -> None:
        """Make the host ready."""
        ...

    def apply(self, wanted: HostFirewall) -> None:
        """Let through to the guests of the host what is told, and nothing else."""
        ...

    def clear(self) -> None:
        """Leave nothing on a host that has no guests any more."""
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

    def clear(self) -> None:
        """Remove the filters, those first that name others."""
        for shared in reversed(filters.SHARED):
            self._host.undefine_filter(shared.name)

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


class IptablesFirewall(NWFilterFirewall):
    """Filters against spoofing, and rules for what guests receive."""

    def __init__(self, host: Host, kernel: KernelRules, *, same_net: bool) -> None:
        super().__init__(host)
        self._kernel = kernel
        self._same_net = same_net

    def apply(self, wanted: HostFirewall) -> None:
        """Let through what is told and nothing else; a family that fails keeps its rules.

        The rules come first: the kernel loads what filters bridged frames for their sake.
        """
        for family in self._kernel.families():
            rules = wanted_rules(wanted, family, same_net=self._same_net)
            self._kernel.apply(family, rules)
            self._kernel.filter_bridged(family)

    def clear(self) -> None:
        """Remove filters and rules."""
        super().clear()
        for family in self._kernel.families():
            self._kernel.apply(family, NO_RULES)


class NoFirewall:
    """Filters nothing: for networks that do it themselves."""

    def init_host(self) -> None:
        """Warn that guests may use any address."""
        LOG.warning("The firewall driver in use lets guests send from any address")

    def apply(self, wanted: HostFirewall) -> None:
        """Do nothing."""

    def clear(self) -> None:
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


IPTABLES_DRIVER = "nova.virt.libvirt.firewall.IptablesFirewallDriver"
NWFILTER_DRIVER = "nova.virt.libvirt.firewall.NWFilterFirewall"
NOOP_DRIVER = "nova.virt.firewall.NoopFirewallDriver"


def create(name: str, host: Host, *, same_net: bool) -> Firewall:
    """Return the firewall of a configured name.  Raises: ConfigurationError."""
    if name == IPTABLES_DRIVER:
        return IptablesFirewall(host, KernelRules(), same_net=same_net)
    if name == NWFILTER_DRIVER:
        return NWFilterFirewall(host)
    if name == NOOP_DRIVER:
        return NoFirewall()
    raise exception.ConfigurationError(reason=f"firewall_driver {name} is not known.")
