"""What a compute host has, and who uses it."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostAmounts:
    """Amounts of a host's resources."""

    vcpus: int = 0
    memory_mb: int = 0
    disk_gb: int = 0

    def __add__(self, other: "HostAmounts") -> "HostAmounts":
        return HostAmounts(
            vcpus=self.vcpus + other.vcpus,
            memory_mb=self.memory_mb + other.memory_mb,
            disk_gb=self.disk_gb + other.disk_gb,
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostUsage:
    """A compute host: what there is, what is claimed, and the flavors' sums by project."""

    host: str
    total: HostAmounts
    used: HostAmounts
    projects: dict[str, HostAmounts] = dataclasses.field(default_factory=dict)
