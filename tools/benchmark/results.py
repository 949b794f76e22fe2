"""What a run found out; becomes the JSON file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from benchmark.daemons import ColdStart
from benchmark.figures import Spread
from benchmark.meter import Cost
from benchmark.process_figures import Memory


@dataclass(frozen=True)
class Reads:
    """Requests for one address: milliseconds, size, and the cost of one of them."""

    path: str
    ms: Spread
    size_bytes: int
    cost: Cost


@dataclass(frozen=True)
class Crowd:
    """Many servers asked for at once; cost is that of one server.

    least_on_host and most_on_host tell how evenly they were spread.
    """

    count: int
    active: int
    wall_s: float
    post_ms: Spread
    cost: Cost
    least_on_host: int
    most_on_host: int

    @property
    def servers_per_s(self) -> float:
        """Servers that became ACTIVE per second, from the first request on."""
        return self.active / self.wall_s


@dataclass(frozen=True)
class Removal:
    """All servers deleted, some at once; cost is that of one server."""

    count: int
    wall_s: float
    delete_ms: Spread
    cost: Cost


@dataclass(frozen=True)
class Lists:
    """Requests while the project has a number of servers.

    shows_per_s: GET of single servers, some at once.
    """

    servers: int
    reads: tuple[Reads, ...]
    shows_per_s: float


@dataclass(frozen=True)
class Shows:
    """Requests for single servers at a fixed rate; cost is that of one."""

    wanted_per_s: float
    reached_per_s: float
    ms: Spread
    cost: Cost


@dataclass(frozen=True)
class Pages:
    """Lists and single servers while there are very many; memory of every program."""

    servers: int
    reads: tuple[Reads, ...]
    shows: Shows
    memory: dict[str, Memory]
    memory_after: dict[str, Memory]


@dataclass(frozen=True)
class Churn:
    """Servers made and deleted again; cost is that of one, from its request until it is gone."""

    cycles: int
    wall_s: float
    cost: Cost
    memory: dict[str, Memory]
    memory_after: dict[str, Memory]


@dataclass(frozen=True)
class GroupChanges:
    """Rules of a group changed while all servers are in it.

    one: cost of a change alone; burst: cost of each of many at once; in_force_ms: from the
    request of a change until the last host follows.
    """

    servers: int
    hosts: int
    rules: int
    one: Cost
    burst: Cost
    in_force_ms: Spread


@dataclass
class Results:
    """Everything."""

    label: str
    when: str
    machine: dict[str, Any]
    starts: tuple[ColdStart, ...]
    memory: dict[str, Memory] = field(default_factory=dict)
    memory_after: dict[str, Memory] = field(default_factory=dict)
    idle: Cost | None = None
    post_ms: Spread | None = None
    to_active_ms: Spread | None = None
    delete_ms: Spread | None = None
    to_gone_ms: Spread | None = None
    operations: dict[str, Cost] = field(default_factory=dict)
    multi: Crowd | None = None
    storms: list[Crowd] = field(default_factory=list)
    lists: list[Lists] = field(default_factory=list)
    removal: Removal | None = None
    churn: Churn | None = None
    pages: Pages | None = None
    addresses: dict[str, float] = field(default_factory=dict)
    networks: list[dict[str, float]] = field(default_factory=list)
    groups: GroupChanges | None = None
    firewall: dict[str, float] = field(default_factory=dict)
    consoles: dict[str, Any] = field(default_factory=dict)
    ec2: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)
