"""Images that requests name, looked up with the caller's own rights."""

from nova import exception
from nova.image.api import ImageService
from nova.objects.action_request import ImageChoice
from nova.objects.image import Image

ACTIVE = "active"


def usable(token: str | None, image_id: str | None, images: ImageService) -> Image:
    """Return an image if the caller can see and use it.

    Raises: InvalidInput, RequestedImageNotFound, ImageNotActive, ImageServiceForbidden,
    ImageServiceUnavailable.
    """
    if token is None or image_id is None:
        raise exception.InvalidInput(reason="An image and a token to read it are needed.")
    try:
        image = images.get(token, image_id)
    except exception.ImageNotFound as error:
        raise exception.RequestedImageNotFound(image_id=image_id) from error
    if image.status != ACTIVE:
        raise exception.ImageNotActive(image_id=image.id, status=image.status)
    return image


def choice(token: str | None, image_id: str | None, images: ImageService) -> ImageChoice:
    """Return what a host needs to know of an image.  Raises: as usable()."""
    image = usable(token, image_id, images)
    return ImageChoice(
        image_ref=image.id,
        properties=image.properties,
        kernel_id=image.kernel_id,
        ramdisk_id=image.ramdisk_id,
        min_ram_mb=image.min_ram_mb,
        min_disk_gb=image.min_disk_gb,
        size_bytes=image.size_bytes or 0,
    )
