"""The old form of notifications: flat payloads, event types such as compute.instance.pause.end.

Source: daemons-and-config, section 6 (Instance payload keys).
"""

import datetime
from typing import Any

from nova.objects.instance import Instance
from nova.objects.lifecycle import TaskState, VmState
from nova.objects.network import Vif


def moment(when: datetime.datetime | None) -> str:
    """Return a time as these payloads have it, empty for none."""
    return "" if when is None else when.isoformat()


def instance_payload(instance: Instance) -> dict[str, Any]:
    """Return what every instance event says; neither user data nor secrets are part of it."""
    flavor = instance.flavor
    return {
        "tenant_id": instance.project_id,
        "user_id": instance.user_id,
        "instance_id": instance.uuid,
        "display_name": instance.display_name,
        "reservation_id": instance.reservation_id,
        "hostname": instance.hostname,
        "instance_type": flavor.name,
        "instance_type_id": flavor.id,
        "instance_flavor_id": flavor.flavorid,
        "architecture": instance.architecture,
        "memory_mb": flavor.memory_mb,
        "disk_gb": flavor.root_gb + flavor.ephemeral_gb,
        "vcpus": flavor.vcpus,
        "root_gb": flavor.root_gb,
        "ephemeral_gb": flavor.ephemeral_gb,
        "host": instance.host,
        "node": instance.node,
        "availability_zone": instance.availability_zone,
        "cell_name": "",
        "created_at": moment(instance.created_at),
        "terminated_at": moment(instance.terminated_at),
        "deleted_at": moment(instance.deleted_at),
        "launched_at": moment(instance.launched_at),
        "image_ref_url": instance.image_ref or "",
        "os_type": instance.os_type,
        "kernel_id": instance.kernel_id or "",
        "ramdisk_id": instance.ramdisk_id or "",
        "state": str(instance.vm_state),
        "state_description": str(instance.task_state or ""),
        "progress": instance.progress,
        "access_ip_v4": instance.access_ip_v4,
        "access_ip_v6": instance.access_ip_v6,
        "image_meta": dict(instance.image_properties),
        "metadata": dict(instance.metadata),
        "fixed_ips": [entry for vif in instance.vifs for entry in _addresses(vif)],
    }


def state_change(
    instance: Instance, old_vm_state: VmState, old_task_state: TaskState | None
) -> dict[str, Any]:
    """Return what compute.instance.update says of a change of states."""
    return instance_payload(instance) | {
        "old_state": str(old_vm_state),
        "old_task_state": None if old_task_state is None else str(old_task_state),
        "new_task_state": None if instance.task_state is None else str(instance.task_state),
    }


def exists(
    instance: Instance, beginning: datetime.datetime, ending: datetime.datetime
) -> dict[str, Any]:
    """Return what compute.instance.exists says of a server in an audit period."""
    return instance_payload(instance) | {
        "audit_period_beginning": str(beginning),
        "audit_period_ending": str(ending),
        "bandwidth": {},
    }


def failure(instance: Instance, message: str, code: int) -> dict[str, Any]:
    """Return what an error event says; message is the one that users see."""
    return instance_payload(instance) | {"exception": message, "message": message, "code": code}


def _addresses(vif: Vif) -> list[dict[str, Any]]:
    found = ((vif.fixed_ip, 4), (vif.fixed_ip_v6, 6))
    return [
        {
            "address": address,
            "type": "fixed",
            "version": version,
            "meta": {},
            "floating_ips": list(vif.floating_ips) if version == 4 else [],
            "label": vif.network.label,
            "vif_mac": vif.address,
        }
        for address, version in found
        if address is not None
    ]
