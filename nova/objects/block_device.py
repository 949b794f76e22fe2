"""Block devices of a server."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BlockDevice:
    """One disk of a server.  Until volumes exist, every disk is local to the host."""

    source_type: str
    destination_type: str = "local"
    boot_index: int | None = None
    device_name: str | None = None
    image_id: str | None = None
    volume_size_gb: int | None = None
    guest_format: str | None = None
    disk_bus: str | None = None
    device_type: str | None = None
    delete_on_termination: bool = True
    tag: str | None = None
