"""What answers tell of instances and reservations.

Source: ec2-api, sections 6.1 and 7.
"""

import dataclasses
from collections.abc import Iterable

from nova.api.ec2 import ids
from nova.api.ec2.instance_lookup import id_of
from nova.api.ec2.states import InstanceState, state_of
from nova.objects.ec2 import DescribedInstances
from nova.objects.instance import Instance

Document = dict[str, object]

DEFAULT_ROOT_DEVICE = "/dev/sda1"
DEFAULT_ARCHITECTURE = "x86_64"


def state(instance: Instance) -> InstanceState:
    """Return the state of an instance."""
    return state_of(instance.vm_state, instance.task_state)


def image_id(found: DescribedInstances, prefix: str, image: str | None) -> str | None:
    """Return the EC2 id of an image of an instance."""
    number = found.image_numbers.get(image or "")
    return None if number is None else ids.compose(prefix, number)


def groups(instance: Instance, found: DescribedInstances) -> list[Document]:
    """Return the security groups of an instance."""
    numbers = found.group_numbers.get(instance.project_id, {})
    return [
        {
            # A group that has gone since is known by its name only.
            "groupId": ids.compose(ids.GROUP, numbers[name]) if name in numbers else name,
            "groupName": name,
        }
        for name in instance.security_groups
    ]


def tag_set(instance: Instance) -> list[Document]:
    """Return the tags of an instance."""
    return [{"key": key, "value": value} for key, value in sorted(instance.metadata.items())]


def root_device(instance: Instance) -> str:
    """Return the name of an instance's root device."""
    return instance.root_device_name or DEFAULT_ROOT_DEVICE


def private_ip(instance: Instance) -> str | None:
    """Return the first fixed IPv4 address of an instance."""
    return next((vif.fixed_ip for vif in instance.vifs if vif.fixed_ip), None)


def public_ip(instance: Instance) -> str | None:
    """Return the first floating address of an instance."""
    return next((ip for vif in instance.vifs for ip in vif.floating_ips), None)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An instance with what is told of it."""

    instance: Instance
    groups: list[Document]
    document: Document


def shown(
    instance: Instance, found: DescribedInstances, *, private_dns_shows_ip: bool = False
) -> Shown:
    """Return an instance with what is told of it; None stands for what is left out."""
    fixed, floating = private_ip(instance), public_ip(instance)
    of_groups = groups(instance, found)
    document: Document = {
        "instanceId": id_of(instance),
        "imageId": image_id(found, ids.MACHINE, instance.image_ref),
        "kernelId": image_id(found, ids.KERNEL, instance.kernel_id),
        "ramdiskId": image_id(found, ids.RAMDISK, instance.ramdisk_id),
        "instanceState": state(instance).document,
        "privateDnsName": (fixed or "") if private_dns_shows_ip else instance.hostname,
        "dnsName": floating or "",
        "dnsNameV6": next((vif.fixed_ip_v6 for vif in instance.vifs if vif.fixed_ip_v6), None),
        "reason": "",
        "stateReason": _reason(instance),
        "keyName": instance.key_name,
        "amiLaunchIndex": instance.launch_index,
        "productCodes": [],
        "instanceType": instance.flavor.name,
        "launchTime": instance.created_at,
        "placement": {"availabilityZone": _zone(instance), "groupName": "", "tenancy": "default"},
        "monitoring": {"state": "disabled"},
        "privateIpAddress": fixed,
        "ipAddress": floating,
        "groupSet": of_groups,
        "architecture": instance.architecture or DEFAULT_ARCHITECTURE,
        "rootDeviceType": "instance-store",
        "rootDeviceName": root_device(instance),
        "blockDeviceMapping": [],
        "virtualizationType": "hvm",
        "clientToken": found.client_tokens.get(instance.reservation_id or "", ""),
        "tagSet": tag_set(instance),
        "hypervisor": "kvm",
        "networkInterfaceSet": [],
        "sourceDestCheck": True,
        "ebsOptimized": False,
    }
    return Shown(instance=instance, groups=of_groups, document=document)


def _zone(instance: Instance) -> str:
    return instance.availability_zone or instance.pinned_availability_zone or ""


def _reason(instance: Instance) -> Document | None:
    if instance.fault is None:
        return None
    return {"code": "Server.InternalError", "message": instance.fault.message}


def reservations(instances: Iterable[Shown]) -> list[Document]:
    """Return instances by their reservations, in the order in which those are met."""
    by_reservation: dict[str | None, list[Shown]] = {}
    for one in instances:
        by_reservation.setdefault(one.instance.reservation_id, []).append(one)
    return [reservation(members) for members in by_reservation.values()]


def reservation(members: list[Shown]) -> Document:
    """Return instances of one request."""
    first = members[0]
    return {
        "reservationId": first.instance.reservation_id,
        "ownerId": first.instance.project_id,
        "groupSet": first.groups,
        "instancesSet": [one.document for one in members],
    }
