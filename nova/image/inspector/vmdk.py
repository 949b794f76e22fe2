"""VMDK: only one-file sparse disks whose single extent is the file itself.

Source: VMware, "Virtual Disk Format 5.0".
"""

import re
import struct

from nova.image.inspector.reader import BadImage, Reader, exactly, require_inside

MAGIC = b"KDMV"
MAGIC_ESX = b"COWD"

_SECTOR = 512
_HEADER = struct.Struct("<4sIIQQQQIQQQBccccH")
_GRAINS_AT_END = 0xFFFFFFFFFFFFFFFF
_FOOTER_FROM_END = 2 * _SECTOR
_TABLE_ENTRIES = 512
_MAX_GRAIN_SECTORS = 2048
_MAX_DESCRIPTOR_BYTES = 20 * _SECTOR
_MAX_TEXT_SEARCH = 4096

_CREATE_TYPES = {"monolithicSparse", "streamOptimized"}
# Tools search the whole text for some of these, comments included.
_ONCE = ("# disk descriptorfile", "createtype", "parentcid")
_KNOWN_KEYS = {"version", "encoding", "CID", "parentCID", "isNativeSnapshot", "createType"}
_SETTING = re.compile(r'([A-Za-z][A-Za-z0-9_.]*)\s*=\s*("?)([^"]*)\2')
_EXTENT = re.compile(r'(?:RW|RDONLY) ([0-9]{1,18}) SPARSE "([^"/\\:]{1,255})"')
_EXTENT_LIKE = re.compile(r"(?:RW|RDONLY|NOACCESS)\b", re.IGNORECASE)
_NO_PARENT = "ffffffff"


def matches(reader: Reader) -> bool:
    """Tell whether this is any kind of VMDK, a bare descriptor included."""
    head = reader.read_at(0, _MAX_TEXT_SEARCH)
    return head[:4] in (MAGIC, MAGIC_ESX) or _is_bare_descriptor(head)


def _is_bare_descriptor(head: bytes) -> bool:
    """Tell whether the text before anything else is a descriptor, as tools guess it."""
    if head.lstrip().lower().startswith(b"# disk descriptorfile"):
        return True
    for line in head.splitlines():
        if line.startswith(b"#") or not line.strip(b" "):
            continue
        return re.fullmatch(rb"version\s*=\s*[0-9]+\s*", line) is not None
    return False


def virtual_size(reader: Reader) -> int:
    """Return the size of the disk in bytes.

    Raises: BadImage.
    """
    raw = exactly(reader, 0, _SECTOR, "vmdk header")
    if raw[:4] != MAGIC:
        raise BadImage("only vmdk images of one sparse file can be used")
    header = _HEADER.unpack_from(raw)
    (
        _,
        version,
        _flags,
        capacity,
        grain,
        descriptor_at,
        descriptor_size,
        entries,
        _,
        directory_at,
    ) = header[:10]
    if version not in (1, 2, 3):
        raise BadImage(f"vmdk version {version} is not known")
    if not 0 < capacity < 1 << 53:
        raise BadImage("its virtual size is out of range")
    if not 1 <= grain <= _MAX_GRAIN_SECTORS or grain & (grain - 1) or entries != _TABLE_ENTRIES:
        raise BadImage("its grain table geometry is out of range")
    if header[16] > 1:
        raise BadImage("its compression is not known")
    if directory_at == _GRAINS_AT_END:
        directory_at = _check_footer(reader, raw)
    directory_bytes = -(-capacity // (grain * entries)) * 4
    if not directory_at:
        raise BadImage("its grain directory is missing")
    require_inside(reader, directory_at * _SECTOR, directory_bytes, "grain directory")
    _check_descriptor(_descriptor(reader, descriptor_at, descriptor_size), int(capacity))
    return int(capacity) * _SECTOR


def _check_footer(reader: Reader, header: bytes) -> int:
    """Return where the grain directory is; everything else must be as in the header."""
    footer = exactly(reader, reader.size - _FOOTER_FROM_END, _SECTOR, "vmdk footer")
    field = slice(56, 64)
    if header[: field.start] + header[field.stop :] != footer[: field.start] + footer[field.stop :]:
        raise BadImage("its vmdk footer differs from its header")
    return int.from_bytes(footer[field], "little")


def _descriptor(reader: Reader, sector: int, sectors: int) -> str:
    """Return the text of the embedded descriptor, which must follow the header directly."""
    length = sectors * _SECTOR
    if sector != 1 or not 0 < length <= _MAX_DESCRIPTOR_BYTES:
        raise BadImage("its vmdk descriptor is missing or not where it belongs")
    area = exactly(reader, _SECTOR, length, "vmdk descriptor")
    text, _, rest = area.partition(b"\0")
    if rest.strip(b"\0"):
        raise BadImage("there is something behind its vmdk descriptor")
    if b"parentfilename" in reader.read_at(_SECTOR, _MAX_DESCRIPTOR_BYTES).lower():
        raise BadImage("it refers to a parent disk")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise BadImage("its vmdk descriptor is not text") from None


def _check_descriptor(text: str, capacity: int) -> None:
    """Accept known settings, each once, and one extent: this very file."""
    settings: dict[str, str] = {}
    extents: list[str] = []
    for line in (each.strip() for each in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if _EXTENT_LIKE.match(line):
            extents.append(line)
            continue
        setting = _SETTING.fullmatch(line)
        key = setting[1] if setting else ""
        if setting is None or key in settings or not (key in _KNOWN_KEYS or key.startswith("ddb.")):
            raise BadImage("its vmdk descriptor has a line that can not be accepted")
        settings[key] = setting[3]
    if any(text.lower().count(word) > 1 for word in _ONCE):
        raise BadImage("its vmdk descriptor says something twice")
    if settings.get("createType") not in _CREATE_TYPES:
        raise BadImage("only the vmdk types monolithicSparse and streamOptimized can be used")
    if settings.get("parentCID", _NO_PARENT).lower() != _NO_PARENT:
        raise BadImage("it refers to a parent disk")
    extent = _EXTENT.fullmatch(extents[0]) if len(extents) == 1 else None
    if extent is None or extent[2] in (".", "..") or int(extent[1]) != capacity:
        raise BadImage("its vmdk descriptor must name exactly one extent, the file itself")
