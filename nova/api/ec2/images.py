"""Images: those of the image service that the caller can see.

Source: ec2-api, sections 5, 6.2 and 7; objectstore-cert, section 2.3.
"""

from collections.abc import Mapping
from typing import Any

from nova import exception
from nova.api.core import snapshots
from nova.api.core.bundles import BundleWish
from nova.api.ec2 import ids, instance_lookup
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.filters import Filters, Values, no_tags, told
from nova.api.ec2.image_views import (
    described,
    id_of,
    mappings_of,
    needed,
    root_device,
)
from nova.api.ec2.params import BOOLEAN, TEXT, Param, invalid, one_of
from nova.objects.image import Image, ImageChange, ImageQuery
from nova.objects.instance import Instance
from nova.objects.lifecycle import STOPPED_IMAGE, VmState
from nova.objects.unset import UNSET

images = Family()

IMAGE = Param("ImageId", type=TEXT, required=True)
SELF, ALL = "self", "all"
PUBLIC, PRIVATE = "public", "private"
_MAX_NAMED = 200
_LONGEST_NAME = 255
_LAUNCH = "launchPermission"


Document = Mapping[str, Any]


def _told(name: str) -> Values[Document]:
    return lambda document: told(document, name)


_FILTERS: Filters[Document] = Filters(
    {
        "architecture": _told("architecture"),
        "block-device-mapping.device-name": lambda document: [
            one["deviceName"] for one in document["blockDeviceMapping"]
        ],
        "creation-date": _told("creationDate"),
        "description": _told("description"),
        "image-id": _told("imageId"),
        "image-type": _told("imageType"),
        "is-public": _told("isPublic"),
        "kernel-id": _told("kernelId"),
        "manifest-location": _told("imageLocation"),
        "name": _told("name"),
        "owner-id": _told("imageOwnerId"),
        "ramdisk-id": _told("ramdiskId"),
        "root-device-name": _told("rootDeviceName"),
        "root-device-type": _told("rootDeviceType"),
        "state": _told("imageState"),
        "state-reason-code": lambda document: told(document, "stateReason", "code"),
        "state-reason-message": lambda document: told(document, "stateReason", "message"),
        "virtualization-type": _told("virtualizationType"),
    },
    tags=no_tags,
    # Of what this cloud has none, or tells nothing.
    nothing=(
        "block-device-mapping.",
        "boot-mode",
        "ena-support",
        "free-tier-eligible",
        "hypervisor",
        "image-allowed",
        "image-watermark.",
        "instance-type-specification.",
        "owner-alias",
        "platform",
        "product-code",
        "product-code.type",
        "public-ssm-parameter-name",
        "scan-result.",
        "source-image-id",
        "source-image-region",
        "source-instance-id",
        "sriov-net-support",
    ),
)


@images.action(
    "DescribeImages",
    Param("ImageId", type=TEXT, many=True),
    Param("Owner", type=TEXT, many=True),
    Param("ExecutableBy", type=TEXT, many=True),
    policy=None,
    filtered=True,
    paged=True,
)
def describe_images(call: Ec2Call) -> Result:
    """Tell of images."""
    wanted = _FILTERS.read(call.params["Filter"])
    found, token = _page(call)
    numbers = _numbers(call, found)
    documents = [described(image, numbers) for image in found if _is_wanted(call, image)]
    shown = [document for document in documents if _FILTERS.accept(wanted, document)]
    return {"imagesSet": shown, "nextToken": token}


def _page(call: Ec2Call) -> tuple[list[Image], str | None]:
    """Return the images that a request names, else one page of all; and what follows."""
    given = call.params["ImageId"]
    if given:
        if len(given) > _MAX_NAMED:
            raise invalid("ImageId", f"there may be {_MAX_NAMED} at most")
        return [image for image, _id in _resolve(call, given)], None
    limit, marker = call.page()
    query = ImageQuery(limit=limit, marker=marker)
    try:
        found = call.services.images.page(call.token, query)
    except exception.MarkerNotFound as error:
        raise invalid("NextToken", "what it names is gone") from error
    more = found[-1].id if len(found) == limit else None
    return list(found), call.next_token(more)


def _numbers(call: Ec2Call, found: list[Image]) -> Mapping[str, int]:
    names = {name for image in found for name in needed(image)}
    return call.ec2.number_images(call.context, tuple(sorted(names))) if names else {}


