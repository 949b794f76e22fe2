"""Formats that are recognised only to be refused."""

from nova.image.inspector import qcow2
from nova.image.inspector.reader import Reader

_AT_START = {
    "qcow (version 1)": qcow2.MAGIC + b"\0\0\0\1",
    "qed": b"QED\0",
    "parallels": b"WithoutFreeSpace",
    "parallels (extended)": b"WithouFreSpacExt",
    "bochs": b"Bochs Virtual HD Image",
    "cloop": b"#!/bin/sh\n#V2.0 Format\n",
    "user-mode-linux cow": b"OOOM",
    "user-mode-linux cow (old)": b"MOOO",
    "vmdk (space efficient)": b"\xbe\xba\xfe\xca\0\0\0\0",
}
_DMG_TRAILER = b"koly"
_DMG_TRAILER_BYTES = 512


def find(reader: Reader) -> list[str]:
    """Return the names of all refused formats that the bytes look like."""
    head = reader.read_at(0, 64)
    found = [name for name, magic in _AT_START.items() if head.startswith(magic)]
    if reader.read_at(reader.size - _DMG_TRAILER_BYTES, 4) == _DMG_TRAILER:
        found.append("dmg")
    return found
