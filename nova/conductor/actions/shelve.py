"""Snapshots and shelving: what is stored of the images, and where a shelved server is.

Source: server-states section 3; compute-api-routes (shelve, shelveOffload, unshelve).
"""

from nova.conductor import transitions
from nova.conductor.actions.base import ActionRules, Beginning, Ending, Prepared, Values
from nova.conductor.liveness import COMPUTE_BINARY
from nova.db import aggregates, firewall, services
from nova.db.engine import Transaction
from nova.exception import (
    AvailabilityZoneNotFound,
    Invalid,
    InvalidInput,
    UnshelveDestinationRefused,
)
from nova.objects.action_request import SnapshotRequest, UnshelveRequest
from nova.objects.lifecycle import VmState
from nova.objects.unset import UNSET

NOWHERE = UnshelveRequest()


def snapshot_of(request: SnapshotRequest | None) -> SnapshotRequest:
    """Return what an action was asked to make.  Raises: Invalid."""
    if request is None:
        raise Invalid(reason="The image that takes the contents is not named.")
    return request


class SnapshotRules(ActionRules):
    """Actions that fill an image: createImage, createBackup."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Refuse to begin without an image.  Raises: Invalid."""
        snapshot_of(beginning.request.snapshot)
        return Prepared(request=beginning.request)


class ShelveRules(SnapshotRules):
    """Notes the image that the server is in."""

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Return image and time."""
        request = ending.operation.request
        image_id = snapshot_of(request.snapshot if request is not None else None).image_id
        return {"shelved_image_id": image_id, "shelved_at": ending.now}


class ShelveOffloadRules(ActionRules):
    """Takes a shelved server off its host."""

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Give the claim back; addresses and quota stay with the server."""
        firewall.note_server(tx, ending.instance.uuid)
        transitions.give_back_claim(tx, ending.instance, ending.now)
        return {"host": None, "node": None, "availability_zone": None, "numa_topology": None}


class UnshelveRules(ActionRules):
    """Brings a shelved server back, where it is or where the scheduler says."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Check the wish for a place; an offloaded server is to be scheduled.

        Raises: UnshelveDestinationRefused, AvailabilityZoneNotFound, InvalidInput.
        """
        instance, wish = beginning.instance, beginning.request.unshelve or NOWHERE
        if instance.vm_state is not VmState.SHELVED_OFFLOADED:
            if wish != NOWHERE:
                raise UnshelveDestinationRefused(instance_uuid=instance.uuid)
            return Prepared(request=beginning.request)
        zone = wish.availability_zone
        default = beginning.settings.default_availability_zone
        if isinstance(zone, str) and not aggregates.zone_exists(tx, zone, default, COMPUTE_BINARY):
            raise AvailabilityZoneNotFound(zone=zone)
        if wish.host is not None and services.find(tx, wish.host, COMPUTE_BINARY) is None:
            raise InvalidInput(reason=f"Compute host {wish.host} could not be found.")
        return Prepared(request=beginning.request, schedule=True)

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Forget the image; pin the server to the zone that was wished for, or unpin it."""
        request = ending.operation.request
        wish = (request.unshelve if request is not None else None) or NOWHERE
        values: Values = {
            "shelved_image_id": None,
            "shelved_at": None,
            "launched_at": ending.now,
        }
        if wish.availability_zone is not UNSET:
            values["pinned_availability_zone"] = wish.availability_zone
        return values
