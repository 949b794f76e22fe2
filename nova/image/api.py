"""What the project asks of an image service."""

from typing import Protocol

from nova.objects.image import Image, ImageChange, ImageQuery, NewImage


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

    def create(self, token: str | None, new: NewImage) -> Image:
        """Make the record of an image that is private to the caller's project and has no data.

        Raises: ImagePropertyRefused, ImageQuotaExceeded, ImageServiceForbidden,
        ImageServiceUnavailable.
        """
        ...

    def update(self, token: str | None, image_id: str, change: ImageChange) -> Image:
        """Change an image; return it as it is then.

        Raises: ImageNotFound, ImagePropertyRefused, ImageBusy, ImageServiceForbidden,
        ImageServiceUnavailable.
        """
        ...

    def upload(self, token: str | None, image_id: str, path: str) -> None:
        """Give an image without data the bytes of a file; it is active afterwards.

        An image that has bytes of this number already is left alone.
        Raises: ImageNotFound, ImageBusy, ImageQuotaExceeded, ImageServiceForbidden,
        ImageServiceUnavailable.
        """
        ...

    def delete(self, token: str | None, image_id: str) -> None:
        """Delete an image in whatever state.

        Raises: ImageNotFound, ImageBusy, ImageServiceForbidden, ImageServiceUnavailable.
        """
        ...

    def page(self, token: str | None, query: ImageQuery) -> tuple[Image, ...]:
        """Return one page of images that the caller can see.

        Raises: MarkerNotFound, ImageServiceForbidden, ImageServiceUnavailable.
        """
        ...

    def url_of(self, image_id: str) -> str:
        """Return the address of an image as the image service's users know it.

        Raises: ImageServiceUnavailable.
        """
        ...
