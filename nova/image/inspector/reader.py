"""Bounded, random access to the bytes of an image; nothing else may read them."""

import os
from typing import BinaryIO, Protocol, runtime_checkable

MAX_READ_BYTES = 4 * 1024 * 1024


class BadImage(Exception):
    """The image is malformed or unsafe; the text says why in words fit for a user."""


@runtime_checkable
class Reader(Protocol):
    """Bytes of known length."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to length bytes from offset; fewer only at the end."""


class BytesReader:
    """Bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._content = content

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to length bytes from offset."""
        return self._content[offset : offset + length] if offset >= 0 else b""


class FileReader:
    """An open file, read without moving its position."""

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = file.fileno()
        self.size = os.fstat(self._descriptor).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to length bytes from offset."""
        if not 0 <= offset < self.size:
            return b""
        return os.pread(self._descriptor, min(length, self.size - offset), offset)


def exactly(reader: Reader, offset: int, length: int, what: str) -> bytes:
    """Return length bytes from offset.

    Raises: BadImage when they are not all there, or too many to hold.
    """
    if length > MAX_READ_BYTES:
        raise BadImage(f"its {what} is unreasonably large")
    content = reader.read_at(offset, length)
    if len(content) != length:
        raise BadImage(f"it ends before the end of its {what}")
    return content


def require_inside(reader: Reader, offset: int, length: int, what: str) -> None:
    """Raise BadImage unless the range lies inside the file."""
    if offset + length > reader.size:
        raise BadImage(f"its {what} lies outside the file")
