"""What the project asks of an image service."""

from typing import Protocol

from nova.objects.image import Image


class ImageService(Protocol):
    """Catalogue and bytes of images.

    token is the caller's own; an image it can not see does not exist.  None stands for the
    service's own credentials.
    """

    def get(self, token: str | None, image_id: str) -> Image:
        """Return an image of any status.

        Raises: ImageNotFound, ImageServiceForbidden, ImageServiceUnavailable.
        """
        ...

    def download(
        self, token: str | None, image: Image, path: str, max_bytes: int | None = None
    ) -> None:
        """Write the bytes to a new file of mode 0600 and verify their strong checksum.

        path must not exist, its directory must be private; on any error nothing is left.
        Raises: ImageNotFound, ImageNotActive, ImageUnacceptable, ImageCorrupt,
        ImageServiceForbidden, ImageServiceUnavailable.
        """
        ...
