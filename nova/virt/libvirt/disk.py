"""Disks of guests: laid over base images, made whole or not at all, removed without trace."""

import contextlib
import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterable

from nova import exception
from nova.objects.image import Image
from nova.objects.instance import Instance
from nova.privileged import guest_files
from nova.virt.libvirt import limited, paths
from nova.virt.libvirt.imagecache import BaseImage, ImageCache, base_name
from nova.virt.libvirt.qemu_img import QemuImg

LOG = logging.getLogger(__name__)

GIB = 1024**3
MIB = 1024**2

_DISK_MODE = 0o600
_DIRECTORY_MODE = 0o711
_UNFINISHED_SUFFIX = ".part"
_OVERLAYS = ("disk", "disk.local", "disk.swap")
_EPHEMERAL_LABEL = "ephemeral0"


class DiskStore:
    """Disks below the instances path.

    cow: lay qcow2 disks over base images; else copy them to raw files.
    Every create replaces a disk that an interrupted build left behind.
    """

    def __init__(
        self, instances_path: str, tool: QemuImg, cache: ImageCache, cow: bool = True
    ) -> None:
        self._root = instances_path
        self._tool = tool
        self._cache = cache
        self._cow = cow
        self._limits = limited.Limits()

    @property
    def disk_format(self) -> str:
        """Format of every disk that is made here, for the definition of the guest."""
        return "qcow2" if self._cow else "raw"

    @property
    def tool(self) -> QemuImg:
        """What reads and writes the disks."""
        return self._tool

    @property
    def root(self) -> str:
        """Folder that holds everything."""
        return self._root

    def directory(self, instance_uuid: str) -> str:
        """Return where the files of a server are.  Raises: UnsafePath."""
        return paths.instance_directory(self._root, instance_uuid)

    def create_directory(self, instance_uuid: str) -> str:
        """Make and return the directory of a server; one that exists is fine."""
        directory = self.directory(instance_uuid)
        paths.ensure_directory(self._root, _DIRECTORY_MODE)
        paths.ensure_directory(directory, _DIRECTORY_MODE)
        return directory

    def create_root(self, image: Image, path: str, size_gb: int) -> int:
        """Make the root disk of an image and return its size in bytes.

        size_gb 0 keeps the size of the image.
        Raises: image errors, ImageTooLarge, HostStorageFull, command errors.
        """
        allowed = size_gb * GIB or None
        base = self._cache.ensure_base(image, allowed)
        size = allowed or base.size_bytes
        self._create(base, path, size)
        return size

    def create_rescue(self, image: Image, path: str, max_gb: int) -> int:
        """Make a disk of an image in the image's own size, and return that in bytes.

        max_gb: what the flavor allows; 0 allows any size.  Raises: as create_root().
        """
        base = self._cache.ensure_base(image, max_gb * GIB or None)
        self._create(base, path, base.size_bytes)
        return base.size_bytes

    def create_ephemeral(self, path: str, size_gb: int) -> None:
        """Make an extra disk with an empty file system, always of one kind."""

        def format_disk(file: str) -> None:
            command = ["mkfs.ext4", "-q", "-F", "-L", _EPHEMERAL_LABEL]
            lazy = "lazy_itable_init=1,lazy_journal_init=1,nodiscard"
            limited.run([*command, "-E", lazy, "--", file], self._limits)

        size = size_gb * GIB
        base = self._cache.ensure_made(f"ephemeral_{size_gb}", _made_by(format_disk, size))
        self._create(base, path, size)

    def create_swap(self, path: str, size_mb: int) -> None:
        """Make a swap disk."""

        def format_disk(file: str) -> None:
            limited.run(["mkswap", "--", file], self._limits)

        size = size_mb * MIB
        base = self._cache.ensure_made(f"swap_{size_mb}", _made_by(format_disk, size))
        self._create(base, path, size)

    def create_copy(self, image: Image, path: str) -> None:
        """Copy an image as it is, for a kernel or ramdisk.  Raises: image errors."""
        base = self._cache.ensure_base(image)

        def copy(part: str) -> None:
            with open(base.path, "rb") as source, open(part, "xb") as target:
                shutil.copyfileobj(source, target)

        _whole(path, copy)

    def extend(self, path: str, disk_format: str, size_bytes: int) -> None:
        """Make a disk larger; the format is what was made here, whatever the guest wrote."""
        self._tool.resize(path, disk_format, size_bytes)

    def take_back(self, instance_uuid: str) -> None:
        """Make the disks of a guest that is off the service's own again.

        libvirt gives them back by itself where it can keep notes of their owner.
        """
        with os.scandir(self.directory(instance_uuid)) as found:
            disks = [each.path for each in found if each.name.startswith("disk")]
        if not all(os.access(path, os.R_OK | os.W_OK) for path in disks):
            guest_files.take_back(instance_uuid)

    def remove_directory(self, instance_uuid: str) -> None:
        """Remove all files of a server, those put aside too; none being there is fine.

        Raises: DriverError while a guest still holds them on a shared directory.
        """
        for directory in paths.all_directories(self._root, instance_uuid):
            remove_tree(directory)

    def directories(self) -> list[str]:
        """Return all directories with disks of servers, those put aside too."""
        return [os.path.join(self._root, name) for name in self._names()]

    def list_uuids(self) -> set[str]:
        """Return the uuids of servers that have files here, in whatever directory."""
        return {uuid for name in self._names() if (uuid := paths.owner_of(name))}

    def _names(self) -> list[str]:
        try:
            names = os.listdir(self._root)
        except FileNotFoundError:
            return []
        return [name for name in names if paths.owner_of(name)]

    def bases_in_use(self) -> set[str]:
        """Return the names of base images that existing disks are laid over."""
        names = set()
        for instance_uuid in self.list_uuids() if self._cow else ():
            for disk in _OVERLAYS:
                path = os.path.join(self.directory(instance_uuid), disk)
                if os.path.lexists(path):
                    backing = self._tool.info(path, "qcow2").backing_path
                    names.add(os.path.basename(backing or ""))
        return names - {""}

    def age_out_bases(self, instances: Iterable[Instance]) -> list[str]:
        """Remove base images that neither these servers nor any disk here uses; return names.

        instances: all servers that may use this directory.
        """
        servers = list(instances)
        images = {ref for each in servers for ref in (each.image_ref, each.kernel_id)}
        images |= {each.ramdisk_id for each in servers}
        needed = bases_of(
            {image_id for image_id in images if image_id},
            {each.flavor.ephemeral_gb for each in servers},
            {each.flavor.swap_mb for each in servers},
        )
        return self._cache.age_out(needed | self.bases_in_use())

    def _create(self, base: BaseImage, path: str, size_bytes: int) -> None:
        def overlay(part: str) -> None:
            self._tool.create_overlay(part, base.path, "raw", size_bytes)

        def copy(part: str) -> None:
            self._tool.convert_to_raw(base.path, "raw", part, max(size_bytes, base.size_bytes))
            self._tool.resize(part, "raw", size_bytes)

        _whole(path, overlay if self._cow else copy)


