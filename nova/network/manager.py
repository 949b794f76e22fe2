"""nova-network: makes its host agree with the networks that the conductor gives it."""

import abc
import contextlib
import logging
from collections.abc import Iterable, Iterator

from nova.concurrency import Lock
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import RequestContext, get_admin_context
from nova.exception import ConfigurationError, NetworkHostUnavailable, NovaException, Unavailable
from nova.network.bridges import bridge_name
from nova.network.dhcp import wanted_servers
from nova.network.ebtables import NO_FRAME_RULES
from nova.network.host import NetworkHost
from nova.network.iptables import METADATA_ADDRESS, NO_RULES
from nova.network.leases import LeaseBook
from nova.network.path import describe
from nova.network.plan import HostPlan, make_plan
from nova.network.rpcapi import NetworkAPI
from nova.network.served import ServedNetworks
from nova.network.settings import NetworkSettings
from nova.objects.network import DhcpBinding, HostNetwork, Vif
from nova.objects.path import NetworkPath
from nova.periodic import PeriodicTask
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

STALE_INTERVAL_S = 60


class NetworkManager(NetworkAPI, abc.ABC):
    """Base of the managers: keeps the networks of the host and applies their plan.

    _host_lock serialises changes of the host.  It is not held while the conductor is asked,
    and nothing that nova-dhcpbridge asks needs it: dnsmasq asks for its leases while it is
    being started under this lock.
    """

    def __init__(self, *, settings: NetworkSettings, bus: Bus, host: NetworkHost) -> None:
        self._settings = settings
        self._host = host
        self._conductor = bus.client(ConductorNetworks)
        self._host_lock = Lock()
        self._served = ServedNetworks()
        self._agreed = False
        self._leases = LeaseBook(self._record_lease)

    @abc.abstractmethod
    def plan(self, networks: Iterable[HostNetwork]) -> HostPlan:
        """Return what the host needs for its networks."""

    # --- Life of the daemon

    def init_host(self) -> None:
        """Make the host agree, but leave a dnsmasq that runs alone and start none.

        dnsmasq asks this daemon for its leases when it starts, so heal(), which runs first
        when messages are served, starts those that are missing.
        Raises: ConfigurationError when the host lacks something.
        """
        self._host.check()
        try:
            self._host.enable_forwarding(METADATA_ADDRESS)
            self._refresh(get_admin_context(), may_start=False)
        except ConfigurationError:
            raise
        except NovaException as error:
            LOG.error("Networks are not set up yet, it is tried again: %s", error)

    def cleanup_host(self) -> None:
        """Leave bridges, rules and dnsmasq as they are: guests go on."""
        self._leases.flush()

    def clear_host(self) -> None:
        """Remove everything that this daemon set up, but for bridges that guests are on."""
        with self._host_lock:
            self._remove_stale(HostPlan(rules=()))
            self._host.apply_rules(NO_RULES)
            self._host.apply_frame_rules(NO_FRAME_RULES)
            self._host.remove_local_address(METADATA_ADDRESS)
            self._agreed = False

    # --- Messages

    def setup_instance(
        self,
        context: RequestContext,
        instance_uuid: str,
        hostname: str,
        vifs: tuple[Vif, ...],
        instance_host: str | None = None,
    ) -> None:
        """Make the networks of a server ready."""
        network_ids = {vif.network.id for vif in vifs}
        if any(self._served.find(key) is None for key in network_ids):
            self._refresh(context)
        for vif in vifs:
            if self._served.find(vif.network.id) is None:
                raise NetworkHostUnavailable(network=vif.network.uuid)
        for key in network_ids:
            bindings = [
                _binding(instance_uuid, hostname, vif, vif.fixed_ip, instance_host)
                for vif in vifs
                if vif.network.id == key and vif.fixed_ip is not None
            ]
            self._served.set_bindings(key, instance_uuid, bindings)
        with self._host_lock:
            if self._agreed:
                self._update_servers(network_ids)
            else:
                self._agree()

    def teardown_instance(
        self, context: RequestContext, instance_uuid: str, vifs: tuple[Vif, ...]
    ) -> None:
        """Remove a server's DHCP entries and release its leases."""
        network_ids = {vif.network.id for vif in vifs}
        for key in network_ids:
            self._served.set_bindings(key, instance_uuid, ())
        with self._host_lock:
            self._update_servers(network_ids)
            for vif in vifs:
                self._release(vif)

    def lease_fixed_ip(self, context: RequestContext, address: str, mac: str) -> None:
        """Tell the conductor that a guest took its address."""
        self._note_lease(address, mac, leased=True)

    def release_fixed_ip(self, context: RequestContext, address: str, mac: str) -> None:
        """Tell the conductor that a guest gave its address back."""
        self._note_lease(address, mac, leased=False)

    def get_leases(self, context: RequestContext, network_id: int) -> tuple[DhcpBinding, ...]:
        """Return the leases of all networks on the bridge of a network.

        Without an answer from the conductor: what this daemon knows itself.
        """
        known = self._same_bridge(network_id)
        conductor, host = self._conductor.anyone(), self._settings.host
        ids = [one.network.id for one in known] or [network_id]
        try:
            found = [one for key in ids for one in conductor.leases(context, key, host)]
        except Unavailable as error:
            LOG.warning("Leases of network %s are given from memory: %s", network_id, error)
            found = [one for served in known for one in served.bindings]
        return tuple(one for one in found if one.leased)

    def networks_changed(self, context: RequestContext) -> None:
        """Read the networks anew and make the host agree with them."""
        self._refresh(context)

    def describe_path(
        self, context: RequestContext, network_ids: tuple[int, ...], addresses: tuple[str, ...]
    ) -> NetworkPath:
        """Return what the host has for networks and addresses."""
        found = [served for key in network_ids if (served := self._served.find(key)) is not None]
        return describe(self._host, found, addresses, self._settings)

    # --- Periodic work

    def periodic_tasks(self) -> tuple[PeriodicTask, ...]:
        """Return what is done again and again; heal() also comes first after the start."""
        return (
            PeriodicTask(
                name="heal",
                interval_s=self._settings.heal_interval_s,
                function=self.heal,
                initial_delay_s=0,
            ),
            PeriodicTask(
                name="disassociate-stale",
                interval_s=STALE_INTERVAL_S,
                function=self.disassociate_stale,
            ),
        )

    def heal(self) -> None:
        """Read the networks anew, repair what differs on the host, send waiting events."""
        self._refresh(get_admin_context())
        self._leases.flush()

    def disassociate_stale(self) -> None:
        """Let the conductor free addresses whose guests never gave back their lease."""
        freed = self._conductor.anyone().disassociate_stale(
            get_admin_context(), self._settings.host, self._settings.fixed_ip_disassociate_timeout_s
        )
        if freed:
            LOG.info("Freed %s stale addresses: %s", len(freed), ", ".join(freed))

    # --- The host

    def _refresh(self, context: RequestContext, *, may_start: bool = True) -> None:
        """Read the networks of the host and make the host agree with them."""
        place = self._served.begin_reading()
        networks = None
        try:
            networks = self._conductor.anyone().host_networks(context, self._settings.host)
        finally:
            self._served.end_reading(place, networks)
        with self._host_lock:
            self._agree(may_start=may_start)

    def _agree(self, *, may_start: bool = True) -> None:
        """Apply the plan: rules first, so that no packet passes before them.

        One network that can not be set up does not hold up the others; the first error is
        raised after all were tried.  Holds: _host_lock.
        """
        self._agreed = False
        plan = self.plan(self._served.all())
        self._host.enable_forwarding(METADATA_ADDRESS)
        self._host.apply_rules(plan.rules)
        self._host.apply_frame_rules(plan.frame_rules)
        errors: list[NovaException] = []
        for bridge in plan.bridges:
            with _kept(errors, bridge.name):
                self._host.ensure_bridge(bridge)
        for server in plan.servers:
            with _kept(errors, server.bridge):
                self._host.ensure_server(server, may_start=may_start)
        with _kept(errors, "removal"):
            self._remove_stale(plan)
        if errors:
            raise errors[0]
        self._agreed = may_start

    def _remove_stale(self, plan: HostPlan) -> None:
        for bridge in set(self._host.list_servers()) - {one.bridge for one in plan.servers}:
            self._host.remove_server(bridge)
        for name in set(self._host.list_bridges()) - {one.name for one in plan.bridges}:
            self._host.remove_bridge(name)

    def _update_servers(self, network_ids: set[int]) -> None:
        """Write the DHCP files of the bridges of some networks.  Holds: _host_lock."""
        affected = {
            served.network.id: served for key in network_ids for served in self._same_bridge(key)
        }
        networks = [affected[key] for key in sorted(affected)]
        for server in wanted_servers(networks, self._settings):
            self._host.ensure_server(server)

    def _same_bridge(self, network_id: int) -> list[HostNetwork]:
        served = self._served.find(network_id)
        if served is None:
            return []
        bridge = bridge_name(served, self._settings)
        return [one for one in self._served.all() if bridge_name(one, self._settings) == bridge]

    def _release(self, vif: Vif) -> None:
        """Give a lease back; when that fails the address is freed after a time."""
        served = self._served.find(vif.network.id)
        if not self._settings.force_dhcp_release or served is None or vif.fixed_ip is None:
            return
        bridge = bridge_name(served, self._settings)
        if bridge is None:
            return
        try:
            self._host.release_lease(bridge, vif.fixed_ip, vif.address)
        except NovaException as error:
            LOG.warning("The lease of %s was not released: %s", vif.fixed_ip, error)

    def _note_lease(self, address: str, mac: str, *, leased: bool) -> None:
        self._served.set_leased(address, mac, leased)
        self._leases.note(address, mac, leased)
        self._leases.flush()

    def _record_lease(self, address: str, mac: str, leased: bool) -> None:
        self._conductor.anyone().record_lease(
            get_admin_context(), self._settings.host, address, mac, leased
        )


