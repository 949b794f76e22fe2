"""Base images of a host: each image is fetched, judged and unpacked once, then shared.

A base image is always raw, appears whole or not at all, and is never written to again.
Files of tenants are touched by nobody else while they are worked on: that happens in
directories of mode 0700.
"""

import contextlib
import dataclasses
import datetime
import errno
import hashlib
import logging
import os
import re
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from nova import clock, exception
from nova.concurrency import LockRegistry
from nova.objects.image import Image, ImageFacts
from nova.virt.libvirt.cache_age import AgeRules, BaseFile, expired
from nova.virt.libvirt.paths import Area, ensure_directory, set_mode
from nova.virt.libvirt.qemu_img import QemuImg

LOG = logging.getLogger(__name__)

_SECTOR = 512
_BASE_MODE = 0o644
_DIRECTORY_MODE = 0o711
_USED_SUFFIX = ".used"
_WORK_PREFIX = ".part-"
_PACKED_FORMATS = {"qcow2", "vmdk", "vdi", "vhd", "vhdx"}
_NAME = re.compile(r"[0-9a-f]{40}|(?:ephemeral|swap)_[1-9][0-9]{0,8}")


class ImageSource(Protocol):
    """Where images come from; what it delivers is verified and safe to unpack."""

    def get(self, image_id: str) -> Image:
        """Return what the catalogue says.  Raises: ImageNotFound, ..."""
        ...

    def fetch(self, image: Image, path: str, max_bytes: int | None = None) -> ImageFacts:
        """Write the bytes to a new file and judge them.  Raises: ImageUnacceptable, ..."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """A raw file that disks can be laid over."""

    path: str
    size_bytes: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """host names this service among those that share the directory.

    reserved_bytes of storage are never used for images.
    """

    host: str
    subdirectory: str = "_base"
    reserved_bytes: int = 0
    rules: AgeRules = dataclasses.field(default_factory=AgeRules)


def base_name(image_id: str) -> str:
    """Return the file name of an image's base; nothing a tenant chooses has a part in it."""
    return hashlib.sha1(image_id.encode(), usedforsecurity=False).hexdigest()