def _is_wanted(call: Ec2Call, image: Image) -> bool:
    """Tell whether an image has one of the owners, and one of those who may start it."""
    project_id = call.context.project_id or ""
    owners = [project_id if one == SELF else one for one in call.params["Owner"]]
    if owners and image.owner not in owners:
        return False
    people = call.params["ExecutableBy"]
    return not people or (ALL if image.visibility == PUBLIC else SELF) in people


def _resolve(call: Ec2Call, given: tuple[str, ...]) -> list[tuple[Image, str]]:
    """Return images by their ids.  Raises: Ec2IdMalformed, Ec2IdNotFound, image errors."""
    numbers = {text: ids.number_of(ids.MACHINE, text, others=ids.IMAGES) for text in given}
    uuids = call.ec2.images_of_numbers(call.context, tuple(numbers.values()))
    found = []
    for text, number in numbers.items():
        image = _get(call, uuids.get(number), text)
        if not text.startswith(f"{ids.image_prefix(image.container_format)}-"):
            raise exception.Ec2IdNotFound(kind=ids.MACHINE, given=text)
        found.append((image, text))
    return found


def _get(call: Ec2Call, image_id: str | None, text: str) -> Image:
    """Return an image that the caller can see.  Raises: Ec2IdNotFound, image errors."""
    missing = exception.Ec2IdNotFound(kind=ids.MACHINE, given=text)
    if image_id is None:
        raise missing
    try:
        with ids.image_named(image_id, text):
            return call.services.images.get(call.token, image_id)
    except exception.ImageNotFound as error:
        raise missing from error


def _named(call: Ec2Call) -> tuple[Image, str]:
    (found,) = _resolve(call, (call.params["ImageId"],))
    return found


@images.action(
    "DescribeImageAttribute",
    IMAGE,
    Param("Attribute", type=TEXT, required=True),
    policy=None,
)
def describe_image_attribute(call: Ec2Call) -> Result:
    """Tell one thing of an image."""
    image, given = _named(call)
    numbers = _numbers(call, [image])
    whole = described(image, numbers)
    attribute = call.params["Attribute"]
    values: Mapping[str, Any] = {
        _LAUNCH: [{"group": ALL}] if image.visibility == PUBLIC else [],
        "blockDeviceMapping": mappings_of(image),
        "rootDeviceName": root_device(image),
        "kernel": {"value": whole["kernelId"]},
        "ramdisk": {"value": whole["ramdiskId"]},
        "description": {"value": whole["description"]},
    }
    if attribute not in values:
        raise exception.Ec2AttributeInvalid(name=attribute)
    return {"imageId": given, attribute: values[attribute]}


_PERMISSIONS = tuple(
    Param(name, many=True, fields=(Param("Group", type=TEXT), Param("UserId", type=TEXT)))
    for name in ("Add", "Remove")
)


@images.action(
    "ModifyImageAttribute",
    IMAGE,
    Param("Attribute", type=TEXT),
    Param("OperationType", type=one_of("add", "remove")),
    Param("UserGroup", type=TEXT, many=True),
    Param("LaunchPermission", fields=_PERMISSIONS),
    Param("Description", fields=(Param("Value", type=TEXT),)),
    policy=None,
    changes=True,
)
def modify_image_attribute(call: Ec2Call) -> Result:
    """Say whether everybody may start an image, or describe it."""
    image, given = _named(call)
    change = _change(call.params)
    with ids.image_named(image.id, given):
        call.services.images.update(call.token, image.id, change)
    return None


def _change(params: Mapping[str, Any]) -> ImageChange:
    """Return what a request changes, in the older words or today's.

    Raises: Ec2AttributeInvalid, Ec2ParameterMissing, Ec2NotSupported.
    """
    if params["Description"] is not None:
        return ImageChange(set_properties={"description": params["Description"]["Value"] or ""})
    if params["Attribute"] not in (None, _LAUNCH):
        raise exception.Ec2AttributeInvalid(name=params["Attribute"])
    added, removed = _groups(params)
    if not added and not removed:
        raise exception.Ec2ParameterMissing(name="LaunchPermission")
    if {*added, *removed} != {ALL}:
        raise exception.Ec2NotSupported(what="permissions of anybody but the group all")
    return ImageChange(visibility=PUBLIC if added else PRIVATE)


