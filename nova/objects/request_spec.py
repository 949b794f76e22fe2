"""What is asked of the scheduler, and how it explains its choice."""

import dataclasses
import datetime

from nova.objects.flavor import Flavor
from nova.objects.server_group import PlacedGroup


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpec:
    """One request to place servers, all alike.

    force_host (and force_node) come from "zone:host:node" and skip the filters;
    requested_host limits the candidates, filters still run.
    hints are lists of strings by name; same_host and different_host name only servers of the
    project.  group_uuid: the server group that the servers are members of; group: the same
    with its members.
    """

    flavor: Flavor
    project_id: str
    user_id: str | None = None
    instance_uuids: tuple[str, ...] = ()
    image_id: str | None = None
    image_properties: dict[str, str] = dataclasses.field(default_factory=dict)
    availability_zone: str | None = None
    force_host: str | None = None
    force_node: str | None = None
    requested_host: str | None = None
    requested_node: str | None = None
    ignore_hosts: tuple[str, ...] = ()
    hints: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    group_uuid: str | None = None
    group: PlacedGroup | None = None
    alternates: int = 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A host that was chosen, and its weight.

    limits: capacities in vcpu, memory_mb and disk_gb that hold instead of the node's own.
    """

    host: str
    node: str
    weight: float = 0.0
    limits: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One host that a filter removed, and why, with the numbers."""

    host: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FilterResult:
    """What one filter did: hosts before, hosts after, and why the others went."""

    name: str
    before: int
    after: int
    rejected: tuple[Rejection, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WeighedHost:
    """A host that passed all filters, with each weigher's share of its weight."""

    host: str
    node: str
    weight: float
    parts: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlacementReport:
    """How one scheduling attempt went.

    destinations: per requested server (in order of instance_uuids) the chosen host first,
    then the alternates; empty for a server that fits nowhere.
    summary: one sentence with counts and without host names, fit for the tenant.
    """

    considered: int
    filters: tuple[FilterResult, ...] = ()
    weighed: tuple[WeighedHost, ...] = ()
    destinations: tuple[tuple[Destination, ...], ...] = ()
    summary: str = ""
    attempt: int = 1
    created_at: datetime.datetime | None = None
