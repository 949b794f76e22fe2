"""An image service in memory, for tests and for clouds without Glance."""

import dataclasses
import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator

from nova import clock, exception
from nova.image import transfer
from nova.objects.image import Image, ImageChange, ImageQuery, NewImage, is_free_property
from nova.objects.unset import UNSET

_PUBLIC = {"public", "community"}
ADDRESS = "http://images.invalid"
SERVICE_PROJECT = "service"


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
            created_at=image.created_at or clock.utcnow(),
            updated_at=image.updated_at or clock.utcnow(),
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

    def create(self, token: str | None, new: NewImage) -> Image:
        """Make the record of a private image without data.

        Raises: ImagePropertyRefused.
        """
        _check_names(new.properties)
        now = clock.utcnow()
        image = Image(
            id=str(uuid.uuid4()),
            name=new.name,
            status="queued",
            min_disk_gb=new.min_disk_gb,
            min_ram_mb=new.min_ram_mb,
            owner=SERVICE_PROJECT if token is None else self._project_of(token),
            created_at=now,
            updated_at=now,
            properties=dict(new.properties),
        )
        self._images[image.id] = image
        return image

    def update(self, token: str | None, image_id: str, change: ImageChange) -> Image:
        """Change an image.

        Raises: ImageNotFound, ImagePropertyRefused, ImageBusy, ImageServiceForbidden.
        """
        image = self._own(token, image_id)
        _check_names((*change.set_properties, *change.remove_properties))
        formats = {
            name: value
            for name in ("disk_format", "container_format")
            if (value := getattr(change, name)) is not UNSET
        }
        if formats and image.status != "queued":
            raise exception.ImageServiceForbidden(image_id=image_id)
        if any(name not in image.properties for name in change.remove_properties):
            raise exception.ImageBusy(image_id=image_id)
        kept = {
            name: value
            for name, value in image.properties.items()
            if name not in change.remove_properties
        }
        changed = dataclasses.replace(
            image,
            name=image.name if change.name is UNSET else change.name,
            properties=kept | change.set_properties,
            updated_at=clock.utcnow(),
            visibility=image.visibility if change.visibility is UNSET else change.visibility,
            **formats,
        )
        self._images[image_id] = changed
        return changed

    def upload(self, token: str | None, image_id: str, path: str) -> None:
        """Give an image without data the bytes of a file.

        Raises: ImageNotFound, ImageBusy, ImageServiceForbidden.
        """
        image = self._own(token, image_id)
        if image.status == "active" and image.size_bytes == os.path.getsize(path):
            return
        if image.status != "queued" or not image.disk_format or not image.container_format:
            raise exception.ImageBusy(image_id=image_id)
        with open(path, "rb") as file:
            content = file.read()
        filled = dataclasses.replace(image, status="active", updated_at=clock.utcnow())
        self.add(filled, content)

    def delete(self, token: str | None, image_id: str) -> None:
        """Delete an image.  Raises: ImageNotFound, ImageServiceForbidden."""
        self._own(token, image_id)
        self.remove(image_id)

    def page(self, token: str | None, query: ImageQuery) -> tuple[Image, ...]:
        """Return one page of images that the caller can see, newest first.

        Raises: MarkerNotFound.
        """
        seen = [
            image
            for image in reversed(self._images.values())
            if self._listed(token, image) and _matches(image, query)
        ]
        if query.marker is not None:
            ids = [image.id for image in seen]
            if query.marker not in ids:
                raise exception.MarkerNotFound(marker=query.marker)
            seen = seen[ids.index(query.marker) + 1 :]
        return tuple(seen[: query.limit])

    def url_of(self, image_id: str) -> str:
        """Return an address that nobody serves."""
        return f"{ADDRESS}/images/{image_id}"

    def _own(self, token: str | None, image_id: str) -> Image:
        """Return an image that the caller may change.

        Raises: ImageNotFound, ImageServiceForbidden.
        """
        image = self.get(token, image_id)
        if token is not None and self._project_of(token) != image.owner:
            raise exception.ImageServiceForbidden(image_id=image_id)
        return image

    def _listed(self, token: str | None, image: Image) -> bool:
        """Tell whether an image is in the caller's lists: others' community images are not."""
        if token is not None and image.visibility == "community":
            return self._project_of(token) == image.owner
        return self._visible(token, image)

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


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not is_free_property(name):
            raise exception.ImagePropertyRefused(name=name)


def _matches(image: Image, query: ImageQuery) -> bool:
    wanted = {
        "name": query.name,
        "owner": query.owner,
        "min_disk_gb": query.min_disk_gb,
        "min_ram_mb": query.min_ram_mb,
    }
    changed_at = image.updated_at or image.created_at
    since = query.changes_since
    return (
        all(value is None or getattr(image, name) == value for name, value in wanted.items())
        and (not query.statuses or image.status in query.statuses)
        and (since is None or (changed_at is not None and changed_at >= since))
        and all(image.properties.get(key) == value for key, value in query.properties.items())
    )
