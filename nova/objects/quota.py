"""Quotas: limits, what is used, and usage over time."""

import dataclasses
import datetime

UNLIMITED = -1

# Resources that are counted as servers come and go.
CLAIMED = ("instances", "cores", "ram")

# Default limits are options ([DEFAULT] quota_*); these are the resource names in REST order.
RESOURCES = (
    "instances",
    "cores",
    "ram",
    "metadata_items",
    "injected_files",
    "injected_file_content_bytes",
    "injected_file_path_bytes",
    "key_pairs",
    "server_groups",
    "server_group_members",
    "floating_ips",
    "fixed_ips",
    "security_groups",
    "security_group_rules",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUsage:
    """One resource of a project (or user): limit, in use, reserved."""

    resource: str
    limit: int
    in_use: int = 0
    reserved: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class QuotaSet:
    """All resources of a project (or of a user within it)."""

    project_id: str
    user_id: str | None = None
    resources: tuple[QuotaUsage, ...] = ()

    def limit(self, resource: str) -> int:
        """Return the limit of a resource, -1 for unlimited."""
        return next(entry.limit for entry in self.resources if entry.resource == resource)

    def in_use(self, resource: str) -> int:
        """Return how much of a resource is used."""
        return next(entry.in_use for entry in self.resources if entry.resource == resource)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkingQuota:
    """What a project may have and has of networking, and of networks and ranges of its own."""

    quota_set: QuotaSet
    network_limit: int
    networks: int
    ranges: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServerUsage:
    """What one server used within a period."""

    instance_uuid: str
    display_name: str
    project_id: str
    flavor_name: str
    memory_mb: int
    vcpus: int
    local_gb: int
    started_at: datetime.datetime
    ended_at: datetime.datetime | None
    state: str
    hours: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """A period and, if wanted, one project; a page ends after limit servers."""

    start: datetime.datetime
    stop: datetime.datetime
    project_id: str | None = None
    limit: int | None = None
    marker: str | None = None
