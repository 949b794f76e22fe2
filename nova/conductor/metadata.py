"""What the metadata service of guests asks for."""

import dataclasses

from nova.conductor import dispatch
from nova.conductor.rpcapi.metadata import ConductorMetadata
from nova.context import RequestContext
from nova.db import block_devices, fixed_ips, image_numbers, instance_details, instances
from nova.db.engine import Database, Transaction, retried
from nova.exception import InstanceNotFound
from nova.objects.guest_metadata import GuestMetadata

PASSWORD = "password"


class MetadataEndpoint(ConductorMetadata):
    """Serves what guests may know of their servers."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    def find_by_address(self, context: RequestContext, address: str) -> GuestMetadata | None:
        """Return what is known of the live server that has a fixed address."""
        with self.db.reading() as tx:
            uuid = fixed_ips.instance_with(tx, address)
            guest = None if uuid is None else _guest(tx, uuid)
        return self._numbered(guest)

    @retried
    def find_by_instance(self, context: RequestContext, instance_uuid: str) -> GuestMetadata | None:
        """Return what is known of a live server."""
        with self.db.reading() as tx:
            guest = _guest(tx, instance_uuid)
        return self._numbered(guest)

    def _numbered(self, guest: GuestMetadata | None) -> GuestMetadata | None:
        """Return a guest with the numbers of its images; unseen images get theirs now."""
        if guest is None:
            return None
        instance = guest.instance
        images = {
            image_id
            for image_id in (instance.image_ref, instance.kernel_id, instance.ramdisk_id)
            if image_id
        }
        with self.db.reading() as tx:
            numbers = image_numbers.find(tx, images)
        if images - numbers.keys():
            with self.db.transaction() as tx:
                numbers = image_numbers.assign(tx, images)
        return dataclasses.replace(
            guest,
            image_number=numbers.get(instance.image_ref or ""),
            kernel_number=numbers.get(instance.kernel_id or ""),
            ramdisk_number=numbers.get(instance.ramdisk_id or ""),
        )

    @retried
    def set_password(self, context: RequestContext, instance_uuid: str, password: str) -> bool:
        """Store the opaque password a guest posted; False when one is there already."""
        with self.db.transaction() as tx:
            if instances.find(tx, instance_uuid) is None:
                raise InstanceNotFound(instance_uuid=instance_uuid)
            if instance_details.get_system(tx, instance_uuid, PASSWORD):
                return False
            instance_details.set_system(tx, instance_uuid, PASSWORD, password)
        return True


def _guest(tx: Transaction, instance_uuid: str) -> GuestMetadata | None:
    instance = instances.find(tx, instance_uuid)
    if instance is None:
        return None
    devices = block_devices.list_for(tx, [instance.uuid]).get(instance.uuid, ())
    return GuestMetadata(
        instance=instance,
        block_devices=dispatch.detail_of(instance, devices).block_devices,
        password=instance_details.get_system(tx, instance.uuid, PASSWORD) or "",
    )
