"""Resizes on the same host: until they are confirmed or reverted both flavors are held.

A server holds the claims of both flavors on its host, and of each quota the larger amount.
Source: compute-api-routes (resize, confirmResize, revertResize), server-states section 5.
"""

import uuid
from typing import Any

from nova.conductor import instance_quota, instance_rows, numa_claims, transitions
from nova.conductor.actions.base import ActionRules, Beginning, Ending, Prepared, Values
from nova.conductor.liveness import COMPUTE_BINARY, judged
from nova.db import compute_nodes, flavors, server_migrations, services
from nova.db.engine import Transaction
from nova.exception import (
    CannotResizeDisk,
    HostClaimFailed,
    InstanceHostDown,
    Invalid,
    InvalidInput,
    NoMigrationToEnd,
    NoRoomForServer,
    ResizeUnfinished,
    SameFlavor,
)
from nova.objects import guest_rules
from nova.objects.flavor import Flavor
from nova.objects.instance import Instance
from nova.objects.lifecycle import VmState
from nova.objects.migration import Migration, MigrationStatus, MigrationType
from nova.objects.numa import GuestNuma
from nova.objects.operation import OperationState
from nova.objects.service import ComputeNode
from nova.objects.traits import required_traits
from nova.objects.unset import UNSET


class ResizeRules(ActionRules):
    """Claims the new flavor beside the old one."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Check the flavor, and claim room and quota for it.

        Raises: InstanceHostDown, InvalidInput, SameFlavor, CannotResizeDisk, ResizeUnfinished,
        NoRoomForServer, TooManyInstances.
        """
        wanted = beginning.request.resize
        if wanted is None:
            raise Invalid(reason="A resize needs a flavor.")
        instance = beginning.instance
        _require_live_host(tx, beginning)
        _require_tidy(tx, instance)
        flavor = _flavor(tx, beginning, wanted.flavorid)
        _check_flavor(instance, flavor)
        guest_rules.check(flavor, instance.image_properties)
        node = _host_for(tx, beginning, flavor)
        try:
            numa = _claim_host(tx, beginning, flavor)
        except NoRoomForServer:
            # Who asks for more than the quota is told that, whatever the host has left.
            _claim_quota(tx, beginning, flavor)
            raise
        _claim_quota(tx, beginning, flavor)
        migration = _migration(beginning, flavor, node, numa)
        server_migrations.create(tx, migration, beginning.now)
        values: dict[str, Any] = {}
        if wanted.auto_disk_config is not UNSET:
            values["auto_disk_config"] = wanted.auto_disk_config
        return Prepared(values=values, request=beginning.request)

    def migration_of(self, tx: Transaction, instance_uuid: str) -> Migration | None:
        """Return the resize."""
        return server_migrations.find_unfinished(tx, instance_uuid)

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Give the server its new flavor; the old one is held until the resize is confirmed."""
        migration = server_migrations.find_unfinished(tx, ending.instance.uuid)
        if migration is None:
            return {}
        _move(tx, ending, MigrationStatus.FINISHED)
        return _new_columns(migration)

    def failed(self, tx: Transaction, ending: Ending) -> Values:
        """Give everything back; a server whose host did not put it back is in error."""
        migration = server_migrations.find_unfinished(tx, ending.instance.uuid)
        if migration is None:
            return {}
        whole = _is_whole(ending)
        _move(tx, ending, MigrationStatus.ERROR if whole else MigrationStatus.FAILED)
        transitions.keep_flavor(tx, ending.instance, migration, migration.old_flavor, ending.now)
        return {} if whole else transitions.broken()


class ConfirmRules(ActionRules):
    """Lets the old flavor go."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Look for a resize that is done.  Raises: NoMigrationToEnd."""
        # One that was being confirmed may have lost what a revert needs.
        accepted = (MigrationStatus.FINISHED, MigrationStatus.CONFIRMING)
        _end(tx, beginning, accepted, MigrationStatus.CONFIRMING)
        return Prepared()

    def migration_of(self, tx: Transaction, instance_uuid: str) -> Migration | None:
        """Return the resize."""
        return server_migrations.find_unfinished(tx, instance_uuid)

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Give the old flavor's claim and quota back."""
        migration = server_migrations.find_unfinished(tx, ending.instance.uuid)
        if migration is not None:
            _move(tx, ending, MigrationStatus.CONFIRMED)
            new = migration.new_flavor
            transitions.keep_flavor(tx, ending.instance, migration, new, ending.now)
        return {}


class RevertRules(ActionRules):
    """Restores the old flavor."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Look for a resize that is done.  Raises: NoMigrationToEnd."""
        # One that was being reverted may have lost what a confirmation keeps.
        accepted = (MigrationStatus.FINISHED, MigrationStatus.REVERTING)
        _end(tx, beginning, accepted, MigrationStatus.REVERTING)
        return Prepared()

    def migration_of(self, tx: Transaction, instance_uuid: str) -> Migration | None:
        """Return the resize."""
        return server_migrations.find_unfinished(tx, instance_uuid)

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Give the new flavor's claim and quota back, and the server its old flavor."""
        migration = server_migrations.find_unfinished(tx, ending.instance.uuid)
        if migration is None:
            return {}
        old = migration.old_flavor
        _move(tx, ending, MigrationStatus.REVERTED)
        transitions.keep_flavor(tx, ending.instance, migration, old, ending.now)
        return {**instance_rows.flavor_columns(old), "numa_topology": migration.old_numa}


# --- Checks -----------------------------------------------------------------------------------


