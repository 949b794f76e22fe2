"""What a compute host in namespaces is made of, as values that its first process reads."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

# Directories of the machine that each host has a copy of its own of, below its directory.
OWN_DIRECTORIES = (
    "etc/libvirt",
    "etc/iscsi",
    "etc/sudoers.d",
    "var/lib/libvirt",
    "var/log/libvirt",
    "var/cache/libvirt",
    "var/lib/iscsi",
)
OWN_FILES = ("etc/hosts", "etc/hostname", "etc/machine-id")


@dataclass(frozen=True)
class HostSpec:
    """One host. directory holds its files.

    Compute is the path under which each host sees its own nova directory.
    """

    name: str
    directory: Path
    compute: Path
    shared_instances: Path | None = None
    libvirt: bool = True

    @property
    def programs(self) -> Path:
        """Directory of the host's own process supervisor."""
        return self.directory / "programs"

    @property
    def file(self) -> Path:
        """Where the specification is stored."""
        return self.directory / "host.json"

    def save(self) -> None:
        """Store the specification in the host's directory."""
        self.file.write_text(json.dumps(asdict(self), default=str, indent=1) + "\n")

    @classmethod
    def load(cls, file: Path) -> HostSpec:
        """Read a stored specification."""
        values = json.loads(file.read_text())
        shared = values["shared_instances"]
        return cls(
            values["name"],
            Path(values["directory"]),
            Path(values["compute"]),
            Path(shared) if shared else None,
            values["libvirt"],
        )
