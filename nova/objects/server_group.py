"""Server groups: servers that shall be kept together or apart."""

import dataclasses
import datetime
import enum
from collections.abc import Collection, Mapping


class GroupPolicy(enum.StrEnum):
    """How the servers of a group are placed; the soft ones are wishes only."""

    AFFINITY = "affinity"
    ANTI_AFFINITY = "anti-affinity"
    SOFT_AFFINITY = "soft-affinity"
    SOFT_ANTI_AFFINITY = "soft-anti-affinity"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServerGroup:
    """A group of a project; members are the uuids of its live servers, oldest first.

    max_server_per_host: for anti-affinity, how many members one host may have; None is one.
    """

    id: int
    uuid: str
    name: str
    project_id: str
    user_id: str
    policy: GroupPolicy
    max_server_per_host: int | None = None
    members: tuple[str, ...] = ()
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewServerGroup:
    """A group to be made."""

    name: str
    project_id: str
    user_id: str
    policy: GroupPolicy
    max_server_per_host: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlacedGroup:
    """A group as the scheduler needs to know it.

    members: uuids of all live servers of the group.  on_hosts: those that have a host, by
    the name of the host.
    """

    uuid: str
    policy: GroupPolicy
    max_server_per_host: int = 1
    members: tuple[str, ...] = ()
    on_hosts: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def counts(self, without: Collection[str] = ()) -> dict[str, int]:
        """Return how many members each host has; some servers may be left out of account."""
        counts = {
            host: len(set(uuids).difference(without)) for host, uuids in self.on_hosts.items()
        }
        return {host: count for host, count in counts.items() if count}

    def with_member(self, host: str, instance_uuid: str) -> "PlacedGroup":
        """Return the group as it is with one more member on a host."""
        here = (*self.on_hosts.get(host, ()), instance_uuid)
        return dataclasses.replace(self, on_hosts={**self.on_hosts, host: here})

    def refuses(self, host: str, others: Mapping[str, int]) -> str | None:
        """Return why a further member may not go to a host, None when it may.

        others: how many other members each host has; hosts without any are left out.
        """
        count = others.get(host, 0)
        if self.policy is GroupPolicy.AFFINITY and others and not count:
            return "the other servers of the group are elsewhere"
        if self.policy is GroupPolicy.ANTI_AFFINITY and count >= self.max_server_per_host:
            return f"{count} servers of the group, at most {self.max_server_per_host} allowed"
        return None