def _require_live_host(tx: Transaction, beginning: Beginning) -> None:
    instance = beginning.instance
    service = services.find(tx, instance.host or "", COMPUTE_BINARY)
    if service is None or not judged(beginning.settings, service, beginning.now).is_up:
        raise InstanceHostDown(instance_uuid=instance.uuid)


def _require_tidy(tx: Transaction, instance: Instance) -> None:
    """Refuse a server whose disks an earlier resize has put aside for good."""
    left = (*server_migrations.UNFINISHED, MigrationStatus.FAILED)
    if server_migrations.is_any(tx, instance.uuid, left):
        raise ResizeUnfinished(instance_uuid=instance.uuid)


def _flavor(tx: Transaction, beginning: Beginning, flavorid: str) -> Flavor:
    """Return a flavor that the server's project may use."""
    project_id = None if beginning.context.is_admin else beginning.instance.project_id
    flavor = flavors.find(tx, flavorid, project_id)
    if flavor is None or flavor.disabled:
        raise InvalidInput(reason=f"Flavor {flavorid} could not be found.")
    return flavor


def _check_flavor(instance: Instance, flavor: Flavor) -> None:
    old = instance.flavor
    if flavor.id == old.id:
        raise SameFlavor()
    if flavor.root_gb == 0 and old.root_gb != 0:
        raise CannotResizeDisk(reason="Resize to zero disk flavor is not allowed.")
    if flavor.root_gb < old.root_gb or flavor.ephemeral_gb < old.ephemeral_gb:
        raise CannotResizeDisk(reason="Disks can not be made smaller.")


# --- Claims -----------------------------------------------------------------------------------


def _host_for(tx: Transaction, beginning: Beginning, flavor: Flavor) -> ComputeNode:
    """Return the server's host if it suits a flavor.  Raises: NoRoomForServer."""
    instance = beginning.instance
    if not beginning.settings.allow_resize_to_same_host:
        raise NoRoomForServer(reason="Resizing to the same host is not allowed here.")
    node = compute_nodes.find(tx, instance.host or "", instance.node or "")
    if node is None or required_traits(flavor, instance.image_properties) - set(node.traits):
        raise NoRoomForServer(reason="The host lacks the firmware, TPM or trait of the flavor.")
    return node


def _claim_host(tx: Transaction, beginning: Beginning, flavor: Flavor) -> GuestNuma | None:
    """Claim a flavor on the server's host, beside the one it has; return its cells."""
    instance, now = beginning.instance, beginning.now
    host, node = instance.host or "", instance.node or ""
    claim = transitions.claim_of(flavor, servers=0)
    if not compute_nodes.take(tx, host, node, claim, now):
        raise NoRoomForServer(reason="There is not enough room for the flavor on the host.")
    try:
        return numa_claims.take(tx, host, node, flavor, instance.image_properties, now)
    except HostClaimFailed as error:
        reason = "There is not enough room for the flavor in the cells of the host."
        raise NoRoomForServer(reason=reason) from error


def _claim_quota(tx: Transaction, beginning: Beginning, flavor: Flavor) -> None:
    """Claim what the flavor takes beyond the old one.  Raises: TooManyInstances."""
    old = beginning.instance.flavor
    more = {"cores": flavor.vcpus - old.vcpus, "ram": flavor.memory_mb - old.memory_mb}
    amounts = {name: amount for name, amount in more.items() if amount > 0}
    if amounts:
        instance_quota.claim_amounts(tx, beginning.settings, beginning.instance, amounts)


# --- Records ----------------------------------------------------------------------------------


def _migration(
    beginning: Beginning, flavor: Flavor, node: ComputeNode, numa: GuestNuma | None
) -> Migration:
    """Return the record of a resize that begins."""
    instance = beginning.instance
    return Migration(
        id=0,
        uuid=str(uuid.uuid4()),
        instance_uuid=instance.uuid,
        migration_type=MigrationType.RESIZE,
        status=MigrationStatus.PRE_MIGRATING,
        old_vm_state=instance.vm_state,
        old_flavor=instance.flavor,
        new_flavor=flavor,
        old_numa=instance.numa_topology,
        new_numa=numa,
        project_id=instance.project_id,
        user_id=beginning.context.user_id,
        source_compute=instance.host,
        source_node=instance.node,
        dest_compute=instance.host,
        dest_node=instance.node,
        dest_host=node.host_ip,
    )


def _new_columns(migration: Migration) -> Values:
    columns = instance_rows.flavor_columns(migration.new_flavor)
    return {**columns, "numa_topology": migration.new_numa}


def _move(tx: Transaction, ending: Ending, status: MigrationStatus) -> None:
    server_migrations.set_status(
        tx, ending.instance.uuid, server_migrations.UNFINISHED, status, ending.now
    )


def _end(
    tx: Transaction,
    beginning: Beginning,
    accepted: tuple[MigrationStatus, ...],
    status: MigrationStatus,
) -> None:
    """Let a server's resize end in one of two ways.  Raises: NoMigrationToEnd."""
    instance = beginning.instance
    if not server_migrations.set_status(tx, instance.uuid, accepted, status, beginning.now):
        action = beginning.action.removesuffix("Resize")
        raise NoMigrationToEnd(instance_uuid=instance.uuid, action=action)


def _is_whole(ending: Ending) -> bool:
    """Tell whether the guest is as it was: its host said so, or has not begun."""
    if ending.operation.state is OperationState.PENDING:
        return True
    # Only a host names the event; without it the host was given up.
    return bool(ending.result.event) and ending.result.vm_state is not VmState.ERROR
