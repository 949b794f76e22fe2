"""An image service in memory, for tests and for clouds without Glance."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator

from nova import exception
from nova.image import transfer
from nova.objects.image import Image

_PUBLIC = {"public", "community"}


def _project_of_noauth_token(token: str) -> str:
    return token.rpartition(":")[2]


class MemoryImageService:
    """Images with their bytes.

    project_of maps a token to its project; by default the part after the colon, which is
    the form of the noauth2 strategy.
    """

    def __init__(self, project_of: Callable[[str], str] = _project_of_noauth_token) -> None:
        self._project_of = project_of
        self._images: dict[str, Image] = {}
        self._content: dict[str, bytes] = {}
        self._members: dict[str, frozenset[str]] = {}

    def add(self, image: Image, content: bytes, members: frozenset[str] = frozenset()) -> Image:
        """Store an image; size and strong checksum are filled in where missing."""
        stored = dataclasses.replace(
            image,
            size_bytes=len(content) if image.size_bytes is None else image.size_bytes,
            os_hash_algo=image.os_hash_algo or "sha512",
            os_hash_value=image.os_hash_value or hashlib.sha512(content).hexdigest(),
        )
        self._images[image.id] = stored
        self._content[image.id] = content
        self._members[image.id] = members
        return stored

    def remove(self, image_id: str) -> None:
        """Forget an image."""
        self._images.pop(image_id, None)
        self._content.pop(image_id, None)

    def corrupt(self, image_id: str) -> None:
        """Flip one bit of the bytes, as a faulty disk or line would."""
        content = self._content[image_id]
        middle = len(content) // 2
        flipped = bytes([content[middle] ^ 1])
        self._content[image_id] = content[:middle] + flipped + content[middle + 1 :]

    def get(self, token: str | None, image_id: str) -> Image:
        """Return an image.

        Raises: ImageNotFound.
        """
        image = self._images.get(image_id)
        if image is None or not self._visible(token, image):
            raise exception.ImageNotFound(image_id=image_id)
        return image

    def download(
        self, token: str | None, image: Image, path: str, max_bytes: int | None = None
    ) -> None:
        """Write the bytes to a new file and verify them.

        Raises: ImageNotFound, ImageNotActive, ImageUnacceptable, ImageCorrupt.
        """
        self.get(token, image.id)
        transfer.write_verified(self._chunks(image.id), image, path, max_bytes)

    def _chunks(self, image_id: str) -> Iterator[bytes]:
        content = self._content[image_id]
        for start in range(0, len(content), transfer.CHUNK_BYTES):
            yield content[start : start + transfer.CHUNK_BYTES]

    def _visible(self, token: str | None, image: Image) -> bool:
        if token is None or image.visibility in _PUBLIC:
            return True
        project = self._project_of(token)
        return project == image.owner or (
            image.visibility == "shared" and project in self._members[image.id]
        )
