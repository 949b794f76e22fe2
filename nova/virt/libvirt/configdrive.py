"""Write config drives: small ISO 9660 disks with the metadata of one server."""

import os
import shutil
import tempfile

from nova import exception
from nova.virt.libvirt import limited

VOLUME_LABEL = "config-2"

_PUBLISHER = "OpenStack Nova"
_MODE = 0o600


def write(path: str, files: dict[str, bytes], program: str = "genisoimage") -> None:
    """Make a config drive at path, in place of an earlier one.

    files: contents by relative path.  The drive may hold passwords: only the service and,
    while the guest runs, the hypervisor can read it.
    Raises: UnsafePath, CommandFailed, CommandTimeout.
    Source: environment, guest image; virt-driver, section 7.
    """
    work = tempfile.mkdtemp(prefix=".config-", dir=os.path.dirname(path))
    try:
        tree = os.path.join(work, "tree")
        os.mkdir(tree, 0o700)
        for name, content in files.items():
            _write_file(tree, name, content)
        image = os.path.join(work, "image")
        limited.run([program, "-quiet", "-o", image, *_options(), tree], limited.Limits())
        os.chmod(image, _MODE)
        os.rename(image, path)
    finally:
        shutil.rmtree(work)


def _options() -> list[str]:
    """Return options for long lower-case names, with Joliet and Rock Ridge beside them."""
    names = ["-ldots", "-allow-lowercase", "-allow-multidot", "-l"]
    return [*names, "-J", "-r", "-publisher", _PUBLISHER, "-V", VOLUME_LABEL]


def _write_file(tree: str, name: str, content: bytes) -> None:
    if os.path.isabs(name) or os.path.normpath(name) != name or name.startswith(".."):
        raise exception.UnsafePath(what="part of a config drive", reason="it leads elsewhere.")
    path = os.path.join(tree, name)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "xb") as file:
        file.write(content)
