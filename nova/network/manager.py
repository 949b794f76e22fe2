"""nova-network: makes its host agree with the networks that the conductor gives it."""

import abc
import contextlib
import dataclasses
import logging
from collections.abc import Iterable, Iterator

from nova.concurrency import Lock
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import RequestContext, get_admin_context
from nova.exception import (
    ConfigurationError,
    FloatingDeviceMissing,
    NetworkHostUnavailable,
    NovaException,
    Unavailable,
)
from nova.network.bridges import bridge_name
from nova.network.floating import begun, ended
from nova.network.host import NetworkHost
from nova.network.iptables import METADATA_ADDRESS
from nova.network.leases import LeaseBook
from nova.network.path import describe
from nova.network.plan import HostPlan, make_plan
from nova.network.readings import Readings
from nova.network.rpcapi import NetworkAPI
from nova.network.served import ServedNetworks
from nova.network.settings import NetworkSettings
from nova.objects.instance import EVERYBODY
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
        self._floating_ips = bus.client(ConductorFloatingIps)
        self._host_lock = Lock()
        self._served = ServedNetworks()
        self._agreed_bridges: frozenset[str] | None = None
        self._readings = Readings()
        self._forgotten: tuple[str, ...] = ()
        # What a host without networks must forget; with networks it comes with those.
        self._left_behind: tuple[str, ...] = ()
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
            nothing = HostPlan()
            self._remove_stale(nothing)
            self._apply_rules(nothing)
            self._host.remove_local_address(METADATA_ADDRESS)
            self._agreed_bridges = None

    # --- Messages

    def setup_instance(
        self,
        context: RequestContext,
        instance_uuid: str,
        hostname: str,
        vifs: tuple[Vif, ...],
        instance_host: str | None = None,
        default_vif: str | None = None,
    ) -> None:
        """Make the networks of a server ready."""
        network_ids = {vif.network.id for vif in vifs}
        if not self._served.knows(vifs):
            self._refresh(context)
        for vif in vifs:
            if self._served.find(vif.network.id) is None:
                raise NetworkHostUnavailable(network=vif.network.uuid)
        for key in network_ids:
            bindings = [
                DhcpBinding(
                    mac=vif.address,
                    address=vif.fixed_ip,
                    hostname=hostname,
                    instance_uuid=instance_uuid,
                    host=instance_host,
                    vif_id=vif.id,
                    default_route=default_vif in (None, vif.id),
                )
                for vif in vifs
                if vif.network.id == key and vif.fixed_ip is not None
            ]
            self._served.set_bindings(key, instance_uuid, bindings)
        with self._host_lock:
            if self._agreed_bridges is None:
                self._agree()
            else:
                self._update(network_ids)

    def teardown_instance(
        self, context: RequestContext, instance_uuid: str, vifs: tuple[Vif, ...]
    ) -> None:
        """Remove a server's DHCP entries and release its leases."""
        network_ids = {vif.network.id for vif in vifs}
        for key in network_ids:
            self._served.set_bindings(key, instance_uuid, ())
        untranslated = self._served.drop_translations(vifs)
        with self._host_lock:
            if untranslated:
                self._translate(self.plan(self._served.all()))
            self._update(network_ids)
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

    def refresh(self, context: RequestContext) -> None:
        """Read the networks anew and make the host agree with them."""
        self._refresh(context)

    def refresh_soon(self, context: RequestContext) -> None:
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
        self._readings.fresh(lambda: self._read(context))
        try:
            with self._host_lock:
                self._agree(may_start=may_start)
        finally:
            self._settle(context)

    def _settle(self, context: RequestContext) -> None:
        """Tell the conductor what is translated no more; it asks again when that fails."""
        forgotten, self._forgotten = self._forgotten, ()
        if not forgotten:
            return
        try:
            self._floating_ips.anyone().settled(context, self._settings.host, forgotten)
        except NovaException as error:
            LOG.warning("Floating addresses %s stay reserved: %s", ", ".join(forgotten), error)

    def _read(self, context: RequestContext) -> None:
        place = self._served.begin_reading()
        networks = None
        try:
            networks = self._conductor.anyone().host_networks(context, self._settings.host)
        finally:
            self._served.end_reading(place, networks)
        self._left_behind = () if networks else self._list_left_behind(context)

    def _list_left_behind(self, context: RequestContext) -> tuple[str, ...]:
        """Return the floating addresses that the conductor waits for this host to forget."""
        try:
            client = self._floating_ips.anyone()
            found = client.list_all(context, EVERYBODY, self._settings.host)
        except NovaException as error:
            LOG.warning("What this host must forget is unknown: %s", error)
            return ()
        return tuple(one.address for one in found)

    def _agree(self, *, may_start: bool = True) -> None:
        """Apply the plan: rules first, so that no packet passes before them.

        One network that can not be set up does not hold up the others; the first error is
        raised after all were tried.  Holds: _host_lock.
        """
        self._agreed_bridges = None
        plan = self.plan(self._served.all())
        if plan.forwarding:
            self._host.enable_forwarding(METADATA_ADDRESS)
        self._apply_rules(plan)
        if plan.forwarding_v6:
            self._host.enable_forwarding_v6()
        errors: list[NovaException] = []
        for bridge in plan.bridges:
            with _kept(errors, bridge.name):
                self._host.ensure_bridge(bridge)
        for server in plan.servers:
            with _kept(errors, server.bridge):
                self._host.ensure_server(server, may_start=may_start)
        for advertiser in plan.advertisers:
            with _kept(errors, advertiser.bridge):
                self._host.ensure_advertiser(advertiser)
        missing: dict[str, list[str]] = {}
        for address, device in plan.floating.devices.items():
            with _kept(errors, f"floating address {address}"), _gathered(missing):
                self._host.ensure_floating_address(
                    address, device, self._settings.arp_announcements
                )
        with _kept(errors, "removal"):
            self._remove_stale(plan)
        for device, addresses in missing.items():
            raise FloatingDeviceMissing(addresses=" ".join(addresses), interface=device)
        if errors:
            raise errors[0]
        if may_start:
            self._agreed_bridges = _bridges_of(plan)

    def _apply_rules(self, plan: HostPlan) -> None:
        self._translate(plan)
        self._host.apply_rules_v6(plan.rules_v6)
        self._host.apply_frame_rules(plan.frame_rules)

    def _translate(self, plan: HostPlan) -> None:
        """Apply the rules; addresses that lead elsewhere or nowhere lose their connections.

        An address leaves the host before its rules do, so that nothing that is sent to it
        reaches the host itself; its connections are cut last, when no rule makes new ones.
        Holds: _host_lock.
        """
        present = self._host.list_translations()
        for address, device in self._host.list_floating_addresses().items():
            if address not in plan.floating.devices:
                self._host.remove_floating_address(address, device)
        self._host.apply_rules(plan.rules)
        forgotten = (*plan.floating.forgotten, *self._left_behind)
        floating = dataclasses.replace(plan.floating, forgotten=forgotten)
        for address in ended(present, floating):
            self._host.cut_connections(address)
        for address in begun(present, floating):
            self._host.cut_attempts(address)
        self._forgotten = forgotten

    def _remove_stale(self, plan: HostPlan) -> None:
        wanted = {one.bridge for one in plan.advertisers}
        for bridge in set(self._host.list_advertisers()) - wanted:
            self._host.remove_advertiser(bridge)
        for bridge in set(self._host.list_servers()) - {one.bridge for one in plan.servers}:
            self._host.remove_server(bridge)
        for name in set(self._host.list_bridges()) - {one.name for one in plan.bridges}:
            self._host.remove_bridge(name)

    def _update(self, network_ids: set[int]) -> None:
        """Write the DHCP files of the bridges of some networks.

        The whole host is brought into agreement if guests that came or went make a difference
        in which bridges there are.  Holds: _host_lock.
        """
        plan = self.plan(self._served.all())
        if self._agreed_bridges not in (None, _bridges_of(plan)):
            self._agree()
            return
        affected = {self._bridge_of(key) for key in network_ids}
        for server in plan.servers:
            if server.bridge in affected:
                self._host.ensure_server(server)

    def _bridge_of(self, network_id: int) -> str | None:
        served = self._served.find(network_id)
        return bridge_name(served, self._settings) if served is not None else None

    def _same_bridge(self, network_id: int) -> list[HostNetwork]:
        bridge = self._bridge_of(network_id)
        if bridge is None:
            return []
        return [one for one in self._served.all() if bridge_name(one, self._settings) == bridge]

    def _release(self, vif: Vif) -> None:
        """Give a lease back; when that fails the address is freed after a time."""
        bridge = self._bridge_of(vif.network.id)
        if not self._settings.force_dhcp_release or vif.fixed_ip is None:
            return
        if bridge is None or bridge not in self._host.list_servers():
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


