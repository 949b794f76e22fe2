"""createImage and createBackup: the root disk of a server becomes an image.

Source: virt-driver section 10; compute-api-routes (createImage, createBackup).
"""

import logging
from collections.abc import Callable

from nova import exception
from nova.compute import endings
from nova.compute.networks import Networks
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.compute.power import PowerActions
from nova.compute.uploads import Uploads, explanation
from nova.image.api import ImageService
from nova.objects.action_request import SnapshotRequest
from nova.objects.image import Image, ImageQuery
from nova.objects.instance import Instance
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.objects.operation import Operation
from nova.virt.driver import ComputeDriver, SnapshotFile

LOG = logging.getLogger(__name__)

QUIESCE_PROPERTY = "os_require_quiesce"
_TRUE = frozenset({"yes", "true", "1", "on"})
_PAGE = 1000


def request_of(operation: Operation) -> SnapshotRequest:
    """Return what an operation was asked to make.  Raises: Invalid."""
    request = operation.request.snapshot if operation.request is not None else None
    if request is None:
        raise exception.Invalid(reason=f"Operation {operation.id} names no image.")
    return request


def must_be_quiesced(instance: Instance) -> bool:
    """Tell whether a snapshot is wanted only with the guest's file systems frozen.

    A guest that does not run writes nothing.
    """
    wanted = instance.image_properties.get(QUIESCE_PROPERTY, "").lower() in _TRUE
    return wanted and instance.vm_state is VmState.ACTIVE


class SnapshotActions:
    """Plans of createImage and createBackup on one host.

    The server goes on as it is, whatever happens: what fails or is interrupted leaves no
    image behind, and a guest that was switched off for it is switched on again.
    """

    def __init__(
        self,
        driver: ComputeDriver,
        images: ImageService,
        networks: Networks,
        power: PowerActions,
    ) -> None:
        self._driver = driver
        self._images = images
        self._networks = networks
        self._power = power
        self._uploads = Uploads(driver, images)

    def image_plan(self) -> Plan:
        """Return how an image is made of a server."""
        return Plan(
            event="compute_snapshot_instance",
            task_state=TaskState.IMAGE_SNAPSHOT,
            work=lambda running: self._take(running, self._copy),
            explain=lambda running, error: self._failure(running, error, "The snapshot"),
            discard=self._uploads.take_back,
            undo=self._undo,
        )

    def stopped_image_plan(self) -> Plan:
        """Return how an image is made of a server that runs, but not while it is copied."""
        return Plan(
            event="compute_snapshot_instance",
            task_state=TaskState.POWERING_OFF,
            work=lambda running: self._take(running, self._copy_stopped),
            explain=lambda running, error: self._stopped_failure(
                running, explanation("The snapshot", error)
            ),
            discard=self._uploads.take_back,
            undo=self._undo_stopped,
        )

    def backup_plan(self) -> Plan:
        """Return how a backup is made, and older ones go."""
        return Plan(
            event="compute_backup_instance",
            task_state=TaskState.IMAGE_BACKUP,
            work=lambda running: self._take(running, self._copy),
            explain=lambda running, error: self._failure(running, error, "The backup"),
            discard=self._uploads.take_back,
            settle=self._rotate,
            undo=self._undo,
        )

    def _take(self, running: Running, copy: Callable[[Running], SnapshotFile]) -> Outcome:
        try:
            image_id = request_of(running.operation).image_id
            file = copy(running)
            running.step(TaskState.IMAGE_UPLOADING)
            self._uploads.upload(running.instance, image_id, file)
            running.check()
        except Exception:
            self._uploads.take_back(running)
            raise
        return endings.outcome(self._driver, running)

    def _copy(self, running: Running) -> SnapshotFile:
        running.step(TaskState.IMAGE_PENDING_UPLOAD)
        instance = running.instance
        return self._driver.snapshot(instance, quiesce=must_be_quiesced(instance))

    def _copy_stopped(self, running: Running) -> SnapshotFile:
        """Copy the disk of a guest that is off, and switch it on again, whatever happens.

        It does not wait for the upload, which may take long.
        """
        instance = running.instance
        try:
            self._power.shut_down(instance)
            running.step(TaskState.IMAGE_SNAPSHOT)
            file = self._driver.snapshot(instance)
            running.step(TaskState.POWERING_ON)
        except Exception:
            if not running.cancelled:
                self._switch_on(running)
            raise
        self._driver.power_on(instance)
        return file

    def _switch_on(self, running: Running) -> None:
        """Switch a guest on after something has failed; what fails now too is only logged.

        Its network is seen to first: its host may have been restarted.
        """
        try:
            self._networks.setup(running.context, running.instance)
            self._driver.power_on(running.instance)
        except exception.NovaException:
            LOG.exception("Instance %s can not be started again", running.instance.uuid)

    def _undo_stopped(self, running: Running) -> Failure:
        """Remove what is there of the image, and switch the guest on."""
        self._uploads.take_back(running)
        self._switch_on(running)
        return self._stopped_failure(running, endings.INTERRUPTED)

    def _stopped_failure(self, running: Running, message: str) -> Failure:
        """Return a failure that tells of a guest that has stayed off."""
        power_state = endings.power_state_if_known(self._driver, running.instance)
        is_off = power_state in (PowerState.SHUTDOWN, PowerState.CRASHED)
        return Failure(
            message=message,
            power_state=power_state,
            vm_state=VmState.STOPPED if is_off else None,
        )

    def _undo(self, running: Running) -> Failure:
        self._uploads.take_back(running)
        return Failure(message=endings.INTERRUPTED)

    def _failure(self, running: Running, error: Exception, what: str) -> Failure:
        power_state = endings.power_state_if_known(self._driver, running.instance)
        return Failure(message=explanation(what, error), power_state=power_state)

    # --- Rotation

    def _rotate(self, running: Running) -> None:
        """Delete the oldest backups of the server, of the same type, beyond the rotation.

        Only images of the project that owns the new one count: anybody may give an image of
        his own the properties of a backup.
        """
        request = request_of(running.operation)
        if request.rotation is None:
            return
        try:
            for image in self._backups(running.instance, request)[request.rotation :]:
                LOG.info("Backup %s of instance %s goes", image.id, running.instance.uuid)
                self._uploads.delete(image.id)
        except exception.NovaException as error:
            LOG.warning("Backups of %s are not rotated: %s", running.instance.uuid, error)

    def _backups(self, instance: Instance, request: SnapshotRequest) -> list[Image]:
        """Return the complete backups, newest first."""
        owner = self._images.get(None, request.image_id).owner
        query = ImageQuery(
            owner=owner,
            statuses=("active",),
            properties={
                "image_type": "backup",
                "backup_type": request.backup_type or "",
                "instance_uuid": instance.uuid,
            },
            limit=_PAGE,
        )
        found = [image for image in self._images.page(None, query) if image.owner == owner]
        # Of two that were made in the same second the one that was just made is the newer.
        return sorted(
            found,
            key=lambda image: (_made_at(image), image.id == request.image_id),
            reverse=True,
        )


def _made_at(image: Image) -> str:
    return "" if image.created_at is None else image.created_at.isoformat()