class ImageCache:
    """Base images below one directory.

    One lock per name: parallel requests for an image fetch it once.  One image is unpacked
    at a time, so that the storage budget holds.
    """

    def __init__(
        self, instances_path: str, source: ImageSource, tool: QemuImg, settings: CacheSettings
    ) -> None:
        self.directory = os.path.join(instances_path, settings.subdirectory)
        self._source = source
        self._tool = tool
        self._settings = settings
        self._area = Area(self.directory)
        self._locks = LockRegistry()
        self._unpacking = threading.Lock()

    def ensure_base(self, image: Image, max_virtual_bytes: int | None = None) -> BaseImage:
        """Return the base of an image, fetching it if need be.

        max_virtual_bytes: size of the flavor's disk; None where the image's size counts.
        Raises: image errors; ImageTooLarge before anything is unpacked; HostStorageFull.
        """
        name = base_name(image.id)

        def make(directory: str) -> str:
            with self._out_of_space(image):
                return self._fetch(image, directory, max_virtual_bytes)

        base = self.ensure_made(name, make)
        _require_fit(image, base.size_bytes, max_virtual_bytes)
        return base

    def fetch_ahead(self, image: Image) -> bool:
        """Fetch the base of an image before a server needs it; False when it was there.

        Raises: as ensure_base().
        """
        there = self._find(os.path.join(self.directory, base_name(image.id))) is not None
        self.ensure_base(image)
        return not there

    def ensure_made(self, name: str, make: Callable[[str], str]) -> BaseImage:
        """Return the base of this name, or move there what make leaves in a directory.

        make gets a private directory and returns the path of the finished file.
        """
        if not _NAME.fullmatch(name):
            raise exception.UnsafePath(what="a base image", reason="its name is malformed.")
        path = os.path.join(self.directory, name)
        with self._exclusive(name):
            base = self._find(path)
            if base is None:
                with self._work_directory() as directory:
                    made = make(directory)
                    set_mode(made, _BASE_MODE)
                    os.rename(made, path)
                base = self._find(path)
            self._mark_used(path)
        if base is None:
            raise exception.UnsafePath(what="a base image", reason="it vanished.")
        return base

    def remove_leftovers(self) -> None:
        """Remove what an earlier process of this host left unfinished.  For the start only."""
        prefix = self._work_prefix()
        with contextlib.suppress(FileNotFoundError), os.scandir(self.directory) as entries:
            for entry in entries:
                if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)

    def list_bases(self) -> list[BaseFile]:
        """Return all base images with the time of their last use."""
        bases = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self.directory) as entries:
            for entry in entries:
                if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    bases.append(BaseFile(name=entry.name, last_used_s=_last_used(entry.path)))
        return bases

    def age_out(self, names_in_use: set[str]) -> list[str]:
        """Remove base images that have not been used for long; return their names.

        names_in_use: names of bases; the rest of the decision is in cache_age.
        """
        for name in names_in_use:
            path = os.path.join(self.directory, name)
            if _NAME.fullmatch(name) and self._find(path):
                self._mark_used(path)
        removed = []
        for name in expired(self.list_bases(), names_in_use, _now_s(), self._settings.rules):
            with self._exclusive(name):
                path = os.path.join(self.directory, name)
                fresh = BaseFile(name=name, last_used_s=_last_used(path))
                if expired([fresh], names_in_use, _now_s(), self._settings.rules):
                    _unlink(path)
                    _unlink(path + _USED_SUFFIX)
                    removed.append(name)
                    LOG.info("Removed unused base image %s", name)
        return removed

    def _fetch(self, image: Image, directory: str, max_virtual_bytes: int | None) -> str:
        """Return the path of a raw file with the image's contents."""
        if image.disk_format not in _PACKED_FORMATS:
            _require_fit(image, image.size_bytes or 0, max_virtual_bytes)
        self._require_space(image, image.size_bytes or 0)
        download = os.path.join(directory, "download")
        facts = self._source.fetch(image, download)
        _require_fit(image, facts.virtual_size_bytes, max_virtual_bytes)
        if facts.format in ("raw", "iso"):
            return download
        with self._unpacking:
            return self._unpack(image, facts, download)

    def _unpack(self, image: Image, facts: ImageFacts, download: str) -> str:
        target = os.path.join(os.path.dirname(download), "raw")
        limit = -(-facts.virtual_size_bytes // _SECTOR) * _SECTOR
        try:
            need = self._tool.measure(download, facts.format)
            self._require_space(image, min(need, limit))
            self._tool.convert_to_raw(download, facts.format, target, limit)
        except exception.CommandTimeout:
            reason = "reading it takes more time than is allowed."
            raise exception.ImageConversionFailed(image_id=image.id, reason=reason) from None
        except exception.CommandFailed:
            reason = f"its {facts.format} contents can not be read within the limits."
            raise exception.ImageConversionFailed(image_id=image.id, reason=reason) from None
        _require_fit(image, os.lstat(target).st_size, limit)
        return target

    def _find(self, path: str) -> BaseImage | None:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise exception.UnsafePath(what="a base image", reason="it is not a plain file.")
        return BaseImage(path=path, size_bytes=status.st_size)

    def _mark_used(self, path: str) -> None:
        """Note the time beside the base, which may belong to the hypervisor's user now."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path + _USED_SUFFIX, flags, 0o600)
        try:
            os.utime(descriptor, (_now_s(), _now_s()))
        finally:
            os.close(descriptor)

    def _require_space(self, image: Image, need_bytes: int) -> None:
        status = os.statvfs(self.directory)
        free = max(0, status.f_bavail * status.f_frsize - self._settings.reserved_bytes)
        if need_bytes > free:
            raise exception.HostStorageFull(
                image_id=image.id, free_bytes=free, need_bytes=need_bytes
            )

    @contextlib.contextmanager
    def _out_of_space(self, image: Image) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise exception.HostStorageFull(
                image_id=image.id, free_bytes=0, need_bytes=image.size_bytes
            ) from None

    @contextlib.contextmanager
    def _work_directory(self) -> Iterator[str]:
        """Give a fresh directory of mode 0700, and remove it with all that is in it."""
        directory = tempfile.mkdtemp(prefix=self._work_prefix(), dir=self.directory)
        try:
            yield directory
        finally:
            shutil.rmtree(directory)

    def _work_prefix(self) -> str:
        return f"{_WORK_PREFIX}{base_name(self._settings.host)[:12]}-"

    @contextlib.contextmanager
    def _exclusive(self, name: str) -> Iterator[None]:
        ensure_directory(os.path.dirname(self.directory), _DIRECTORY_MODE)
        ensure_directory(self.directory, _DIRECTORY_MODE)
        with self._locks.hold(name):
            yield


def _require_fit(image: Image, size_bytes: int, allowed_bytes: int | None) -> None:
    if allowed_bytes is not None and size_bytes > allowed_bytes:
        raise exception.ImageTooLarge(
            image_id=image.id, need_bytes=size_bytes, allowed_bytes=allowed_bytes
        )


def _now_s() -> float:
    return clock.utcnow().replace(tzinfo=datetime.UTC).timestamp()


def _last_used(path: str) -> float:
    for candidate in (path + _USED_SUFFIX, path):
        with contextlib.suppress(FileNotFoundError):
            return os.lstat(candidate).st_mtime
    return 0.0


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
