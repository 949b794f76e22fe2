"""A server's directory put aside while a copy of it is tried out; crash-safe.

Beside the server's directory there may be: one put aside, one that is being made, one that
is being removed.  Each change of what is in force is one rename, so that whatever the moment
of a crash, repeating the call, or calling back(), leads on from there.
"""

import os
from collections.abc import Callable, Sequence

from nova.virt.libvirt import limited, paths
from nova.virt.libvirt.disk import remove_tree

_NOTE = "resize.info"
_DIRECTORY_MODE = 0o711
_FILE_MODE = 0o600
_COPY_LIMITS = limited.Limits(cpu_s=1800, wall_s=1800)


class Aside:
    """The directories of one server."""

    def __init__(self, root: str, instance_uuid: str) -> None:
        self._own = paths.instance_directory(root, instance_uuid)
        self._aside = self._own + paths.ASIDE
        self._unfinished = self._own + paths.UNFINISHED
        self._doomed = self._own + paths.DOOMED

    def is_there(self) -> bool:
        """Tell whether anything is put aside."""
        return os.path.isdir(self._aside)

    def put(self, purpose: str, make_copy: Callable[[str, str], None]) -> None:
        """Put the directory aside, with a copy in its place; done already is fine.

        purpose: distinguishes what is put aside now from what was forgotten earlier.
        make_copy: gets the directory and an empty one to be filled.
        Raises: DriverError; what make_copy raises.
        """
        if self.is_there():
            if os.path.isdir(self._own) and self._is_for(purpose):
                return
            self._settle()
        remove_tree(self._unfinished)
        paths.ensure_directory(self._unfinished, _DIRECTORY_MODE)
        make_copy(self._own, self._unfinished)
        with open(os.path.join(self._own, _NOTE), "w", encoding="utf-8") as file:
            file.write(purpose)
        os.rename(self._own, self._aside)
        os.rename(self._unfinished, self._own)

    def drop(self) -> None:
        """Delete what was put aside; nothing being there is fine.  Raises: DriverError."""
        remove_tree(self._doomed)
        if self.is_there():
            os.rename(self._aside, self._doomed)
            remove_tree(self._doomed)

    def back(self) -> None:
        """Put back what was put aside, and delete the copy; done already is fine.

        Raises: DriverError.
        """
        if self.is_there():
            if os.path.isdir(self._own):
                remove_tree(self._doomed)
                os.rename(self._own, self._doomed)
            os.rename(self._aside, self._own)
        remove_tree(self._doomed)
        remove_tree(self._unfinished)

    def _is_for(self, purpose: str) -> bool:
        try:
            with open(os.path.join(self._aside, _NOTE), encoding="utf-8") as file:
                return file.read() == purpose
        except FileNotFoundError:
            return False

    def _settle(self) -> None:
        """Give up what an earlier use left aside, unless it is all there is."""
        if os.path.isdir(self._own):
            self.drop()
        else:
            self.back()


def copy_files(source: str, target: str, names: Sequence[str]) -> None:
    """Copy files as they are, holes too, and wait until they are on the disk.

    No tool looks into them: what a guest wrote there means nothing.
    Raises: CommandFailed, CommandTimeout, UnsafePath.
    """
    area = paths.Area(source)
    for name in names:
        path = os.path.join(target, name)
        options = ["--sparse=always", "--reflink=auto", "--no-dereference"]
        origin = area.existing(os.path.join(source, name))
        limited.run(["cp", *options, "--", origin, path], _COPY_LIMITS)
        paths.set_mode(path, _FILE_MODE)
        limited.run(["sync", "--", path], _COPY_LIMITS)
