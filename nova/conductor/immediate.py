"""Actions on servers that are over when they are answered: lock, unlock, resetState.

Each is recorded among the server's actions by the same transaction.
"""

import dataclasses
import datetime
import logging
from collections.abc import Sequence
from typing import Any

from nova import clock
from nova.conductor import (
    abandoned_images,
    group_membership,
    instance_rows,
    metadata_caches,
    transitions,
)
from nova.conductor.actions.base import Ending
from nova.conductor.actions.registry import rules_of
from nova.conductor.checks import require
from nova.conductor.metadata import PASSWORD
from nova.conductor.notify.notifier import Notifier
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import instance_details, instances, operations, quotas
from nova.db.duplicates import Repeat
from nova.db.engine import Database, Transaction, retried
from nova.exception import Invalid, PolicyNotAuthorized
from nova.objects.instance import Instance, Scope
from nova.objects.lifecycle import VmState
from nova.objects.operation import ActionResult, Operation, OperationState
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

OWNER = "owner"
ADMIN = "admin"

UNLOCK_OVERRIDE = "os_compute_api:os-lock-server:unlock:unlock_override"
RESET_TO = frozenset({VmState.ACTIVE, VmState.ERROR})
SUPERSEDED = "Superseded by resetState"


class ImmediateActions(ConductorInstances):
    """Changes of servers that need no host."""

    db: Database
    bus: Bus
    settings: ConductorSettings
    notifier: Notifier

    # --- Locks

    @retried
    def lock(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        reason: str | None = None,
    ) -> None:
        """Lock a server; a lock that is there already is replaced by an administrator's only."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            kind = _kind(context, instance)
            if instance.locked_by is not None and kind == OWNER:
                return
            values = {"locked_by": kind, "locked_reason": reason, "updated_at": now}
            instances.compare_and_set(tx, instance.uuid, {}, values)
            _record(tx, context, instance, "lock", now)
        locked = dataclasses.replace(instance, locked_by=kind, locked_reason=reason)
        self.notifier.happened(context, "lock", locked)

    @retried
    def unlock(
        self, context: RequestContext, scope: Scope, instance_uuid: str, override: bool = False
    ) -> None:
        """Unlock a server."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            if instance.locked_by not in (None, _kind(context, instance)) and not override:
                raise PolicyNotAuthorized(rule=UNLOCK_OVERRIDE)
            values = {"locked_by": None, "locked_reason": None, "updated_at": now}
            seen = {"locked_by": (instance.locked_by,)}
            if not instances.compare_and_set(tx, instance.uuid, seen, values):
                raise PolicyNotAuthorized(rule=UNLOCK_OVERRIDE)
            _record(tx, context, instance, "unlock", now)
        unlocked = dataclasses.replace(instance, locked_by=None, locked_reason=None)
        self.notifier.happened(context, "unlock", unlocked)

    # --- States

    def reset_state(
        self, context: RequestContext, scope: Scope, instance_uuid: str, vm_state: VmState
    ) -> None:
        """Give a server a state, and give up what is unfinished on it."""
        if vm_state not in RESET_TO:
            raise Invalid(reason=f"A server can not be reset to {vm_state}.")
        for image_id in self._reset(context, scope, instance_uuid, vm_state):
            abandoned_images.discard(self.bus, context, image_id)

    @retried
    def _reset(
        self, context: RequestContext, scope: Scope, instance_uuid: str, vm_state: VmState
    ) -> list[str]:
        """Set the state; return the images that were being made."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            unfinished = operations.list_unfinished_of(tx, instance.uuid)
            values = self._give_up(tx, instance, unfinished, now)
            if values.get("soft_deleted_at", instance.soft_deleted_at) is not None:
                amounts = transitions.quota_of(instance.flavor)
                quotas.add(tx, instance.project_id, instance.user_id, amounts)
                values["soft_deleted_at"] = None
            transitions.reset(tx, instance, vm_state, now, values)
            _record(tx, context, instance, "resetState", now)
        LOG.info("Instance %s was reset to %s", instance.uuid, vm_state)
        images = map(abandoned_images.image_of, unfinished)
        return [image_id for image_id in images if image_id is not None]

    def _give_up(
        self,
        tx: Transaction,
        instance: Instance,
        unfinished: Sequence[Operation],
        now: datetime.datetime,
    ) -> dict[str, Any]:
        """End unfinished operations; return the columns that change by it."""
        values: dict[str, Any] = {}
        for operation in unfinished:
            result = ActionResult(
                operation_id=operation.id, host=operation.owner_host or "", succeeded=False
            )
            ending = Ending(
                operation=operation,
                result=result,
                instance=instance,
                settings=self.settings,
                now=now,
            )
            values |= rules_of(operation.action).failed(tx, ending)
        if operations.supersede(tx, instance.uuid, SUPERSEDED, now) != len(unfinished):
            # One has ended since: its image is whole, and what it stored is to be read.
            raise Repeat
        return values

    # --- Security groups

    @retried
    def add_security_group(
        self, context: RequestContext, scope: Scope, instance_uuid: str, name: str
    ) -> None:
        """Put a server into a group."""
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            group_membership.add(tx, instance, name, clock.utcnow())

    @retried
    def remove_security_group(
        self, context: RequestContext, scope: Scope, instance_uuid: str, name: str
    ) -> None:
        """Take a server out of a group."""
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            group_membership.remove(tx, instance, name, clock.utcnow())

    # --- The password that a guest has posted

    @retried
    def get_password(self, context: RequestContext, scope: Scope, instance_uuid: str) -> str:
        """Return what the guest posted, an empty text if nothing."""
        with self.db.reading() as tx:
            instance = require(tx, scope, instance_uuid)
            return instance_details.get_system(tx, instance.uuid, PASSWORD) or ""

    def clear_password(self, context: RequestContext, scope: Scope, instance_uuid: str) -> None:
        """Forget what the guest posted, so that it may post anew."""
        instance = self._clear_password(scope, instance_uuid)
        metadata_caches.forget(self.bus, context, instance)

    @retried
    def _clear_password(self, scope: Scope, instance_uuid: str) -> Instance:
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            instance_details.delete_system(tx, instance.uuid, PASSWORD)
        return instance


def _kind(context: RequestContext, instance: Instance) -> str:
    """Return whose lock a caller's is."""
    return OWNER if context.project_id == instance.project_id else ADMIN


def _record(
    tx: Transaction,
    context: RequestContext,
    instance: Instance,
    action: str,
    now: datetime.datetime,
) -> None:
    """Store an action that has ended well."""
    operation = dataclasses.replace(
        instance_rows.operation_of(context, instance, action, now),
        state=OperationState.DONE,
        owner_host=None,
        deadline=None,
    )
    operations.create(tx, [{**instance_rows.operation_row(operation, now), "finish_time": now}])