def _groups(params: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the groups that may start an image from now on, and those that may not."""
    if params["OperationType"] is not None:
        groups = list(params["UserGroup"])
        return (groups, []) if params["OperationType"] == "add" else ([], groups)
    permission = params["LaunchPermission"] or {"Add": (), "Remove": ()}
    added, removed = (
        [one["Group"] or one["UserId"] or "" for one in permission[name]]
        for name in ("Add", "Remove")
    )
    return added, removed


@images.action(
    "UpdateImage",
    IMAGE,
    Param("DisplayName", type=TEXT),
    Param("DisplayDescription", type=TEXT),
    policy=None,
    changes=True,
)
def update_image(call: Ec2Call) -> Result:
    """Give an image another name, or another description."""
    name, text = _checked_name(call.params["DisplayName"]), call.params["DisplayDescription"]
    change = ImageChange(
        name=UNSET if name is None else name,
        set_properties={} if text is None else {"description": text},
    )
    image, given = _named(call)
    with ids.image_named(image.id, given):
        call.services.images.update(call.token, image.id, change)
    return None


@images.action(
    "ResetImageAttribute",
    IMAGE,
    Param("Attribute", type=one_of(_LAUNCH), required=True),
    policy=None,
    changes=True,
)
def reset_image_attribute(call: Ec2Call) -> Result:
    """Let nobody but the owner start an image."""
    image, given = _named(call)
    with ids.image_named(image.id, given):
        call.services.images.update(call.token, image.id, ImageChange(visibility=PRIVATE))
    return None


@images.action("DeregisterImage", IMAGE, policy=None, changes=True)
def deregister_image(call: Ec2Call) -> Result:
    """Delete an image."""
    image, given = _named(call)
    with ids.image_named(image.id, given):
        call.services.images.delete(call.token, image.id)
    return None


@images.action(
    "RegisterImage",
    Param("ImageLocation", type=TEXT),
    Param("Name", type=TEXT),
    Param("Description", type=TEXT),
    Param("RootDeviceName", type=TEXT),
    policy=None,
    changes=True,
)
def register_image(call: Ec2Call) -> Result:
    """Make an image of a bundle in the object store; its state tells how far that is."""
    location = call.params["ImageLocation"] or call.params["Name"]
    if not location:
        raise exception.Ec2ParameterMissing(name="ImageLocation")
    given = {
        "description": call.params["Description"],
        "root_device_name": call.params["RootDeviceName"],
    }
    wish = BundleWish(
        location=location,
        name=_checked_name(call.params["Name"]),
        properties={name: text for name, text in given.items() if text},
        image_id_of=lambda text: _get_part(call, text).id,
    )
    return {"imageId": _new_id(call, call.bundles.register(call.context, call.token, wish))}


def _get_part(call: Ec2Call, text: str) -> Image:
    ((image, _id),) = _resolve(call, (text,))
    return image


def _new_id(call: Ec2Call, image: Image) -> str:
    return id_of(image, call.ec2.number_images(call.context, (image.id,)))


def _checked_name(name: str | None) -> str | None:
    """Return the name of an image as it may be.  Raises: Ec2ParameterInvalid."""
    if name is not None and (not 0 < len(name) <= _LONGEST_NAME or not name.isprintable()):
        raise invalid("Name", f"it has up to {_LONGEST_NAME} printable characters")
    return name


@images.action(
    "CreateImage",
    Param("InstanceId", type=TEXT, required=True),
    Param("Name", type=TEXT, required=True),
    Param("Description", type=TEXT),
    Param("NoReboot", type=BOOLEAN, default=False),
    policy="servers:create_image",
    changes=True,
)
def create_image(call: Ec2Call) -> Result:
    """Make an image of an instance's disk.

    The instance is shut down for as long as the disk is copied, unless NoReboot is asked for:
    then its file systems are frozen for a moment where its guest agent answers.
    """
    given = call.params["InstanceId"]
    instance = instance_lookup.live(call, given)
    text = call.params["Description"]
    wish = snapshots.SnapshotWish(
        action=_snapshot_action(call, instance),
        name=_checked_name(call.params["Name"]),
        metadata={"description": text} if text else {},
        not_inherited=call.settings.non_inheritable_image_properties,
    )
    services = snapshots.SnapshotServices(
        instances=call.conductor.instances, images=call.services.images, token=call.token
    )
    with instance_lookup.named(instance):
        image_id = snapshots.begin(call.context, services, call.scope, instance.uuid, wish)
    numbers = call.ec2.number_images(call.context, (image_id,))
    return {"imageId": ids.compose(ids.MACHINE, numbers[image_id])}


def _snapshot_action(call: Ec2Call, instance: Instance) -> str:
    """Return the action that makes an image as it is asked for.  Raises: PolicyNotAuthorized."""
    if call.params["NoReboot"] or instance.vm_state is VmState.STOPPED:
        return "createImage"
    call.authorize("servers:stop")
    call.authorize("servers:start")
    return STOPPED_IMAGE
