"""VHDX.

Source: Microsoft, [MS-VHDX] "Virtual Hard Disk v2 (VHDX) File Format".
"""

import struct
import uuid

from nova.image.inspector.reader import BadImage, Reader, exactly, require_inside

MAGIC = b"vhdxfile"

_KIB = 1024
_REGION_TABLES_AT = (192 * _KIB, 256 * _KIB)
_REGION_TABLE_BYTES = 64 * _KIB
_METADATA_TABLE_BYTES = 64 * _KIB
_MAX_ENTRIES = 2047
_MAX_BYTES = 64 << 40
_TABLE = struct.Struct("<4sIII")
_ENTRY = struct.Struct("<16sQII")
_METADATA = struct.Struct("<8sHH")
_ITEM = struct.Struct("<16sIII")
_ITEM_REQUIRED = 4
_HAS_PARENT = 2

_REGION_BAT = uuid.UUID("2dc27766-f623-4200-9d64-115e9bfd4a08").bytes_le
_REGION_METADATA = uuid.UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
_FILE_PARAMETERS = uuid.UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
_DISK_SIZE = uuid.UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
_PARENT_LOCATOR = uuid.UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c").bytes_le
_KNOWN_ITEMS = {
    _FILE_PARAMETERS,
    _DISK_SIZE,
    uuid.UUID("beca12ab-b2e6-4523-93ef-c309e000c746").bytes_le,
    uuid.UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f").bytes_le,
    uuid.UUID("cda348c7-445d-4471-9cc9-e9885251c556").bytes_le,
}


def matches(reader: Reader) -> bool:
    """Tell whether the file identifier is there."""
    return reader.read_at(0, 8) == MAGIC


def virtual_size(reader: Reader) -> int:
    """Return the size of the disk in bytes.

    Raises: BadImage.
    """
    regions = _regions(reader)
    items = _items(reader, *regions[_REGION_METADATA])
    if _PARENT_LOCATOR in items:
        raise BadImage("it refers to a parent disk")
    block_bytes, flags = struct.unpack("<II", _item(reader, items, _FILE_PARAMETERS, 8))
    if flags & _HAS_PARENT:
        raise BadImage("it refers to a parent disk")
    size = int.from_bytes(_item(reader, items, _DISK_SIZE, 8), "little")
    if not 0 < size <= _MAX_BYTES:
        raise BadImage("its virtual size is out of range")
    if not 1 << 20 <= block_bytes <= 256 << 20 or block_bytes & (block_bytes - 1):
        raise BadImage("its vhdx block size is out of range")
    if regions[_REGION_BAT][1] < -(-size // block_bytes) * 8:
        raise BadImage("its vhdx block table is too small for its virtual size")
    return size


def _regions(reader: Reader) -> dict[bytes, tuple[int, int]]:
    """Return offset and length by region; the two copies of the table must agree."""
    table, copy = (
        exactly(reader, at, _REGION_TABLE_BYTES, "vhdx region table") for at in _REGION_TABLES_AT
    )
    signature, _checksum, count, _ = _TABLE.unpack_from(table)
    if signature != b"regi" or table != copy:
        raise BadImage("its vhdx region tables are missing or differ")
    if count > _MAX_ENTRIES:
        raise BadImage("its vhdx region table has too many entries")
    regions: dict[bytes, tuple[int, int]] = {}
    for index in range(count):
        name, offset, length, _required = _ENTRY.unpack_from(
            table, _TABLE.size + index * _ENTRY.size
        )
        if name in regions or name not in (_REGION_BAT, _REGION_METADATA):
            raise BadImage("its vhdx region table has entries that are not known")
        require_inside(reader, offset, length, "vhdx region")
        regions[name] = (offset, length)
    if len(regions) != 2:
        raise BadImage("its vhdx region tables are missing or differ")
    return regions


def _items(reader: Reader, offset: int, length: int) -> dict[bytes, tuple[int, int]]:
    """Return offset in the file and length by metadata item."""
    table = exactly(reader, offset, min(length, _METADATA_TABLE_BYTES), "vhdx metadata")
    if len(table) < _METADATA_TABLE_BYTES:
        raise BadImage("its vhdx metadata is too short")
    signature, _, count = _METADATA.unpack_from(table)
    if signature != b"metadata" or count > _MAX_ENTRIES:
        raise BadImage("its vhdx metadata can not be read")
    items: dict[bytes, tuple[int, int]] = {}
    for index in range(count):
        name, at, size, flags = _ITEM.unpack_from(table, 32 + index * 32)
        if name in items or (
            flags & _ITEM_REQUIRED and name not in _KNOWN_ITEMS | {_PARENT_LOCATOR}
        ):
            raise BadImage("its vhdx metadata has items that are not known")
        if at + size > length:
            raise BadImage("its vhdx metadata lies outside its region")
        items[name] = (offset + at, size)
    return items


def _item(reader: Reader, items: dict[bytes, tuple[int, int]], name: bytes, length: int) -> bytes:
    at, size = items.get(name, (0, 0))
    if size < length:
        raise BadImage("its vhdx metadata is incomplete")
    return exactly(reader, at, length, "vhdx metadata")