def bases_of(image_ids: set[str], ephemeral_gb: set[int], swap_mb: set[int]) -> set[str]:
    """Return the names of the base images that servers with these parts need."""
    return {
        *(base_name(image_id) for image_id in image_ids),
        *(f"ephemeral_{size}" for size in ephemeral_gb if size),
        *(f"swap_{size}" for size in swap_mb if size),
    }


def remove_tree(directory: str) -> None:
    """Remove a directory of a server with all that is in it; a missing one is fine.

    Raises: DriverError.
    """
    try:
        if os.path.islink(directory):
            os.unlink(directory)
        else:
            shutil.rmtree(directory)
    except FileNotFoundError:
        return
    except OSError as error:
        LOG.warning("%s can not be removed: %s", directory, error)
        reason = errno.errorcode.get(error.errno or 0, "unknown")
        operation = "remove the files of the server"
        raise exception.DriverError(operation=operation, reason=reason) from error


def _made_by(format_disk: Callable[[str], None], size_bytes: int) -> Callable[[str], str]:
    def make(directory: str) -> str:
        file = os.path.join(directory, "empty")
        with open(file, "xb") as empty:
            empty.truncate(size_bytes)
        paths.set_mode(file, _DISK_MODE)
        format_disk(file)
        return file

    return make


def _whole(path: str, make: Callable[[str], None]) -> None:
    """Make a file beside its final place and move it there; on error nothing is left."""
    part = path + _UNFINISHED_SUFFIX
    _unlink(part)
    try:
        make(part)
        paths.set_mode(part, _DISK_MODE)
        os.rename(part, path)
    except BaseException:
        _unlink(part)
        raise


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
