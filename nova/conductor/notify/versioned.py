"""The new form of notifications: nested payloads that name their type and version.

Source: daemons-and-config, section 6 (Versioned event types, InstancePayload).
"""

import datetime
from typing import Any

from nova.objects.flavor import Flavor
from nova.objects.instance import Instance
from nova.objects.network import Vif

Payload = dict[str, Any]

_POWER_WORDS = {
    0: "pending",
    1: "running",
    3: "paused",
    4: "shutdown",
    6: "crashed",
    7: "suspended",
}


def wrap(name: str, version: str, data: Payload) -> Payload:
    """Return a payload that says what it is."""
    return {
        "nova_object.name": name,
        "nova_object.namespace": "nova",
        "nova_object.version": version,
        "nova_object.data": data,
    }


def _moment(when: datetime.datetime | None) -> str | None:
    return None if when is None else when.strftime("%Y-%m-%dT%H:%M:%SZ")


def flavor_payload(flavor: Flavor) -> Payload:
    """Return a flavor."""
    data = {
        "flavorid": flavor.flavorid,
        "name": flavor.name,
        "memory_mb": flavor.memory_mb,
        "vcpus": flavor.vcpus,
        "root_gb": flavor.root_gb,
        "ephemeral_gb": flavor.ephemeral_gb,
        "swap": flavor.swap_mb,
        "rxtx_factor": flavor.rxtx_factor,
        "disabled": flavor.disabled,
        "is_public": flavor.is_public,
        "description": flavor.description,
        "extra_specs": dict(flavor.extra_specs),
        "projects": None,
        "vcpu_weight": 0,
    }
    return wrap("FlavorPayload", "1.4", data)


def instance_data(
    instance: Instance, request_id: str, user: str | None, project: str | None
) -> Payload:
    """Return the data of a server; user and project are those of the request."""
    return {
        "uuid": instance.uuid,
        "user_id": instance.user_id,
        "tenant_id": instance.project_id,
        "reservation_id": instance.reservation_id,
        "display_name": instance.display_name,
        "display_description": instance.display_description,
        "host_name": instance.hostname,
        "host": instance.host,
        "node": instance.node,
        "os_type": instance.os_type,
        "architecture": instance.architecture,
        "availability_zone": instance.availability_zone,
        "flavor": flavor_payload(instance.flavor),
        "image_uuid": instance.image_ref or "",
        "key_name": instance.key_name,
        "kernel_id": instance.kernel_id or "",
        "ramdisk_id": instance.ramdisk_id or "",
        "created_at": _moment(instance.created_at),
        "launched_at": _moment(instance.launched_at),
        "terminated_at": _moment(instance.terminated_at),
        "deleted_at": _moment(instance.deleted_at),
        "updated_at": _moment(instance.updated_at),
        "state": str(instance.vm_state),
        "power_state": _POWER_WORDS[int(instance.power_state)],
        "task_state": _text(instance.task_state),
        "progress": instance.progress,
        "ip_addresses": [entry for vif in instance.vifs for entry in _addresses(vif)],
        "block_devices": [],
        "metadata": dict(instance.metadata),
        "locked": instance.locked_by is not None,
        "locked_reason": instance.locked_reason,
        "auto_disk_config": "AUTO" if instance.auto_disk_config else "MANUAL",
        "request_id": request_id,
        "action_initiator_user": user,
        "action_initiator_project": project,
        "shares": [],
    }


def action_payload(data: Payload, fault: Payload | None) -> Payload:
    """Return the payload of an event of an operation."""
    return wrap("InstanceActionPayload", "1.9", data | {"fault": fault})


def create_payload(data: Payload, instance: Instance, fault: Payload | None) -> Payload:
    """Return the payload of an event of a build."""
    more = {
        "fault": fault,
        "keypairs": [],
        "tags": list(instance.tags),
        "trusted_image_certificates": None,
        "instance_name": instance.name,
    }
    return wrap("InstanceCreatePayload", "1.13", data | more)


def fault_payload(message: str, name: str) -> Payload:
    """Return a fault in the words that users see."""
    data = {
        "exception": name,
        "exception_message": message,
        "function_name": None,
        "module_name": None,
        "traceback": None,
    }
    return wrap("ExceptionPayload", "1.1", data)


def _text(word: str | None) -> str | None:
    return None if word is None else str(word)


def _addresses(vif: Vif) -> list[Payload]:
    found = ((vif.fixed_ip, 4), (vif.fixed_ip_v6, 6))
    return [
        wrap(
            "IpPayload",
            "1.0",
            {
                "address": address,
                "version": version,
                "label": vif.network.label,
                "mac": vif.address,
                "port_uuid": vif.id,
                "device_name": vif.devname,
                "meta": {},
            },
        )
        for address, version in found
        if address is not None
    ]
