"""The checksums that S3 knows, computed while bytes pass by."""

import base64
import hashlib
import zlib
from collections.abc import Callable
from typing import Protocol


class Digest(Protocol):
    """Sums up bytes."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """Return the sum."""


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


class _TableCrc:
    """A reflected CRC, byte by byte: the standard library has no other than CRC32."""

    def __init__(self, table: tuple[int, ...], width: int) -> None:
        self._table, self._width = table, width
        self._mask = (1 << width) - 1
        self._value = self._mask

    def update(self, data: bytes, /) -> None:
        value, table = self._value, self._table
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self) -> bytes:
        return (self._value ^ self._mask).to_bytes(self._width // 8, "big")


def _table(polynomial: int) -> tuple[int, ...]:
    entries = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        entries.append(value)
    return tuple(entries)


_CRC32C = _table(0x82F63B78)
_CRC64NVME = _table(0x9A6C9329AC4BC9B5)

ALGORITHMS: dict[str, Callable[[], Digest]] = {
    "crc32": _Crc32,
    "crc32c": lambda: _TableCrc(_CRC32C, 32),
    "crc64nvme": lambda: _TableCrc(_CRC64NVME, 64),
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
}


def text_of(digest: Digest) -> str:
    """Return a sum as headers carry it."""
    return base64.b64encode(digest.digest()).decode()
