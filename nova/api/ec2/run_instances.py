"""RunInstances: a wish in the words of EC2, made into one in those of nova.api.core.boot.

Source: ec2-api, sections 5 and 6.1; client-calls, section 6.
"""

import base64
import dataclasses
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from nova import exception
from nova.api.core import boot, passwords
from nova.api.ec2 import ids, tags
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.instance_lookup import query
from nova.api.ec2.instance_views import reservation
from nova.api.ec2.instances import all_shown
from nova.api.ec2.params import BASE64, BOOLEAN, INTEGER, TEXT, Param, integer, invalid, one_of
from nova.objects.ec2 import BootMaterial, BootNames
from nova.objects.instance import ClientToken, Scope

run = Family()

_ZERO_DISK = "servers:create:zero_disk_flavor"
_LONGEST_TOKEN = 64
_MOST = 10**6
# Names by which clients say that there is none.
_NO_IMAGE = ("", "nokernel")

BLOCK_DEVICES = Param(
    "BlockDeviceMapping",
    many=True,
    fields=(
        Param("DeviceName", type=TEXT),
        Param("VirtualName", type=TEXT),
        Param("NoDevice", type=TEXT),
        Param(
            "Ebs",
            fields=(
                Param("SnapshotId", type=TEXT),
                Param("VolumeSize", type=INTEGER),
                Param("DeleteOnTermination", type=BOOLEAN),
            ),
        ),
    ),
)


@run.action(
    "RunInstances",
    Param("ImageId", type=TEXT, required=True),
    Param("MinCount", type=integer(1, _MOST), default=1),
    Param("MaxCount", type=integer(1, _MOST)),
    Param("InstanceType", type=TEXT),
    Param("KeyName", type=TEXT),
    Param("SecurityGroup", type=TEXT, many=True),
    Param("SecurityGroupId", type=TEXT, many=True),
    Param("UserData", type=BASE64),
    Param("KernelId", type=TEXT),
    Param("RamdiskId", type=TEXT),
    Param("Placement", fields=(Param("AvailabilityZone", type=TEXT),)),
    BLOCK_DEVICES,
    Param("InstanceInitiatedShutdownBehavior", type=one_of("stop", "terminate"), default="stop"),
    Param("DisableApiTermination", type=BOOLEAN, default=False),
    Param("ClientToken", type=TEXT),
    Param("SubnetId", type=TEXT),
    Param("PrivateIpAddress", type=TEXT),
    tags.SPECIFICATIONS,
    policy="servers:create",
    changes=True,
)
def run_instances(call: Ec2Call) -> Result:
    """Make instances, and tell of them as they are then."""
    _refuse_unsupported(call.params)
    wish = _wish(call, call.ec2.boot_material(call.context, _names(call)))
    boot.authorize(call, wish)
    try:
        made = boot.create_servers(
            call.context, call.token, wish, call.services.images, call.conductor.instances
        )
    except exception.RequestedImageNotFound as error:
        raise _no_image(call.params["ImageId"]) from error
    return _made(call, made.reservation_id)


def _made(call: Ec2Call, reservation_id: str) -> Result:
    own = query(call, Scope(project_id=call.context.project_id))
    asked = dataclasses.replace(own, exact={"reservation_id": (reservation_id,)})
    shown = all_shown(call, call.ec2.page_instances(call.context, asked))
    if not shown:
        # Those of a client token that ended long ago.
        return {
            "reservationId": reservation_id,
            "ownerId": call.context.project_id,
            "groupSet": [],
            "instancesSet": [],
        }
    return reservation(shown)


def _refuse_unsupported(params: Mapping[str, Any]) -> None:
    """Raises: Ec2NotSupported."""
    unsupported = {
        "instances that end when they are shut down": (
            params["InstanceInitiatedShutdownBehavior"] == "terminate"
        ),
        "a subnet": params["SubnetId"],
        "an address of one's own choice": params["PrivateIpAddress"],
        "volumes": any(device["Ebs"] for device in params["BlockDeviceMapping"]),
    }
    for what, wanted in unsupported.items():
        if wanted:
            raise exception.Ec2NotSupported(what=what)


# --- Names ----------------------------------------------------------------------------------


