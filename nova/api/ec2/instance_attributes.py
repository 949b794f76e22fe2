"""Single attributes of instances, read and changed.

Source: ec2-api, section 5 (DescribeInstanceAttribute).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nova import exception
from nova.api.ec2 import ids
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.instance_lookup import described, id_of, live, named
from nova.api.ec2.instance_views import groups, image_id, root_device
from nova.api.ec2.params import BOOLEAN, TEXT, Param
from nova.objects.ec2 import DescribedInstances
from nova.objects.instance import Instance

instance_attributes = Family()

ID = Param("InstanceId", type=TEXT, required=True)

_PROTECTION = "disableApiTermination"

Read = Callable[[Instance, DescribedInstances], Any]


def _value(read: Read) -> Read:
    """Return what wraps an attribute of one value as today's clients read it."""
    return lambda instance, found: {"value": read(instance, found)}


_ATTRIBUTES: dict[str, Read] = {
    "blockDeviceMapping": lambda instance, found: [],
    _PROTECTION: _value(lambda instance, found: instance.uuid in found.protected),
    "ebsOptimized": _value(lambda instance, found: False),
    "groupSet": groups,
    "instanceInitiatedShutdownBehavior": _value(lambda instance, found: "stop"),
    "instanceType": _value(lambda instance, found: instance.flavor.name),
    "kernel": _value(lambda instance, found: image_id(found, ids.KERNEL, instance.kernel_id)),
    "productCodes": lambda instance, found: [],
    "ramdisk": _value(lambda instance, found: image_id(found, ids.RAMDISK, instance.ramdisk_id)),
    "rootDeviceName": _value(lambda instance, found: root_device(instance)),
    "userData": _value(lambda instance, found: instance.user_data),
}


@instance_attributes.action(
    "DescribeInstanceAttribute",
    ID,
    Param("Attribute", type=TEXT, required=True),
    policy="servers:show",
)
def describe_instance_attribute(call: Ec2Call) -> Result:
    """Tell one attribute of an instance."""
    name = call.params["Attribute"]
    read = _ATTRIBUTES.get(name)
    if read is None:
        raise exception.Ec2AttributeInvalid(name=name)
    found = described(call, [call.params["InstanceId"]], with_protection=name == _PROTECTION)
    (instance,) = found.instances
    return {"instanceId": id_of(instance), name: read(instance, found)}


def _one(name: str, kind: Any) -> Param:
    return Param(name, fields=(Param("Value", type=kind),))


@instance_attributes.action(
    "ModifyInstanceAttribute",
    ID,
    Param("Attribute", type=TEXT),
    Param("Value", type=TEXT),
    Param("GroupId", type=TEXT, many=True),
    _one("DisableApiTermination", BOOLEAN),
    _one("EbsOptimized", BOOLEAN),
    _one("SourceDestCheck", BOOLEAN),
    _one("InstanceInitiatedShutdownBehavior", TEXT),
    _one("InstanceType", TEXT),
    _one("Kernel", TEXT),
    _one("Ramdisk", TEXT),
    _one("UserData", TEXT),
    policy="servers:update",
    changes=True,
)
def modify_instance_attribute(call: Ec2Call) -> Result:
    """Change the security groups of an instance, or whether it may be terminated.

    Other attributes keep the values they have.
    """
    wanted = _wanted(call.params)
    protected = _read_protection(wanted.pop(_PROTECTION, None))
    instance = live(call, call.params["InstanceId"])
    _refuse_changes(instance, wanted)
    with named(instance):
        if call.params["GroupId"]:
            _set_groups(call, instance, call.params["GroupId"])
        if protected is not None:
            call.ec2.set_termination_disabled(call.context, call.scope, instance.uuid, protected)
    return None


def _read_protection(text: str | None) -> bool | None:
    """Return the protection that is wished for, None for none.  Raises: Ec2ParameterInvalid."""
    return None if text is None else bool(BOOLEAN.read("Value", text))


def _wanted(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the values wished for, in either of the two forms that there are for it."""
    wanted = {
        name[0].lower() + name[1:]: str(value["Value"])
        for name, value in params.items()
        if isinstance(value, Mapping)
    }
    if params["Attribute"]:
        wanted[params["Attribute"]] = params["Value"] or ""
    return wanted


def _refuse_changes(instance: Instance, wanted: Mapping[str, str]) -> None:
    """Refuse any other value than the one that an attribute has.

    Raises: Ec2NotSupported, Ec2AttributeInvalid.
    """
    present = {
        "ebsOptimized": "False",
        "sourceDestCheck": "True",
        "instanceInitiatedShutdownBehavior": "stop",
        "instanceType": instance.flavor.name,
        "userData": instance.user_data or "",
        "kernel": "",
        "ramdisk": "",
    }
    for name, value in wanted.items():
        if name not in present:
            raise exception.Ec2AttributeInvalid(name=name)
        if value.lower() != present[name].lower():
            raise exception.Ec2NotSupported(what=f"a change of {name}")


def _set_groups(call: Ec2Call, instance: Instance, given: Iterable[str]) -> None:
    """Put an instance into some security groups and out of all others.

    Raises: Ec2IdMalformed, Ec2IdNotFound, PolicyNotAuthorized.
    """
    call.authorize("os-security-groups:add")
    call.authorize("os-security-groups:remove")
    numbers = {ids.number_of(ids.GROUP, text): text for text in given}
    names = call.ec2.names_of_groups(call.context, instance.project_id, tuple(numbers))
    for number, text in numbers.items():
        if number not in names:
            raise exception.Ec2IdNotFound(kind=ids.GROUP, given=text)
    wanted = tuple(names.values())
    call.ec2.set_security_groups(call.context, call.scope, instance.uuid, wanted)
