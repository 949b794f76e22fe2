"""Host states in memory: pulled from the conductor, lessened by what was just chosen."""

import dataclasses
import threading
from collections.abc import Collection, Iterable

from nova import clock
from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.context import RequestContext
from nova.objects.flavor import Flavor
from nova.objects.request_spec import RequestSpec
from nova.rpc.bus import Bus
from nova.scheduler.choose import Pick
from nova.scheduler.host_state import HostState, from_snapshot

# A pick that no claim has followed within this time was given up by the conductor.
PICK_LIFETIME_S = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class _Pending:
    instance_uuid: str
    flavor: Flavor
    image_properties: dict[str, str]
    picked_at: float


@dataclasses.dataclass(slots=True)
class _Host:
    told: HostState
    pending: list[_Pending] = dataclasses.field(default_factory=list)


class HostCache:
    """All hosts as the conductor last told, by host name.

    A pick stays subtracted until the conductor's answer shows the server on the host, or
    until the pick is old.  Callers hold no lock; the cache's own lock guards a pull, so that
    callers who come during one share its answer.
    """

    def __init__(self, bus: Bus) -> None:
        self._conductor = bus.client(ConductorHosts)
        self._pulling = threading.Lock()
        self._hosts: dict[str, _Host] = {}
        self._generation = 0
        self._pulls = 0
        self._pulled_at: float | None = None

    @property
    def pulls(self) -> int:
        """Number of pulls begun so far; a caller compares it to know what is fresh."""
        return self._pulls

    def refresh_if_older(self, context: RequestContext, age_s: float) -> None:
        """Pull unless the last pull is younger than age_s."""
        with self._pulling:
            if self._pulled_at is None or clock.monotonic() - self._pulled_at >= age_s:
                self._pull(context)

    def refresh_after(self, context: RequestContext, pulls: int) -> None:
        """Pull unless a pull was begun since the caller read ``pulls``."""
        with self._pulling:
            if self._pulls <= pulls:
                self._pull(context)

    def states(self, placing: Collection[str] = ()) -> tuple[HostState, ...]:
        """Return all hosts with pending picks subtracted, in order of their names.

        placing: servers that are being placed now; earlier picks of these do not count.
        """
        now = clock.monotonic()
        return tuple(_state(self._hosts[name], now, placing) for name in sorted(self._hosts))

    def take(self, spec: RequestSpec, picks: Iterable[Pick]) -> None:
        """Subtract what was chosen; an earlier pick of the same server is given back."""
        now = clock.monotonic()
        chosen = {pick.instance_uuid: pick.host.host for pick in picks}
        for name, host in self._hosts.items():
            host.pending = [
                entry
                for entry in host.pending
                if entry.instance_uuid not in chosen and now - entry.picked_at < PICK_LIFETIME_S
            ]
            host.pending.extend(
                _Pending(uuid, spec.flavor, spec.image_properties, now)
                for uuid, target in chosen.items()
                if target == name
            )

    def _pull(self, context: RequestContext) -> None:
        self._pulls += 1
        changes = self._conductor.anyone().hosts_changed_since(context, self._generation)
        for name in changes.removed:
            self._hosts.pop(name, None)
        for snapshot in changes.changed:
            name = snapshot.node.host
            known = self._hosts.get(name)
            placed = set(snapshot.instance_uuids)
            pending = [
                entry
                for entry in (known.pending if known else ())
                if entry.instance_uuid not in placed
            ]
            self._hosts[name] = _Host(from_snapshot(snapshot), pending)
        self._generation = changes.generation
        self._pulled_at = clock.monotonic()


def _state(host: _Host, now: float, placing: Collection[str]) -> HostState:
    state = host.told
    for entry in host.pending:
        if now - entry.picked_at < PICK_LIFETIME_S and entry.instance_uuid not in placing:
            state = state.consumed(entry.flavor, entry.instance_uuid, entry.image_properties)
    return state
