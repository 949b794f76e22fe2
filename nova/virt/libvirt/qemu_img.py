"""The only place that runs qemu-img.  Every call names the formats; none is ever guessed."""

import dataclasses
import json

from nova import exception
from nova.virt.libvirt import limited
from nova.virt.libvirt.paths import Area

_DRIVERS = {
    "raw": "raw",
    "iso": "raw",
    "qcow2": "qcow2",
    "vmdk": "vmdk",
    "vdi": "vdi",
    "vhd": "vpc",
    "vhdx": "vhdx",
}
_OUTPUT_DRIVERS = {"raw", "qcow2"}
_SNAPSHOT_DRIVERS = _OUTPUT_DRIVERS | {"vmdk", "vdi"}

# What a packed format may need beyond the contents, in parts of them and at least.
_OVERHEAD_PART = 64
_OVERHEAD_BYTES = 64 * 1024**2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DiskInfo:
    """What a disk says about itself, read with the format it is known to have."""

    virtual_size_bytes: int
    allocated_bytes: int
    backing_path: str | None = None
    backing_format: str | None = None


class QemuImg:
    """Commands on files of one area.

    look: limits of commands that read headers; work: those of conversions.
    Every method raises CommandFailed, CommandTimeout and UnsafePath.
    """

    def __init__(
        self,
        area: Area,
        look: limited.Limits | None = None,
        work: limited.Limits | None = None,
    ) -> None:
        self._area = area
        self._look = look or limited.Limits()
        self._work = work or limited.Limits(cpu_s=1800, wall_s=1800)

    def info(self, path: str, disk_format: str) -> DiskInfo:
        """Return sizes and backing file; the disk may be in use."""
        command = ["qemu-img", "info", "--force-share", "--output=json", "-f", _driver(disk_format)]
        text = limited.run([*command, "--", self._area.existing(path)], self._look)
        answer = json.loads(text)
        return DiskInfo(
            virtual_size_bytes=int(answer["virtual-size"]),
            allocated_bytes=int(answer.get("actual-size") or 0),
            backing_path=answer.get("full-backing-filename"),
            backing_format=answer.get("backing-filename-format"),
        )

    def measure(self, path: str, disk_format: str) -> int:
        """Return an upper bound of the bytes that the contents need when unpacked."""
        command = ["qemu-img", "measure", "--output=json", "-O", "qcow2"]
        path = self._area.existing(path)
        text = limited.run([*command, "-f", _driver(disk_format), "--", path], self._look)
        return int(json.loads(text)["required"])

    def convert_to_raw(self, source: str, source_format: str, target: str, max_bytes: int) -> None:
        """Unpack into a new raw file that can not become larger than max_bytes."""
        limits = dataclasses.replace(self._work, file_bytes=max_bytes)
        command = ["qemu-img", "convert", "-f", _driver(source_format), "-O", "raw", "--"]
        paths = [self._area.existing(source), self._area.new(target)]
        limited.run([*command, *paths], limits)

    def convert(
        self, source: str, source_format: str, target: str, target_format: str, size_bytes: int
    ) -> None:
        """Write a disk, with what it is laid over, into a new file.

        size_bytes: what the disk has for its guest.
        """
        if target_format not in _SNAPSHOT_DRIVERS:
            reason = f"Snapshots are not made in the format {target_format}."
            raise exception.Internal(reason=reason)
        most = size_bytes + size_bytes // _OVERHEAD_PART + _OVERHEAD_BYTES
        limits = dataclasses.replace(self._work, file_bytes=most)
        formats = ["-f", _driver(source_format), "-O", _driver(target_format)]
        paths = [self._area.existing(source), self._area.new(target)]
        limited.run(["qemu-img", "convert", *formats, "--", *paths], limits)

    def create(self, path: str, disk_format: str, size_bytes: int) -> None:
        """Make an empty disk."""
        command = ["qemu-img", "create", "-q", "-f", _output_driver(disk_format), "--"]
        limited.run([*command, self._area.new(path), str(size_bytes)], self._look)

    def create_overlay(self, path: str, base: str, base_format: str, size_bytes: int) -> None:
        """Make a qcow2 disk that shows base until it is written to."""
        command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", _driver(base_format), "-b"]
        backing = self._area.existing(base)
        limited.run([*command, backing, "--", self._area.new(path), str(size_bytes)], self._look)

    def resize(self, path: str, disk_format: str, size_bytes: int) -> None:
        """Make a disk larger; qemu-img refuses to shrink without being told to."""
        command = ["qemu-img", "resize", "-q", "-f", _output_driver(disk_format), "--"]
        limited.run([*command, self._area.existing(path), str(size_bytes)], self._look)


def _driver(disk_format: str) -> str:
    if disk_format not in _DRIVERS:
        raise exception.Internal(reason=f"The disk format {disk_format} has no driver.")
    return _DRIVERS[disk_format]


def _output_driver(disk_format: str) -> str:
    if disk_format not in _OUTPUT_DRIVERS:
        raise exception.Internal(reason=f"Disks are not made in the format {disk_format}.")
    return disk_format
