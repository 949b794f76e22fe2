"""Images as EC2 tells of them.

Source: ec2-api, sections 4.1 and 6.2.
"""

import json
from collections.abc import Mapping
from typing import Any

from nova.api.core import bundles
from nova.api.ec2 import ids
from nova.objects.image import Image

MACHINE, KERNEL, RAMDISK = "machine", "kernel", "ramdisk"
_TYPES = {ids.MACHINE: MACHINE, ids.KERNEL: KERNEL, ids.RAMDISK: RAMDISK}
_STATES = {
    "active": "available",
    **dict.fromkeys(("queued", "saving", "uploading", "importing"), "pending"),
    "killed": "failed",
}


def state_of(image: Image) -> str:
    """Return an image's state: that of its registration, else of its bytes."""
    if bundles.STATE in image.properties:
        shown = bundles.state_shown(image)
        if shown != bundles.AVAILABLE:
            return shown
    return _STATES.get(image.status, image.status)


def id_of(image: Image, numbers: Mapping[str, int]) -> str:
    """Return the id of an image."""
    return ids.compose(ids.image_prefix(image.container_format), numbers[image.id])


def type_of(image: Image) -> str:
    """Return what an image is for: machine, kernel or ramdisk."""
    return _TYPES[ids.image_prefix(image.container_format)]


def needed(image: Image) -> tuple[str, ...]:
    """Return the images whose numbers are told with an image, itself among them."""
    return tuple(one for one in (image.id, image.kernel_id, image.ramdisk_id) if one)


def root_device(image: Image) -> str:
    """Return the name of the disk that an image becomes."""
    return image.properties.get("root_device_name") or "/dev/vda"


def mappings_of(image: Image) -> list[dict[str, str]]:
    """Return the devices that a bundle names for what its guest gets."""
    text = image.properties.get("mappings")
    if text is None:
        return []
    try:
        pairs = json.loads(text)
        return [
            {"deviceName": str(one["device"]), "virtualName": str(one["virtual"])} for one in pairs
        ]
    except (ValueError, TypeError, KeyError, RecursionError):
        # A property that somebody gave the image, and no mapping of ours.
        return []


def described(image: Image, numbers: Mapping[str, int]) -> dict[str, Any]:
    """Return what is told of an image; numbers: of all that needed() names."""
    return {
        "imageId": id_of(image, numbers),
        "imageLocation": image.properties.get("image_location")
        or f"{image.owner or ''}/{image.name or image.id}",
        "imageState": state_of(image),
        "stateReason": _reason(image),
        "imageOwnerId": image.owner,
        "isPublic": image.visibility == "public",
        "architecture": image.properties.get("architecture")
        or image.properties.get("hw_architecture"),
        "imageType": type_of(image),
        "kernelId": _part(ids.KERNEL, image.kernel_id, numbers),
        "ramdiskId": _part(ids.RAMDISK, image.ramdisk_id, numbers),
        "name": image.name,
        "description": image.properties.get("description"),
        "creationDate": image.created_at,
        "rootDeviceName": root_device(image),
        "rootDeviceType": "instance-store",
        "virtualizationType": "hvm",
        "blockDeviceMapping": mappings_of(image),
        "tagSet": [],
    }


def _reason(image: Image) -> dict[str, str] | None:
    """Return why a registration has failed."""
    why = bundles.failure_of(image)
    return None if why is None else {"code": image.properties[bundles.STATE], "message": why}


def _part(prefix: str, image_id: str | None, numbers: Mapping[str, int]) -> str | None:
    number = numbers.get(image_id or "")
    return None if number is None else ids.compose(prefix, number)
