"""Contents without a container: ISO 9660 file systems, LUKS, partition tables.

Source: ECMA-119 section 7; LUKS on-disk format 1.2.3; UEFI specification, chapter 5.
"""

from nova.image.inspector.reader import Reader

LUKS_MAGIC = b"LUKS\xba\xbe"
GPT_MAGIC = b"EFI PART"

_ISO_SECTOR = 2048
_ISO_FIRST_DESCRIPTOR = 16
_ISO_DESCRIPTORS = 16
_ISO_NAMES = (b"CD001", b"BEA01", b"NSR02", b"NSR03", b"CDW02")
_BOOT_SIGNATURE = b"\x55\xaa"


def is_iso(reader: Reader) -> bool:
    """Tell whether a volume descriptor of a CD or DVD is there."""
    first = _ISO_FIRST_DESCRIPTOR * _ISO_SECTOR
    area = reader.read_at(first, _ISO_DESCRIPTORS * _ISO_SECTOR)
    return any(area[at + 1 : at + 6] in _ISO_NAMES for at in range(0, len(area), _ISO_SECTOR))


def is_luks(reader: Reader) -> bool:
    """Tell whether a LUKS header (1 or 2) is there."""
    return reader.read_at(0, len(LUKS_MAGIC)) == LUKS_MAGIC


def partition_table(reader: Reader) -> str | None:
    """Return gpt, mbr or None for what the first sectors hold."""
    if GPT_MAGIC in (reader.read_at(512, 8), reader.read_at(4096, 8)):
        return "gpt"
    sector = reader.read_at(0, 512)
    if sector[510:] != _BOOT_SIGNATURE:
        return None
    entries = [sector[at : at + 16] for at in range(446, 510, 16)]
    plausible = all(entry[0] in (0, 0x80) for entry in entries) and any(
        entry[4] for entry in entries
    )
    return "mbr" if plausible else None
