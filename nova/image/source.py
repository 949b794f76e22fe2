"""Images for a host: downloaded with the service's credentials, and inspected."""

import os

from nova import exception
from nova.image.api import ImageService
from nova.image.inspector import verdict
from nova.objects.image import Image, ImageFacts


class CheckedImages:
    """The only way by which bytes of images reach a host.

    A file that it leaves behind is verified, of the declared format and free of references.
    """

    def __init__(self, service: ImageService) -> None:
        self._service = service

    def get(self, image_id: str) -> Image:
        """Return what the catalogue says.

        Raises: ImageNotFound, ImageServiceUnavailable.
        """
        return self._service.get(None, image_id)

    def fetch(self, image: Image, path: str, max_bytes: int | None = None) -> ImageFacts:
        """Write the bytes to a new file in a private directory and judge them.

        On any error the file is removed.
        Raises: image errors, ImageUnacceptable above all.
        """
        self._service.download(None, image, path, max_bytes)
        try:
            with open(path, "rb") as file:
                facts = verdict.inspect(file, image.id)
            verdict.check(facts, image.disk_format, image.id)
        except BaseException:
            os.unlink(path)
            raise
        return facts


def check_bootable(image: Image) -> None:
    """Refuse early, from the catalogue alone, what could never boot.

    Raises: ImageNotActive, ImageUnacceptable.
    """
    if image.status != "active":
        raise exception.ImageNotActive(image_id=image.id, status=image.status)
    if image.disk_format not in verdict.BOOTABLE_FORMATS:
        reason = f"the disk format {image.disk_format} can not be booted."
        raise exception.ImageUnacceptable(image_id=image.id, reason=reason)
