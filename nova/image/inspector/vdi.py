"""VDI, the disk format of VirtualBox.

Source: QEMU, block/vdi.c (layout of the header).
"""

import struct

from nova.image.inspector.reader import BadImage, Reader, exactly, require_inside

MAGIC = b"\x7f\x10\xda\xbe"
MAGIC_OFFSET = 64

_HEADER_BYTES = 512
_FIELDS = struct.Struct("<III")
_OFFSETS = struct.Struct("<II")
_GEOMETRY = struct.Struct("<IIQIIII")
_VERSION = 0x00010001
_DYNAMIC, _FIXED = 1, 2
_BLOCK_BYTES = 1024 * 1024


def matches(reader: Reader) -> bool:
    """Tell whether the signature is there."""
    return reader.read_at(MAGIC_OFFSET, 4) == MAGIC


def virtual_size(reader: Reader) -> int:
    """Return the size of the disk in bytes.

    Raises: BadImage.
    """
    header = exactly(reader, 0, _HEADER_BYTES, "vdi header")
    version, _, image_type = _FIELDS.unpack_from(header, 68)
    map_at, data_at = _OFFSETS.unpack_from(header, 340)
    sector_bytes, _, size, block_bytes, extra, blocks, allocated = _GEOMETRY.unpack_from(
        header, 360
    )
    if version != _VERSION:
        raise BadImage("its vdi version is not known")
    if image_type not in (_DYNAMIC, _FIXED):
        raise BadImage("it is a vdi image that depends on another one")
    if any(header[424:456]):
        raise BadImage("it refers to a parent or linked disk")
    if sector_bytes != 512 or block_bytes != _BLOCK_BYTES or extra:
        raise BadImage("its vdi geometry is out of range")
    if allocated > blocks or size > blocks * _BLOCK_BYTES:
        raise BadImage("its vdi block counts contradict its virtual size")
    if map_at < _HEADER_BYTES or data_at < map_at + blocks * 4:
        raise BadImage("its vdi block map lies over other data")
    require_inside(reader, map_at, blocks * 4, "vdi block map")
    return int(size)
