"""Take the bytes of an image into a file, bounded and verified."""

import contextlib
import hashlib
import os
from collections.abc import Iterable

from nova import exception
from nova.objects.image import Image

CHUNK_BYTES = 1024 * 1024
STRONG_ALGORITHMS = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b"})


def require_usable(image: Image, max_bytes: int | None) -> None:
    """Check from the catalogue alone that the bytes can be taken and verified.

    Raises: ImageNotActive, ImageUnacceptable.
    """
    if image.status != "active":
        raise exception.ImageNotActive(image_id=image.id, status=image.status)
    if image.os_hash_algo not in STRONG_ALGORITHMS or not image.os_hash_value:
        reason = "the image service has no strong checksum for it; upload it again."
        raise exception.ImageUnacceptable(image_id=image.id, reason=reason)
    if max_bytes is not None and (image.size_bytes or 0) > max_bytes:
        _refuse_size(image, max_bytes)


def write_verified(
    chunks: Iterable[bytes], image: Image, path: str, max_bytes: int | None = None
) -> None:
    """Write chunks to a new file, zeros as holes; on any error the file is removed.

    Raises: ImageNotActive, ImageUnacceptable, ImageCorrupt.
    """
    require_usable(image, max_bytes)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in _verified(chunks, image, max_bytes):
                if chunk == bytes(len(chunk)):
                    file.seek(len(chunk), os.SEEK_CUR)
                else:
                    file.write(chunk)
            file.truncate()
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        raise


def _verified(chunks: Iterable[bytes], image: Image, max_bytes: int | None) -> Iterable[bytes]:
    """Pass chunks on; stop as soon as there are too many bytes, at the end compare."""
    digest = hashlib.new(image.os_hash_algo or "", usedforsecurity=True)
    limits = [limit for limit in (image.size_bytes, max_bytes) if limit is not None]
    count = 0
    for chunk in chunks:
        count += len(chunk)
        if limits and count > min(limits):
            _refuse_size(image, min(limits))
        digest.update(chunk)
        yield chunk
    wrong_size = image.size_bytes is not None and count != image.size_bytes
    if wrong_size or digest.hexdigest() != (image.os_hash_value or "").lower():
        raise exception.ImageCorrupt(image_id=image.id, algorithm=image.os_hash_algo)


def _refuse_size(image: Image, limit: int) -> None:
    reason = f"it has more than the {limit} bytes that are allowed for it."
    raise exception.ImageUnacceptable(image_id=image.id, reason=reason)
