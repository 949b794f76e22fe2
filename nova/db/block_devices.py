"""Block devices of servers (block_device_mapping)."""

from collections.abc import Sequence

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import block_device_mapping
from nova.objects.block_device import BlockDevice

_FIELDS = (
    "source_type",
    "destination_type",
    "boot_index",
    "device_name",
    "image_id",
    "guest_format",
    "disk_bus",
    "device_type",
    "delete_on_termination",
    "tag",
)


def implied(image_ref: str | None) -> tuple[BlockDevice, ...]:
    """Return the devices of a server that says nothing about them: the disk of its image."""
    if not image_ref:
        return ()
    return (BlockDevice(source_type="image", boot_index=0, image_id=image_ref),)


def create(tx: Transaction, uuids: Sequence[str], devices: Sequence[BlockDevice]) -> None:
    """Insert the same devices for each server."""
    rows = [
        {
            "instance_uuid": uuid,
            "volume_size": device.volume_size_gb,
            **{name: getattr(device, name) for name in _FIELDS},
        }
        for uuid in uuids
        for device in devices
    ]
    bulk.insert(tx, block_device_mapping, rows)


def set_root_image(tx: Transaction, instance_uuid: str, image_id: str) -> None:
    """Let the disk that a server boots from be made of another image."""
    table = block_device_mapping.c
    tx.execute(
        sa.update(block_device_mapping)
        .where(
            table.instance_uuid == instance_uuid,
            table.source_type == "image",
            table.boot_index == 0,
        )
        .values(image_id=image_id)
    )


def list_for(tx: Transaction, uuids: Sequence[str]) -> dict[str, tuple[BlockDevice, ...]]:
    """Return the devices that are stored for servers, by uuid."""
    found: dict[str, tuple[BlockDevice, ...]] = {}
    for piece in bulk.chunks(uuids):
        query = (
            sa.select(block_device_mapping)
            .where(block_device_mapping.c.instance_uuid.in_(piece))
            .order_by(block_device_mapping.c.id)
        )
        for row in tx.execute(query).mappings():
            device = BlockDevice(
                volume_size_gb=row["volume_size"], **{name: row[name] for name in _FIELDS}
            )
            found[row["instance_uuid"]] = (*found.get(row["instance_uuid"], ()), device)
    return found
