"""Flavors: the sizes in which servers come."""

import dataclasses
import datetime

from nova.objects.unset import UNSET, UnsetType


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """A size of server.  A copy is kept with each server made from it."""

    id: int
    flavorid: str
    name: str
    memory_mb: int
    vcpus: int
    root_gb: int
    ephemeral_gb: int = 0
    swap_mb: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    disabled: bool = False
    description: str | None = None
    extra_specs: dict[str, str] = dataclasses.field(default_factory=dict)
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def disk_gb(self) -> int:
        """Disk that a claim takes: root, ephemeral and swap (rounded up), in GiB."""
        return self.root_gb + self.ephemeral_gb + -(-self.swap_mb // 1024)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewFlavor:
    """What a flavor is created from; flavorid None asks for a random UUID."""

    name: str
    memory_mb: int
    vcpus: int
    root_gb: int
    flavorid: str | None = None
    ephemeral_gb: int = 0
    swap_mb: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    description: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FlavorQuery:
    """One page of flavors.

    is_public None lists all; project_id limits private flavors to those it has access to
    (None: no limit, for administrators).  name_pattern is a search text as for servers.
    """

    is_public: bool | None = True
    project_id: str | None = None
    min_ram_mb: int | None = None
    min_disk_gb: int | None = None
    name_pattern: str | None = None
    sort_key: str = "flavorid"
    sort_dir: str = "asc"
    limit: int = 1000
    marker: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FlavorChange:
    """Fields of a flavor to be changed."""

    description: str | UnsetType | None = UNSET