class FlatManager(NetworkManager):
    """Networks of which the operator makes bridges, routers and DHCP; the host needs nothing.

    Guests get the addresses of networks that are injected by their config drive.
    """

    def plan(self, networks: Iterable[HostNetwork]) -> HostPlan:
        """Return the plan that has nothing."""
        return HostPlan()


class FlatDHCPManager(NetworkManager):
    """All networks of the host on bridges without VLANs, with DHCP."""

    def plan(self, networks: Iterable[HostNetwork]) -> HostPlan:
        """Return what the host needs for its networks."""
        return make_plan(networks, self._settings)


class VlanManager(NetworkManager):
    """Each network on a VLAN and bridge of its own, with DHCP."""

    def __init__(self, *, settings: NetworkSettings, bus: Bus, host: NetworkHost) -> None:
        super().__init__(settings=dataclasses.replace(settings, use_vlans=True), bus=bus, host=host)

    def plan(self, networks: Iterable[HostNetwork]) -> HostPlan:
        """Return what the host needs for its networks, or for those with guests on it."""
        return make_plan([one for one in networks if self._is_needed(one)], self._settings)

    def _is_needed(self, served: HostNetwork) -> bool:
        if not self._settings.teardown_unused_network_gateway or not served.network.multi_host:
            return True
        return any(one.host in (None, self._settings.host) for one in served.bindings)


MANAGERS: dict[str, type[NetworkManager]] = {
    f"nova.network.manager.{one.__name__}": one
    for one in (FlatManager, FlatDHCPManager, VlanManager)
}


def manager_class(name: str) -> type[NetworkManager]:
    """Return the manager that the option network_manager names.

    Raises: ConfigurationError.
    """
    if name not in MANAGERS:
        known = ", ".join(sorted(MANAGERS))
        raise ConfigurationError(reason=f"network_manager {name} is not one of: {known}")
    return MANAGERS[name]


def _bridges_of(plan: HostPlan) -> frozenset[str]:
    return frozenset(one.name for one in plan.bridges)


@contextlib.contextmanager
def _kept(errors: list[NovaException], what: str) -> Iterator[None]:
    """Keep an error for later, so that the rest is still tried."""
    try:
        yield
    except NovaException as error:
        LOG.error("Setting up %s failed: %s", what, error)
        errors.append(error)


@contextlib.contextmanager
def _gathered(missing: dict[str, list[str]]) -> Iterator[None]:
    """Note which floating addresses lack their network device."""
    try:
        yield
    except FloatingDeviceMissing as error:
        LOG.error("%s", error)
        missing.setdefault(error.kwargs["interface"], []).append(error.kwargs["addresses"])
