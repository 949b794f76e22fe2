"""The archive in a bundle: one regular file, and nothing that only looks like it.

A reader of its own, because the library's keeps headers of any size in memory, follows maps of
holes in circles, and knows many more kinds of members than may be here.
Source: GNU tar manual, "Basic Tar Format" and "Storing Sparse Files".
"""

import dataclasses
import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from nova.exception import BundleUnacceptable
from nova.image.bundle.holes import CHUNK_BYTES, write_sparse

BLOCK = 512
_MAX_NAME_BYTES = 4096
_MAX_PAX_BYTES = 64 * 1024
_MAX_EXTENTS = 200_000
_PAX_RECORD = re.compile(rb"([1-9][0-9]{0,6}) ([^=\n]+)=")
# Keys of extended headers that change nothing of the content.
_PAX_HARMLESS = re.compile(
    r"path|[acm]time|[ug]id|[ug]name|comment|(?:LIBARCHIVE|SCHILY)\.(?!realsize)[A-Za-z._]+"
)
_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE)


@dataclasses.dataclass(slots=True)
class _Member:
    """The file in the archive; extents: offset and length of what is no hole."""

    size: int
    extents: list[tuple[int, int]]


def extract(archive: BinaryIO, sink: BinaryIO, size_bytes: int) -> None:
    """Write the one file of an archive, of a known size, to a new file.

    Raises: BundleUnacceptable.
    """
    member = _member(archive)
    if member.size != size_bytes:
        raise _bad("its archive holds a file of another size than its manifest says")
    for offset, length in member.extents:
        sink.seek(offset)
        for chunk in _read(archive, length):
            write_sparse(sink, chunk)
    stored = sum(length for _, length in member.extents)
    _exactly(archive, -stored % BLOCK)
    sink.truncate(size_bytes)
    while rest := archive.read(CHUNK_BYTES):
        if rest.strip(b"\0"):
            raise _bad("its archive holds more than one file")


def _bad(what: str) -> BundleUnacceptable:
    return BundleUnacceptable(reason=f"{what}.")


def _exactly(archive: BinaryIO, count: int) -> bytes:
    content = archive.read(count)
    if len(content) != count:
        raise _bad("its archive ends too early")
    return content


def _read(archive: BinaryIO, count: int) -> Iterator[bytes]:
    while count:
        chunk = _exactly(archive, min(count, CHUNK_BYTES))
        count -= len(chunk)
        yield chunk


def _member(archive: BinaryIO) -> _Member:
    """Read all that comes before the content."""
    name: str | None = None
    size: int | None = None
    seen: set[bytes] = set()
    while True:
        block = _exactly(archive, BLOCK)
        header = _header(block)
        if header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE) and header.type not in seen:
            seen.add(header.type)
            if header.type == tarfile.GNUTYPE_LONGNAME:
                name = _long_name(archive, header.size)
            else:
                records = _pax_records(archive, header.size)
                name = records.get("path", name)
                size = int(records["size"]) if "size" in records else size
            continue
        _check_name(header.name if name is None else name)
        if header.type in _REGULAR:
            length = header.size if size is None else size
            return _Member(length, [(0, length)])
        if header.type == tarfile.GNUTYPE_SPARSE and size is None:
            return _sparse(archive, block, header.size)
        raise _bad("its archive holds something that is no regular file")


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        raise _bad("its archive has a header that can not be read") from None


def _check_name(name: str) -> None:
    """Refuse names that are more than that of a file here, though nobody writes to them."""
    plain = name.removeprefix("./")
    if plain in ("", ".", "..") or "/" in plain or "\\" in plain or "\0" in plain:
        raise _bad("its archive holds a file with a path for a name")


def _padded(archive: BinaryIO, size: int, maximum: int) -> bytes:
    if not 0 <= size <= maximum:
        raise _bad("its archive has a header that is too long")
    return _exactly(archive, size + -size % BLOCK)[:size]


def _long_name(archive: BinaryIO, size: int) -> str:
    content = _padded(archive, size, _MAX_NAME_BYTES)
    return content.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _pax_records(archive: BinaryIO, size: int) -> dict[str, str]:
    """Return the records of an extended header; maps of holes in it are refused."""
    content = _padded(archive, size, _MAX_PAX_BYTES)
    records: dict[str, str] = {}
    position = 0
    while position < len(content):
        match = _PAX_RECORD.match(content, position)
        end = position + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(content) or content[end - 1] != 0x0A:
            raise _bad("its archive has an extended header that can not be read")
        key = match[2].decode("utf-8", "surrogateescape")
        value = content[match.end() : end - 1].decode("utf-8", "surrogateescape")
        if key in records or not (_PAX_HARMLESS.fullmatch(key) or _is_size(key, value)):
            raise _bad("its archive has an extended header that is not allowed")
        records[key] = value
        position = end
    return records


def _is_size(key: str, value: str) -> bool:
    return key == "size" and value.isascii() and value.isdigit() and len(value) <= 15


def _sparse(archive: BinaryIO, block: bytes, stored: int) -> _Member:
    """Read the map of a file with holes; it has to ascend, fit, and tell of all that is stored."""
    size = _number(block[483:495])
    pairs = _pairs(block[386:482])
    more = block[482]
    while more:
        if len(pairs) > _MAX_EXTENTS:
            raise _bad("its archive holds a file with too many holes")
        block = _exactly(archive, BLOCK)
        pairs += _pairs(block[:504])
        more = block[504]
    extents = [(offset, length) for offset, length in pairs if length]
    end = 0
    for offset, length in extents:
        if offset < end:
            raise _bad("its archive holds a file whose holes overlap")
        end = offset + length
    if end > size or sum(length for _, length in extents) != stored:
        raise _bad("its archive holds a file whose holes do not fit")
    return _Member(size, extents)


def _pairs(table: bytes) -> list[tuple[int, int]]:
    return [
        (_number(table[at : at + 12]), _number(table[at + 12 : at + 24]))
        for at in range(0, len(table), 24)
    ]


def _number(field: bytes) -> int:
    """Return a number of a header: octal, or binary after a byte 0x80."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:])
    text = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]*", text):
        raise _bad("its archive has a header that can not be read")
    return int(text or b"0", 8)
