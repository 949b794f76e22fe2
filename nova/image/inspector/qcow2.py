"""QCOW2, versions 2 and 3.

Source: QEMU documentation, "The QCOW2 image format" (docs/interop/qcow2).
"""

import struct

from nova.image.inspector.reader import BadImage, Reader, exactly, require_inside

MAGIC = b"QFI\xfb"

_HEADER_V2 = struct.Struct(">4sIQIIQIIQQIIQ")
_HEADER_V3_TAIL = struct.Struct(">QQQII")
_EXTENSION = struct.Struct(">II")

_DIRTY, _CORRUPT, _DATA_FILE, _COMPRESSION_TYPE, _EXTENDED_L2 = (1 << bit for bit in range(5))
_HARMLESS_INCOMPATIBLE = _DIRTY | _COMPRESSION_TYPE | _EXTENDED_L2
_AUTOCLEAR_RAW_DATA = 1 << 1
_COMPRESSION_TYPES = {0, 1}

_EXTENSION_END = 0
_EXTENSION_DATA_FILE = 0x44415441
_EXTENSION_ENCRYPTION = 0x0537BE77

_MAX_L1_BYTES = 32 * 1024 * 1024
_MAX_REFCOUNT_BYTES = 8 * 1024 * 1024
_MAX_SNAPSHOTS = 65536
_SNAPSHOT_MIN_BYTES = 40


def matches(reader: Reader) -> bool:
    """Tell whether the magic is there, with a version other than that of the old qcow."""
    head = reader.read_at(0, 8)
    return head[:4] == MAGIC and head[4:8] != b"\0\0\0\1"


def virtual_size(reader: Reader) -> int:
    """Return the size of the disk in bytes.

    Raises: BadImage.
    """
    header = exactly(reader, 0, _HEADER_V2.size, "qcow2 header")
    (_, version, backing_offset, backing_size, cluster_bits, size, crypt, l1_entries, l1_offset) = (
        _HEADER_V2.unpack(header)[:9]
    )
    refcount_offset, refcount_clusters, snapshots, snapshots_offset = _HEADER_V2.unpack(header)[9:]
    if version not in (2, 3):
        raise BadImage(f"qcow2 version {version} is not known")
    if backing_offset or backing_size:
        raise BadImage("it refers to a backing file")
    if crypt:
        raise BadImage("encrypted qcow2 images can not be used")
    if not 9 <= cluster_bits <= 21:
        raise BadImage("its cluster size is out of range")
    header_length = _HEADER_V2.size if version == 2 else _check_version_3(reader, 1 << cluster_bits)
    _check_extensions(reader, header_length, 1 << cluster_bits)
    _check_l1_table(reader, size, cluster_bits, l1_entries, l1_offset)
    refcount_bytes = refcount_clusters << cluster_bits
    if not refcount_bytes or refcount_bytes > _MAX_REFCOUNT_BYTES:
        raise BadImage("the size of its refcount table is out of range")
    _require_table(reader, refcount_offset, refcount_bytes, cluster_bits, "refcount table")
    if snapshots > _MAX_SNAPSHOTS:
        raise BadImage("it has too many snapshots")
    if snapshots:
        _require_table(
            reader,
            snapshots_offset,
            snapshots * _SNAPSHOT_MIN_BYTES,
            cluster_bits,
            "snapshot table",
        )
    return int(size)


def _check_version_3(reader: Reader, cluster_bytes: int) -> int:
    tail = exactly(reader, _HEADER_V2.size, _HEADER_V3_TAIL.size, "qcow2 header")
    incompatible, _compatible, autoclear, refcount_order, header_length = _HEADER_V3_TAIL.unpack(
        tail
    )
    minimum = _HEADER_V2.size + _HEADER_V3_TAIL.size
    if incompatible & _DATA_FILE or autoclear & _AUTOCLEAR_RAW_DATA:
        raise BadImage("it refers to an external data file")
    if incompatible & _CORRUPT:
        raise BadImage("it is marked as corrupt")
    if incompatible & ~_HARMLESS_INCOMPATIBLE:
        raise BadImage("it uses qcow2 features that are not known")
    if refcount_order > 6:
        raise BadImage("its refcount width is out of range")
    if (
        header_length < minimum
        or header_length % 8
        or header_length > min(cluster_bytes, reader.size)
    ):
        raise BadImage("its header length is wrong")
    if incompatible & _COMPRESSION_TYPE and header_length <= minimum:
        raise BadImage("its header length is wrong")
    if (
        header_length > minimum
        and exactly(reader, minimum, 1, "qcow2 header")[0] not in _COMPRESSION_TYPES
    ):
        raise BadImage("its compression type is not known")
    return int(header_length)


def _check_extensions(reader: Reader, offset: int, cluster_bytes: int) -> None:
    """Walk the header extensions, which end with a zero entry inside the first cluster."""
    area = reader.read_at(0, cluster_bytes)
    while offset + _EXTENSION.size <= len(area):
        kind, length = _EXTENSION.unpack_from(area, offset)
        if kind == _EXTENSION_END:
            return
        if kind == _EXTENSION_DATA_FILE:
            raise BadImage("it refers to an external data file")
        if kind == _EXTENSION_ENCRYPTION:
            raise BadImage("encrypted qcow2 images can not be used")
        offset += _EXTENSION.size + (length + 7) // 8 * 8
        if offset > len(area):
            raise BadImage("a header extension lies outside the header")
    if len(area) < cluster_bytes:
        raise BadImage("it ends before the end of its qcow2 header")


def _check_l1_table(
    reader: Reader, size: int, cluster_bits: int, entries: int, offset: int
) -> None:
    """Check the first-level table against the least that the virtual size needs."""
    if size >> 62:
        raise BadImage("its virtual size is out of range")
    reached_bits = 2 * cluster_bits - 3
    if entries < -(-size >> reached_bits):
        raise BadImage("its L1 table is too small for its virtual size")
    if entries * 8 > _MAX_L1_BYTES:
        raise BadImage("its L1 table is too large")
    _require_table(reader, offset, entries * 8, cluster_bits, "L1 table")


def _require_table(reader: Reader, offset: int, length: int, cluster_bits: int, what: str) -> None:
    if offset % (1 << cluster_bits):
        raise BadImage(f"its {what} is not aligned")
    if length and not offset:
        raise BadImage(f"its {what} lies over its header")
    require_inside(reader, offset, length, what)
