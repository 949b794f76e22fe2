"""Rebuild: a server is made anew in its place, from an image and with what else is asked for.

Source: compute-api-routes (rebuild), security-checklist IN-09, IN-11.
"""

from typing import Any

from nova.conductor import instance_rows, transitions
from nova.conductor.actions.base import ActionRules, Beginning, Ending, Prepared, Values
from nova.db import (
    aggregates,
    block_devices,
    compute_nodes,
    instance_details,
    keypairs,
    quotas,
    server_migrations,
)
from nova.db.engine import Transaction
from nova.exception import Invalid, InvalidInput, KeypairNotFound, NoRoomForServer
from nova.objects import guest_rules
from nova.objects.action_request import ImageChoice, RebuildRequest
from nova.objects.image_fit import why_not_here
from nova.objects.migration import MigrationStatus
from nova.objects.numa_request import numa_request
from nova.objects.operation import DISCARD_ASIDE
from nova.objects.traits import required_traits
from nova.objects.unset import UNSET

# Fields of the request that are columns of the server.
_COPIED = (
    "display_name",
    "display_description",
    "hostname",
    "user_data",
    "access_ip_v4",
    "access_ip_v6",
    "auto_disk_config",
)
_LEFT_BEHIND = (*server_migrations.UNFINISHED, MigrationStatus.FAILED)


class RebuildRules(ActionRules):
    """Changes the server's record; its host, addresses, claim and quota stay as they are."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Check image and quota, and store what the server will be made of.

        Raises: FlavorMemoryTooSmall, FlavorDiskTooSmall, NoRoomForServer, InvalidInput,
        MetadataLimitExceeded, InjectedFileLimitExceeded.
        """
        wanted = beginning.request.rebuild
        if wanted is None:
            raise Invalid(reason="A rebuild needs an image.")
        _check_image(tx, beginning, wanted.image)
        _check_limits(tx, beginning, wanted)
        values = _image_columns(wanted.image) | _key_columns(tx, beginning, wanted)
        for name in _COPIED:
            if getattr(wanted, name) is not UNSET:
                values[name] = getattr(wanted, name)
        uuid = beginning.instance.uuid
        metadata = None
        if wanted.metadata is not UNSET:
            metadata = dict(wanted.metadata)
            instance_details.delete_metadata(tx, [uuid], None)
            instance_details.create_metadata(tx, [uuid], metadata)
        block_devices.set_root_image(tx, uuid, wanted.image.image_ref)
        left_behind = server_migrations.is_any(tx, uuid, _LEFT_BEHIND)
        return Prepared(
            values=values,
            request=beginning.request,
            arguments={DISCARD_ASIDE: "yes"} if left_behind else {},
            metadata=metadata,
        )

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Free what a resize still holds that was never ended; its disks are gone now."""
        if DISCARD_ASIDE in ending.operation.arguments:
            uuid, now = ending.instance.uuid, ending.now
            transitions.end_resize(tx, ending.instance, now)
            failed = (MigrationStatus.FAILED,)
            server_migrations.set_status(tx, uuid, failed, MigrationStatus.ERROR, now)
        return {}


def _check_image(tx: Transaction, beginning: Beginning, image: ImageChoice) -> None:
    """Refuse an image that the server's flavor or its host does not suit."""
    instance = beginning.instance
    instance_rows.check_sizes(
        image.min_ram_mb, image.min_disk_gb, image.size_bytes, instance.flavor
    )
    guest_rules.check(instance.flavor, image.properties)
    if image.image_ref == instance.image_ref:
        return
    node = compute_nodes.find(tx, instance.host or "", instance.node or "")
    default = beginning.settings.default_architecture
    if node is None or why_not_here(node, image.properties, default) is not None:
        raise NoRoomForServer(reason="The host of the server does not suit the image.")
    if _is_isolated(tx, beginning, image):
        raise NoRoomForServer(reason="The host of the server is not for the image.")
    if required_traits(instance.flavor, image.properties) - set(node.traits):
        raise NoRoomForServer(reason="The host lacks the firmware, TPM or trait of the image.")
    before = numa_request(instance.flavor, instance.image_properties)
    if numa_request(instance.flavor, image.properties) != before:
        raise InvalidInput(reason="A rebuild can not change the NUMA cells of a server.")


def _is_isolated(tx: Transaction, beginning: Beginning, image: ImageChoice) -> bool:
    """Tell whether a filter in use keeps the image away from the server's host."""
    isolation, host = beginning.settings.image_isolation, beginning.instance.host or ""
    if isolation.by_host and isolation.refuses_host(host, image.image_ref):
        return True
    if not isolation.by_aggregate:
        return False
    metadata = aggregates.metadata_of_hosts(tx, [host]).get(host, {})
    return isolation.refuses_aggregates(metadata, image.properties) is not None


def _check_limits(tx: Transaction, beginning: Beginning, wanted: RebuildRequest) -> None:
    metadata = {} if wanted.metadata is UNSET else wanted.metadata
    if not metadata and not wanted.injected_files:
        return
    instance = beginning.instance
    found = quotas.limits(tx, instance.project_id, beginning.settings.quotas, instance.user_id)
    instance_rows.check_limits(metadata, wanted.injected_files, found)


def _image_columns(image: ImageChoice) -> dict[str, Any]:
    return {
        "image_ref": image.image_ref,
        "image_properties": image.properties,
        "kernel_id": image.kernel_id,
        "ramdisk_id": image.ramdisk_id,
        "os_type": image.properties.get("os_type"),
        "architecture": image.properties.get("architecture"),
        "progress": 0,
    }


def _key_columns(tx: Transaction, beginning: Beginning, wanted: RebuildRequest) -> dict[str, Any]:
    """Return the columns of another key pair, which is the caller's."""
    name = wanted.key_name
    if name is UNSET:
        return {}
    if name is None:
        return {"key_name": None, "key_data": None}
    user_id = beginning.context.user_id or ""
    found = keypairs.find(tx, user_id, name)
    if found is None:
        raise InvalidInput(reason=str(KeypairNotFound(name=name, user_id=user_id)))
    return {"key_name": name, "key_data": found.public_key}
