"""Images made of servers: what is not HTTP about it.

The record of an image is made with the user's own token, so that the image is the user's;
the server's host fills it with the service's credentials.
"""

import contextlib
import dataclasses
import logging
from collections.abc import Mapping, Sequence

from nova import exception
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.context import RequestContext
from nova.image.api import ImageService
from nova.objects.action_request import ActionRequest, SnapshotRequest
from nova.objects.image import Image, NewImage, is_free_property
from nova.objects.instance import Instance, Scope
from nova.objects.lifecycle import ACTIONS, PUBLIC_ACTION_NAMES, STOPPED_IMAGE, TaskState, VmState

LOG = logging.getLogger(__name__)

MAX_NAME = 255
SHELVED = "-shelved"
SNAPSHOT, BACKUP = "snapshot", "backup"

# What an image says about its own making; a copy of it was made otherwise.
_OF_THE_MAKING = frozenset(
    {
        "base_image_ref",
        "image_type",
        "backup_type",
        "instance_uuid",
        "user_id",
        "owner_id",
        "image_state",
        "image_location",
    }
)
_NOT_INHERITED_PREFIXES = ("img_signature", "instance_type_")
_TRUE = frozenset({"yes", "true", "1", "on"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotWish:
    """An image that shall be made of a server.

    action: createImage, createImageStopped, createBackup or shelve.  name None: made from
    the server's.
    not_inherited: properties of the server's image that the new one does not get.
    """

    action: str
    name: str | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    backup_type: str | None = None
    rotation: int | None = None
    not_inherited: Sequence[str] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotServices:
    """What makes snapshots possible: conductor, images, and the caller's token for these."""

    instances: ConductorInstances
    images: ImageService
    token: str | None


def begin(
    context: RequestContext,
    services: SnapshotServices,
    scope: Scope,
    instance_uuid: str,
    wish: SnapshotWish,
) -> str:
    """Make the record of an image and begin to fill it; return the image's id.

    Raises: InstanceNotFound, InstanceInvalidState, InstanceIsLocked, InstanceNotReady,
    QuiesceNotSupported, ImagePropertyRefused, image errors.
    """
    instance = services.instances.get(context, scope, instance_uuid)
    _check_state(instance, wish.action)
    _check_quiesce(instance, wish.action)
    new = _new_image(context, instance, wish, _base_image(services, instance))
    image_id = services.images.create(services.token, new).id
    request = SnapshotRequest(
        image_id=image_id,
        name=new.name,
        backup_type=wish.backup_type,
        rotation=wish.rotation,
    )
    try:
        services.instances.begin_action(
            context, scope, instance.uuid, wish.action, request=ActionRequest(snapshot=request)
        )
    except exception.Unavailable:
        # The conductor may have begun all the same; its host needs the image.
        raise
    except exception.NovaException:
        delete_image(services.images, services.token, image_id)
        raise
    return image_id


def delete_image(images: ImageService, token: str | None, image_id: str) -> None:
    """Delete an image that nobody needs; a failure is only logged."""
    try:
        with contextlib.suppress(exception.ImageNotFound):
            images.delete(token, image_id)
    except exception.NovaException as error:
        LOG.warning("Image %s stays behind: %s", image_id, error)


def forget_shelved(images: ImageService, token: str | None, instance: Instance) -> None:
    """Delete the image of a shelved server whose deletion has begun, for good."""
    if instance.shelved_image_id is None or instance.task_state is TaskState.SOFT_DELETING:
        return
    delete_image(images, token, instance.shelved_image_id)


def _check_state(instance: Instance, name: str) -> None:
    """Refuse early what the conductor would refuse, before an image is made.

    Raises: InstanceInvalidState.
    """
    action = ACTIONS[name]
    for attribute, accepted in (
        ("vm_state", action.vm_states),
        ("task_state", action.task_states),
    ):
        state = getattr(instance, attribute)
        if state not in accepted:
            raise exception.InstanceInvalidState(
                action=PUBLIC_ACTION_NAMES.get(name, name),
                instance_uuid=instance.uuid,
                attribute=attribute,
                state=str(state),
            )


def _check_quiesce(instance: Instance, action: str) -> None:
    """Refuse a snapshot that has to be quiesced of a guest that has no agent for it.

    Raises: QuiesceNotSupported.
    """
    if action in ("shelve", STOPPED_IMAGE) or instance.vm_state is not VmState.ACTIVE:
        return
    properties = instance.image_properties
    if _is_true(properties, "os_require_quiesce") and not _is_true(
        properties, "hw_qemu_guest_agent"
    ):
        raise exception.QuiesceNotSupported(instance_uuid=instance.uuid)


def _is_true(properties: Mapping[str, str], name: str) -> bool:
    return properties.get(name, "").lower() in _TRUE


def _base_image(services: SnapshotServices, instance: Instance) -> Image | None:
    """Return the image that a server was made from, if there still is one for the caller."""
    if instance.image_ref is None:
        return None
    try:
        return services.images.get(services.token, instance.image_ref)
    except (exception.ImageNotFound, exception.ImageServiceForbidden):
        return None


def _new_image(
    context: RequestContext, instance: Instance, wish: SnapshotWish, base: Image | None
) -> NewImage:
    """Return the image to be made.  Raises: ImagePropertyRefused."""
    for name in wish.metadata:
        if not is_free_property(name):
            raise exception.ImagePropertyRefused(name=name)
    return NewImage(
        name=wish.name or instance.display_name[: MAX_NAME - len(SHELVED)] + SHELVED,
        # The disk has the size that the flavor gave it, whatever the image was.
        min_disk_gb=max(instance.flavor.root_gb, base.min_disk_gb if base is not None else 0),
        min_ram_mb=base.min_ram_mb if base is not None else 0,
        properties={
            **_inherited(instance, wish.not_inherited),
            **wish.metadata,
            **_of_the_making(context, instance, wish),
        },
    )


def _inherited(instance: Instance, not_inherited: Sequence[str]) -> dict[str, str]:
    left_out = {*_OF_THE_MAKING, *not_inherited}
    return {
        name: value
        for name, value in instance.image_properties.items()
        if name not in left_out
        and is_free_property(name)
        and not name.startswith(_NOT_INHERITED_PREFIXES)
    }


def _of_the_making(
    context: RequestContext, instance: Instance, wish: SnapshotWish
) -> dict[str, str]:
    """Return what tells backups from others; users can name another type than a backup's only."""
    named = wish.metadata.get("image_type", BACKUP)
    ordinary = SNAPSHOT if named == BACKUP else named
    written = {
        "image_type": BACKUP if wish.action == "createBackup" else ordinary,
        "instance_uuid": instance.uuid,
        "user_id": context.user_id or "",
        "owner_id": context.project_id or "",
        "image_state": "available",
        "image_location": "snapshot",
    }
    if instance.image_ref is not None:
        written["base_image_ref"] = instance.image_ref
    if wish.backup_type is not None:
        written["backup_type"] = wish.backup_type
    return written
