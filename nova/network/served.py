"""The networks that a host serves, with changes that happen while they are being read."""

import dataclasses
from collections.abc import Iterable

from nova.concurrency import Lock
from nova.objects.network import DhcpBinding, HostNetwork, Vif


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    network_id: int
    instance_uuid: str
    bindings: tuple[DhcpBinding, ...]


class ServedNetworks:
    """What the host hands out, by network.  Its own lock guards it, for moments only.

    A list read from the conductor is as old as its reading: begin_reading() starts to note
    changes, and end_reading() applies those that were noted since to what was read.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._networks: dict[int, HostNetwork] = {}
        self._changes: list[_Change] = []
        self._readers = 0

    def all(self) -> tuple[HostNetwork, ...]:
        """Return the networks in order of id."""
        with self._lock:
            return tuple(self._networks[key] for key in sorted(self._networks))

    def find(self, network_id: int) -> HostNetwork | None:
        """Return a network by row id."""
        with self._lock:
            return self._networks.get(network_id)

    def begin_reading(self) -> int:
        """Return the place in the list of changes to give to end_reading()."""
        with self._lock:
            self._readers += 1
            return len(self._changes)

    def end_reading(self, place: int, networks: Iterable[HostNetwork] | None) -> None:
        """Take over what was read, if anything, and what changed since begin_reading()."""
        with self._lock:
            if networks is not None:
                self._networks = {one.network.id: one for one in networks}
                for change in self._changes[place:]:
                    self._apply(change)
            self._readers -= 1
            if not self._readers:
                self._changes.clear()

    def set_bindings(
        self, network_id: int, instance_uuid: str, bindings: Iterable[DhcpBinding]
    ) -> None:
        """Replace what a server has in a network; none removes the server from it."""
        change = _Change(
            network_id=network_id, instance_uuid=instance_uuid, bindings=tuple(bindings)
        )
        with self._lock:
            if self._readers:
                self._changes.append(change)
            self._apply(change)

    def knows(self, vifs: Iterable[Vif]) -> bool:
        """Tell whether the networks of interfaces are served, with their floating addresses."""
        for vif in vifs:
            served = self.find(vif.network.id)
            if served is None:
                return False
            known = {one.address for one in served.floating_ips if one.fixed_ip in vif.fixed_ips}
            if not known.issuperset(vif.floating_ips):
                return False
        return True

    def drop_translations(self, vifs: Iterable[Vif]) -> bool:
        """Let no floating address lead to some interfaces; tell whether one did."""
        gone = {(vif.network.id, address) for vif in vifs for address in vif.fixed_ips}
        dropped = False
        with self._lock:
            for key, served in self._networks.items():
                kept = tuple(one for one in served.floating_ips if (key, one.fixed_ip) not in gone)
                dropped |= kept != served.floating_ips
                self._networks[key] = dataclasses.replace(served, floating_ips=kept)
        return dropped

    def set_leased(self, address: str, mac: str, leased: bool) -> None:
        """Note that a guest took or gave back its address."""
        with self._lock:
            for network_id, served in self._networks.items():
                bindings = tuple(
                    dataclasses.replace(one, leased=leased)
                    if (one.address, one.mac.lower()) == (address, mac.lower())
                    else one
                    for one in served.bindings
                )
                self._networks[network_id] = dataclasses.replace(served, bindings=bindings)

    def _apply(self, change: _Change) -> None:
        served = self._networks.get(change.network_id)
        if served is None:
            return
        held = {(one.mac, one.address): one.leased for one in served.bindings}
        taken = {one.address for one in change.bindings} | {one.mac for one in change.bindings}
        kept = tuple(
            one
            for one in served.bindings
            if one.instance_uuid != change.instance_uuid
            and one.address not in taken
            and one.mac not in taken
        )
        added = tuple(
            dataclasses.replace(one, leased=held.get((one.mac, one.address), one.leased))
            for one in change.bindings
        )
        self._networks[change.network_id] = dataclasses.replace(served, bindings=kept + added)