class FlatDHCPManager(NetworkManager):
    """All networks of the host on bridges without VLANs, with DHCP."""

    def plan(self, networks: Iterable[HostNetwork]) -> HostPlan:
        """Return what the host needs for its networks."""
        return make_plan(networks, self._settings)


MANAGERS: dict[str, type[NetworkManager]] = {
    "nova.network.manager.FlatDHCPManager": FlatDHCPManager,
}


def manager_class(name: str) -> type[NetworkManager]:
    """Return the manager that the option network_manager names.

    Raises: ConfigurationError.
    """
    if name not in MANAGERS:
        known = ", ".join(sorted(MANAGERS))
        raise ConfigurationError(reason=f"network_manager {name} is not one of: {known}")
    return MANAGERS[name]


def _binding(
    instance_uuid: str, hostname: str, vif: Vif, address: str, instance_host: str | None
) -> DhcpBinding:
    return DhcpBinding(
        mac=vif.address,
        address=address,
        hostname=hostname,
        instance_uuid=instance_uuid,
        host=instance_host,
        vif_id=vif.id,
    )


@contextlib.contextmanager
def _kept(errors: list[NovaException], what: str) -> Iterator[None]:
    """Keep an error for later, so that the rest is still tried."""
    try:
        yield
    except NovaException as error:
        LOG.error("Setting up %s failed: %s", what, error)
        errors.append(error)
