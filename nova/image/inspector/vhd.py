"""VHD (also "vpc"), fixed and dynamic.

Source: Microsoft, "Virtual Hard Disk Image Format Specification", version 1.0.
"""

import struct

from nova.image.inspector.reader import BadImage, Reader, exactly, require_inside

COOKIE = b"conectix"
FOOTER_BYTES = 512

_FOOTER = struct.Struct(">8sIIQI4sI4sQQHBBII")
_DYNAMIC_COOKIE = b"cxsparse"
_DYNAMIC_BYTES = 1024
_DYNAMIC = struct.Struct(">8sQQIIII")
_FIXED_TYPE, _DYNAMIC_TYPE = 2, 3
_MAX_BYTES = 1 << 50
_NO_GEOMETRY = (65535, 16, 255)


def matches(reader: Reader) -> bool:
    """Tell whether a footer stands at the start or at the end."""
    return matches_start(reader) or reader.read_at(reader.size - FOOTER_BYTES, 8) == COOKIE


def matches_start(reader: Reader) -> bool:
    """Tell whether the copy of the footer is there that dynamic disks begin with."""
    return reader.read_at(0, 8) == COOKIE


def virtual_size(reader: Reader) -> int:
    """Return the size of the disk in bytes: the larger of its two statements.

    The largest geometry stands for none, as for disks that are too large for one.
    Raises: BadImage.
    """
    footer = exactly(reader, reader.size - FOOTER_BYTES, FOOTER_BYTES, "vhd footer")
    if matches_start(reader) and reader.read_at(0, FOOTER_BYTES) != footer:
        raise BadImage("its vhd footer and the copy of it differ")
    fields = _FOOTER.unpack_from(footer)
    data_at, current, cylinders, heads, sectors, kind = fields[3], fields[9], *fields[10:14]
    _require_checksum(footer, 64, "vhd footer")
    geometry = (cylinders, heads, sectors)
    by_geometry = 0 if geometry == _NO_GEOMETRY else cylinders * heads * sectors * 512
    size = max(int(current), by_geometry)
    if not 0 < size <= _MAX_BYTES:
        raise BadImage("its virtual size is out of range")
    if kind == _FIXED_TYPE and not matches_start(reader):
        if current > reader.size - FOOTER_BYTES:
            raise BadImage("it is shorter than its vhd footer says")
    elif kind == _DYNAMIC_TYPE and matches_start(reader):
        _check_dynamic(reader, data_at, size)
    else:
        raise BadImage("it is a vhd image that depends on another one, or of an unknown type")
    return size


def _check_dynamic(reader: Reader, offset: int, size: int) -> None:
    header = exactly(reader, offset, _DYNAMIC_BYTES, "vhd header")
    cookie, _next, table_at, _version, entries, block_bytes, _sum = _DYNAMIC.unpack_from(header)
    if cookie != _DYNAMIC_COOKIE:
        raise BadImage("its vhd header is missing")
    if any(header[40:56]) or any(header[64:768]):
        raise BadImage("it refers to a parent disk")
    _require_checksum(header, 36, "vhd header")
    if block_bytes < 512 or block_bytes & (block_bytes - 1) or block_bytes > 256 * 1024 * 1024:
        raise BadImage("its vhd block size is out of range")
    if entries * block_bytes < size:
        raise BadImage("its vhd block table is too small for its virtual size")
    require_inside(reader, table_at, entries * 4, "vhd block table")


def _require_checksum(block: bytes, offset: int, what: str) -> None:
    """Compare with the one's complement of the sum of all other bytes."""
    stated = int.from_bytes(block[offset : offset + 4], "big")
    if (sum(block) - sum(block[offset : offset + 4])) ^ 0xFFFFFFFF != stated:
        raise BadImage(f"the checksum of its {what} is wrong")