def _names(call: Ec2Call) -> BootNames:
    """Return what a request names.  Raises: Ec2IdMalformed."""
    params = call.params
    images = [_image_number(prefix, text) for prefix, text in _images(params) if text]
    groups = [ids.number_of(ids.GROUP, text) for text in params["SecurityGroupId"]]
    return BootNames(
        project_id=call.context.project_id or "",
        flavor_name=params["InstanceType"] or call.settings_ec2.default_flavor,
        image_numbers=tuple(images),
        group_numbers=tuple(groups),
        all_flavors=call.context.is_admin,
    )


def _images(params: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Return the images of a request with their prefixes: machine, kernel, RAM disk."""
    others = [params["KernelId"], params["RamdiskId"]]
    kernel, ramdisk = (None if text in _NO_IMAGE else text for text in others)
    return [(ids.MACHINE, params["ImageId"]), (ids.KERNEL, kernel), (ids.RAMDISK, ramdisk)]


def _image_number(prefix: str, text: str) -> int:
    """Return the number of an image's id.  Raises: Ec2IdMalformed."""
    return ids.number_of(prefix, text)


def _image(material: BootMaterial, prefix: str, text: str | None) -> str | None:
    """Return the image that an id stands for.  Raises: Ec2IdNotFound."""
    if text is None:
        return None
    found = material.images.get(_image_number(prefix, text))
    if found is None:
        raise _no_image(text)
    return found


def _no_image(text: str) -> exception.Ec2IdNotFound:
    return exception.Ec2IdNotFound(kind=ids.MACHINE, given=text)


def _groups(material: BootMaterial, params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the security groups.  Raises: Ec2IdNotFound."""
    names = list(params["SecurityGroup"])
    for text in params["SecurityGroupId"]:
        name = material.groups.get(ids.number_of(ids.GROUP, text))
        if name is None:
            raise exception.Ec2IdNotFound(kind=ids.GROUP, given=text)
        names.append(name)
    return tuple(names)


# --- The wish -------------------------------------------------------------------------------


def _wish(call: Ec2Call, material: BootMaterial) -> boot.BootWish:
    """Return what is wished for.  Raises: Ec2IdNotFound, Ec2ParameterInvalid."""
    params = call.params
    if material.flavorid is None:
        raise invalid("InstanceType", f"there is no type {params['InstanceType']}")
    image, kernel, ramdisk = (_image(material, prefix, text) for prefix, text in _images(params))
    metadata = tags.for_instances(params["TagSpecification"])
    placement = params["Placement"] or {}
    return boot.BootWish(
        name=metadata.get("Name") or f"Server {secrets.token_hex(4)}",
        flavor_ref=material.flavorid,
        image_ref=image,
        admin_password=passwords.generate(call.settings.password_length),
        key_name=params["KeyName"],
        user_data=_user_data(params["UserData"]),
        min_count=params["MinCount"],
        max_count=params["MaxCount"] or params["MinCount"],
        metadata=metadata,
        security_groups=_groups(material, params),
        zone=placement.get("AvailabilityZone"),
        zero_disk_allowed=call.allows(_ZERO_DISK),
        kernel_id=kernel,
        ramdisk_id=ramdisk,
        client_token=_client_token(params),
        termination_disabled=params["DisableApiTermination"],
    )


def _user_data(data: bytes | None) -> str | None:
    """Return user data as it is stored.  Raises: Ec2ParameterInvalid."""
    if not data:
        return None
    text = base64.b64encode(data).decode()
    if len(text) > boot.MAX_USER_DATA:
        raise invalid("UserData", "it is too long")
    return text


def _client_token(params: Mapping[str, Any]) -> ClientToken | None:
    """Return the client token with a digest of the wish.  Raises: Ec2ParameterInvalid."""
    text = params["ClientToken"]
    if not text:
        return None
    if len(text) > _LONGEST_TOKEN:
        raise invalid("ClientToken", f"it may have {_LONGEST_TOKEN} characters at most")
    wish = {name: _plain(value) for name, value in params.items() if name != "ClientToken"}
    digest = hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()
    return ClientToken(token=text, parameters_hash=digest)


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
