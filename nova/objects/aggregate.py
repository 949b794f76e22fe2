"""Aggregates: sets of compute hosts with metadata, and the availability zones they make."""

import dataclasses
import datetime

from nova.objects.unset import UNSET, UnsetType

# Key of an aggregate's metadata that puts its hosts into an availability zone.
ZONE_KEY = "availability_zone"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A set of hosts, by their names, and what is said about all of them."""

    id: int
    uuid: str
    name: str
    hosts: tuple[str, ...] = ()
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def availability_zone(self) -> str | None:
        """The zone that the hosts of the aggregate are in."""
        return self.metadata.get(ZONE_KEY)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AggregateChange:
    """What is to be changed of an aggregate; a zone of None takes its hosts out of it."""

    name: str | UnsetType = UNSET
    availability_zone: str | UnsetType | None = UNSET
