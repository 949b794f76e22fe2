"""Which buses disks hang on, and what their devices are called."""

import dataclasses
import string

from nova import exception

_MAX_IDE_DEVICES = 4

_PREFIXES = {
    "ide": "hd",
    "sata": "sd",
    "scsi": "sd",
    "usb": "sd",
    "virtio": "vd",
    "xen": "xvd",
    "uml": "ubd",
    "fdc": "fd",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Buses:
    """What one domain type offers; the first disk bus is the default."""

    disk: tuple[str, ...]
    cdrom: tuple[str, ...]


_QEMU = Buses(
    disk=("virtio", "scsi", "sata", "ide", "usb"), cdrom=("ide", "sata", "scsi", "virtio")
)

BY_VIRT_TYPE: dict[str, Buses] = {
    "kvm": _QEMU,
    "qemu": _QEMU,
    "test": _QEMU,
    "xen": Buses(disk=("xen", "ide"), cdrom=("ide", "xen")),
    "parallels": Buses(disk=("sata", "ide", "scsi"), cdrom=("ide", "sata")),
    "uml": Buses(disk=("uml",), cdrom=("uml",)),
}


def disk_bus(virt_type: str, machine: str | None, wanted: str | None, image_id: str | None) -> str:
    """Return the bus of a guest's disks; q35 has no IDE.  Raises: ImageUnacceptable."""
    offered = BY_VIRT_TYPE[virt_type].disk
    if machine and "q35" in machine:
        offered = tuple(bus for bus in offered if bus != "ide")
    return _choose(offered, wanted, "hw_disk_bus", image_id)


def cdrom_bus(virt_type: str, machine: str | None, wanted: str | None, image_id: str | None) -> str:
    """Return the bus of a guest's optical drive.  Raises: ImageUnacceptable.

    The machine q35 has no IDE.
    """
    offered = BY_VIRT_TYPE[virt_type].cdrom
    if machine and "q35" in machine:
        offered = tuple(bus for bus in offered if bus != "ide")
    return _choose(offered, wanted, "hw_cdrom_bus", image_id)


def rescue_bus(
    virt_type: str, machine: str | None, wanted: str | None, image_id: str | None, cdrom: bool
) -> str:
    """Return the bus of the disk that a server is rescued with.  Raises: ImageUnacceptable."""
    offered = BY_VIRT_TYPE[virt_type].cdrom if cdrom else BY_VIRT_TYPE[virt_type].disk
    if machine and "q35" in machine:
        offered = tuple(bus for bus in offered if bus != "ide")
    return _choose(offered, wanted, "hw_rescue_bus", image_id)


def _choose(offered: tuple[str, ...], wanted: str | None, name: str, image_id: str | None) -> str:
    if not wanted:
        return offered[0]
    if wanted not in offered:
        reason = f"its property {name} must be one of {', '.join(offered)}."
        raise exception.ImageUnacceptable(image_id=image_id, reason=reason)
    return wanted


class DeviceNames:
    """Hands out device names of one guest, each bus counting for itself.

    Buses that share a prefix share the count.
    """

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def take(self, bus: str) -> str:
        """Return the next free name of a bus.  Raises: BlockDeviceNotSupported."""
        prefix = _PREFIXES[bus]
        index = self._used.get(prefix, 0)
        if index >= (_MAX_IDE_DEVICES if bus == "ide" else len(string.ascii_lowercase)):
            reason = f"the server has more disks than fit on the bus {bus}."
            raise exception.BlockDeviceNotSupported(reason=reason)
        self._used[prefix] = index + 1
        return prefix + string.ascii_lowercase[index]
