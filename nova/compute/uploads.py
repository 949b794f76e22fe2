"""The contents of root disks on their way into images."""

import logging

from nova import exception
from nova.compute.operations import Running
from nova.image.api import ImageService
from nova.objects.image import ImageChange
from nova.objects.instance import Instance
from nova.objects.operation import ABANDONED_IMAGE, Operation
from nova.virt.driver import ComputeDriver, SnapshotFile

LOG = logging.getLogger(__name__)

CONTAINER_FORMAT = "bare"


class Uploads:
    """Fills image records that were made with the user's token.

    The service's own credentials are used: a host never has a user's token.
    """

    def __init__(self, driver: ComputeDriver, images: ImageService) -> None:
        self._driver = driver
        self._images = images

    def is_complete(self, image_id: str) -> bool:
        """Tell whether an image has its contents already.

        Raises: ImageNotFound, ImageServiceForbidden, ImageServiceUnavailable.
        """
        return self._images.get(None, image_id).status == "active"

    def upload(self, instance: Instance, image_id: str, file: SnapshotFile) -> None:
        """Fill an image from a file, and delete the file.  Raises: image errors."""
        change = ImageChange(disk_format=file.disk_format, container_format=CONTAINER_FORMAT)
        try:
            self._images.update(None, image_id, change)
            self._images.upload(None, image_id, file.path)
        finally:
            self.discard_file(instance)

    def discard_file(self, instance: Instance) -> None:
        """Delete the file of an instance's snapshot, if there is one; failures are logged."""
        try:
            self._driver.discard_snapshot(instance)
        except (exception.NovaException, OSError) as error:
            LOG.warning("Instance %s: its snapshot file stays: %s", instance.uuid, error)

    def delete(self, image_id: str) -> None:
        """Delete an image, if it is there; failures are logged."""
        try:
            self._images.delete(None, image_id)
        except exception.ImageNotFound:
            LOG.info("Image %s is gone already", image_id)
        except exception.NovaException as error:
            LOG.warning("Image %s stays, delete it by hand: %s", image_id, error)

    def take_back(self, running: Running) -> None:
        """Remove file and image of an operation that comes to nothing."""
        self.discard_file(running.instance)
        request = running.operation.request
        if request is not None and request.snapshot is not None:
            self.delete(request.snapshot.image_id)

    def delete_shelved(self, running: Running) -> None:
        """Delete the image that a server was shelved to, of which it has no more need."""
        image_id = running.instance.shelved_image_id
        if image_id is not None:
            self.delete(image_id)

    def delete_abandoned(self, operation: Operation) -> None:
        """Delete the image that was being made when an operation, a deletion, ended that."""
        image_id = operation.arguments.get(ABANDONED_IMAGE)
        if image_id is not None:
            self.delete(image_id)


def explanation(action: str, error: Exception) -> str:
    """Return what the tenant may know of an error on the way into an image."""
    if isinstance(error, exception.GuestAgentUnavailable):
        return f"{action} failed: the guest could not be quiesced."
    if isinstance(error, exception.ImageNotFound):
        return f"{action} failed: its image was deleted meanwhile."
    if isinstance(error, exception.ImageQuotaExceeded):
        return f"{action} failed: {error}"
    if isinstance(error, exception.ImageServiceUnavailable | exception.ImageServiceForbidden):
        return f"{action} failed: the image service did not take the contents."
    return f"{action} failed: the disk of the server could not be copied."
