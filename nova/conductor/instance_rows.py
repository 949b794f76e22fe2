"""Turns a create request into servers, before anything is stored."""

import dataclasses
import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from nova.conductor import transitions
from nova.conductor.names import derive_hostname, numbered
from nova.context import RequestContext
from nova.db.instances import FIELDS
from nova.exception import (
    FlavorDiskTooSmall,
    FlavorMemoryTooSmall,
    InjectedFileLimitExceeded,
    MetadataLimitExceeded,
)
from nova.objects.build_request import BuildRequest
from nova.objects.flavor import Flavor
from nova.objects.instance import InjectedFile, Instance, NewServers
from nova.objects.lifecycle import PowerState
from nova.objects.operation import Operation, OperationState
from nova.objects.quota import UNLIMITED

GIB = 1024**3

# Columns that repeat values of the flavor, so that they can be searched and summed.
_OF_FLAVOR = {
    "instance_type_id": "id",
    "flavorid": "flavorid",
    "memory_mb": "memory_mb",
    "vcpus": "vcpus",
    "root_gb": "root_gb",
    "ephemeral_gb": "ephemeral_gb",
}


def check_image(new: NewServers, flavor: Flavor) -> None:
    """Refuse a flavor that is too small for the image.

    Raises: FlavorMemoryTooSmall, FlavorDiskTooSmall.
    """
    check_sizes(new.image_min_ram_mb, new.image_min_disk_gb, new.image_size_bytes, flavor)


def check_sizes(min_ram_mb: int, min_disk_gb: int, size_bytes: int, flavor: Flavor) -> None:
    """Refuse a flavor that is too small for an image that needs so much.

    Raises: FlavorMemoryTooSmall, FlavorDiskTooSmall.
    """
    if flavor.memory_mb < min_ram_mb:
        raise FlavorMemoryTooSmall(memory_mb=flavor.memory_mb, min_ram_mb=min_ram_mb)
    if flavor.root_gb == 0:
        return
    need_gb = max(min_disk_gb, -(-size_bytes // GIB))
    if flavor.root_gb < need_gb:
        raise FlavorDiskTooSmall(root_gb=flavor.root_gb, need_gb=need_gb)


def check_limits(
    metadata: Mapping[str, str], files: Sequence[InjectedFile], limits: Mapping[str, int]
) -> None:
    """Refuse metadata and files beyond the quota.

    Raises: MetadataLimitExceeded, InjectedFileLimitExceeded.
    """
    if _over(len(metadata), limits["metadata_items"]):
        raise MetadataLimitExceeded(limit=limits["metadata_items"])
    if _over(len(files), limits["injected_files"]):
        raise InjectedFileLimitExceeded(reason="too many files")
    for file in files:
        if _over(len(file.path.encode()), limits["injected_file_path_bytes"]):
            raise InjectedFileLimitExceeded(reason="a path is too long")
        if _over(_decoded_size(file.contents), limits["injected_file_content_bytes"]):
            raise InjectedFileLimitExceeded(reason="a file is too large")


def _over(number: int, limit: int) -> bool:
    return limit != UNLIMITED and number > limit


def _decoded_size(base64_text: str) -> int:
    """Return the number of bytes that a base64 text stands for."""
    text = "".join(base64_text.split()).rstrip("=")
    return len(text) * 3 // 4


def build_request_of(new: NewServers, default_zone: str | None) -> BuildRequest:
    """Return what must be kept of a request until its servers are built."""
    return BuildRequest(
        network_mode=new.network_mode,
        networks=new.networks,
        injected_files=new.injected_files,
        availability_zone=new.availability_zone or default_zone,
        force_host=new.force_host,
        force_node=new.force_node,
        requested_host=new.requested_host,
        requested_node=new.requested_node,
        had_admin_password=new.admin_password is not None,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What all servers of a request share."""

    new: NewServers
    flavor: Flavor
    key_data: str | None
    reservation_id: str
    now: datetime.datetime

    def instance(self, index: int, count: int) -> Instance:
        """Return server number index (from 0) of count, without row id."""
        new = self.new
        instance_uuid = str(uuid.uuid4())
        name = numbered(new.display_name, index + 1, of=count)
        suffix = "" if count == 1 else f"-{index + 1}"
        hostname = (
            new.hostname + suffix
            if new.hostname is not None
            else derive_hostname(new.display_name, instance_uuid, suffix)
        )
        return Instance(
            id=0,
            uuid=instance_uuid,
            project_id=new.project_id,
            user_id=new.user_id,
            display_name=name,
            hostname=hostname,
            **transitions.begin_create(),
            flavor=self.flavor,
            display_description=new.display_description,
            reservation_id=self.reservation_id,
            launch_index=index,
            image_ref=new.image_ref,
            kernel_id=new.kernel_id,
            ramdisk_id=new.ramdisk_id,
            key_name=new.key_name,
            key_data=self.key_data,
            user_data=new.user_data,
            config_drive=new.config_drive,
            availability_zone=None,
            pinned_availability_zone=new.availability_zone,
            access_ip_v4=new.access_ip_v4,
            access_ip_v6=new.access_ip_v6,
            root_device_name=None,
            auto_disk_config=new.auto_disk_config,
            os_type=new.image_properties.get("os_type"),
            architecture=new.image_properties.get("architecture"),
            scheduler_hints=new.hints,
            image_properties=new.image_properties,
            metadata=new.metadata,
            tags=tuple(sorted(set(new.tags))),
            security_groups=new.security_groups,
            created_at=self.now,
            updated_at=self.now,
        )


def row_of(instance: Instance) -> dict[str, Any]:
    """Return the columns of a new server."""
    row = {name: getattr(instance, name) for name in FIELDS if name != "id"}
    row["power_state"] = int(instance.power_state)
    return row | flavor_columns(instance.flavor)


def flavor_columns(flavor: Flavor) -> dict[str, Any]:
    """Return the columns of a server of a flavor."""
    copies = {column: getattr(flavor, field) for column, field in _OF_FLAVOR.items()}
    return {"flavor": flavor, **copies}


def fields_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a server among columns that have been set."""
    found = {name: value for name, value in values.items() if name in FIELDS}
    if "power_state" in found:
        found["power_state"] = PowerState(found["power_state"])
    return found


def operation_of(
    context: RequestContext, instance: Instance, action: str, deadline: datetime.datetime
) -> Operation:
    """Return a new operation on a server, without row id."""
    return Operation(
        id=0,
        instance_uuid=instance.uuid,
        action=action,
        request_id=context.request_id,
        user_id=context.user_id,
        project_id=context.project_id,
        state=OperationState.PENDING,
        owner_host=instance.host,
        deadline=deadline,
        started_at=instance.updated_at,
    )


def operation_row(
    operation: Operation, now: datetime.datetime, request: BuildRequest | None = None
) -> dict[str, Any]:
    """Return the columns of a new operation."""
    return {
        "action": operation.action,
        "instance_uuid": operation.instance_uuid,
        "request_id": operation.request_id,
        "user_id": operation.user_id,
        "project_id": operation.project_id,
        "start_time": now,
        "updated_at": now,
        "state": operation.state,
        "owner_host": operation.owner_host,
        "attempt": operation.attempt,
        "deadline": operation.deadline,
        "arguments": operation.arguments,
        "request": operation.request,
        "build_request": request,
    }
