"""The checksums that S3 knows, computed while bytes pass by."""

import base64
import hashlib
import zlib
from collections.abc import Callable
from typing import Protocol

from awscrt import checksums


class Digest(Protocol):
    """Sums up bytes."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """Return the sum."""


class _Crc:
    """A CRC; add: goes on from the sum of what came before."""

    def __init__(self, add: Callable[[bytes, int], int], width: int) -> None:
        self._add, self._width = add, width
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._add(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width // 8, "big")


ALGORITHMS: dict[str, Callable[[], Digest]] = {
    "crc32": lambda: _Crc(zlib.crc32, 32),
    "crc32c": lambda: _Crc(checksums.crc32c, 32),
    "crc64nvme": lambda: _Crc(checksums.crc64nvme, 64),
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
}


def text_of(digest: Digest) -> str:
    """Return a sum as headers carry it."""
    return base64.b64encode(digest.digest()).decode()
