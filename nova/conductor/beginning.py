"""How operations on servers begin: checked, stored and sent by one call."""

import dataclasses
import datetime
import logging
from collections.abc import Mapping
from typing import Any

from nova import clock
from nova.conductor import (
    abandoned_images,
    dispatch,
    instance_rows,
    metadata_caches,
    shelving,
    transitions,
)
from nova.conductor.actions.base import Beginning, Prepared
from nova.conductor.actions.deferred_delete import is_deferred
from nova.conductor.actions.interfaces import check_detached
from nova.conductor.actions.registry import rules_of
from nova.conductor.checks import check_action, require, require_all, wrong_state
from nova.conductor.liveness import COMPUTE_BINARY, judged
from nova.conductor.notify.notifier import Notifier
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.conductor.settings import ConductorSettings
from nova.conductor.tasks.build import BuildTask, Pool
from nova.context import RequestContext
from nova.db import block_devices, operations, services
from nova.db.duplicates import Repeat
from nova.db.engine import Database, Transaction, retried
from nova.exception import InstanceNotFound, InstanceNotReady, Invalid
from nova.objects.action_request import ActionRequest
from nova.objects.instance import Instance, Scope
from nova.objects.lifecycle import ACTIONS, PUBLIC_ACTION_NAMES, Action, TaskState, VmState
from nova.objects.operation import ABANDONED_IMAGE, ActionEvent, OperationState, Work
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An action as it was asked for.

    only_in: states (vm_state, task_states) outside of which it is pointless; None: any.
    """

    name: str
    arguments: dict[str, str] = dataclasses.field(default_factory=dict)
    request: ActionRequest = dataclasses.field(default_factory=ActionRequest)
    only_in: tuple[VmState, frozenset[TaskState | None]] | None = None


class Beginnings(ConductorInstances):
    """Begins operations; subclasses provide what it works with."""

    db: Database
    bus: Bus
    settings: ConductorSettings
    build: BuildTask
    pool: Pool
    notifier: Notifier

    def begin_action(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        action: str,
        arguments: dict[str, str] | None = None,
        request: ActionRequest | None = None,
        admin_password: str | None = None,
    ) -> Instance:
        """Set the action's task state, store the operation, and dispatch it."""
        if action not in ACTIONS or action == "create":
            raise Invalid(reason=f"There is no action {action}.")
        asked = Asked(name=action, arguments=arguments or {}, request=request or ActionRequest())
        return self._dispatch(context, scope, instance_uuid, asked, admin_password)

    def begin_all(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...], action: str
    ) -> tuple[Instance, ...]:
        """Begin an action on each of some servers, on none unless all of them allow it.

        Each has a transaction of its own, which none of the others has to wait for; one that
        is changed by somebody else after the check ends the work with what has begun.
        Raises: as begin_action().
        """
        asked = Asked(name=action)
        self._check_all(context, scope, instance_uuids, action)
        return tuple(self._dispatch(context, scope, uuid, asked) for uuid in instance_uuids)

    @retried
    def _check_all(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...], action: str
    ) -> None:
        now = clock.utcnow()
        with self.db.reading() as tx:
            for instance in require_all(tx, scope, instance_uuids):
                check_action(context, instance, self._settled(tx, action, instance, now))

    def renew_networks(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...]
    ) -> None:
        """Begin to write networks anew where that is not under way."""
        asked = Asked(name="inject_network_info")
        for uuid in instance_uuids:
            if self._has_unfinished(uuid, asked.name):
                continue
            try:
                self._dispatch(context.elevated(), scope, uuid, asked)
            except (InstanceNotFound, InstanceNotReady) as error:
                LOG.info("Networks of instance %s are not renewed: %s", uuid, error)

    @retried
    def _has_unfinished(self, instance_uuid: str, action: str) -> bool:
        with self.db.reading() as tx:
            unfinished = operations.list_unfinished_of(tx, instance_uuid)
        return any(operation.action == action for operation in unfinished)

    def begin_due(
        self,
        context: RequestContext,
        instance_uuid: str,
        action: str,
        only_in: tuple[VmState, frozenset[TaskState | None]],
    ) -> None:
        """Begin an action on a server that is still in a state (vm_state, task_states).

        Raises: InstanceInvalidState, and what begin_action() raises.
        """
        asked = Asked(name=action, only_in=only_in)
        self._dispatch(context, Scope(), instance_uuid, asked)

    def _dispatch(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        asked: Asked,
        admin_password: str | None = None,
    ) -> Instance:
        work = self._begin(context, scope, instance_uuid, asked)
        if shelving.is_build(work.operation, work.detail.instance):
            job = shelving.job_of(work, self.settings.default_schedule_zone)
            self.pool.spawn(self.build.run, context, job)
            return work.detail.instance
        if work.operation.owner_host is None:
            metadata_caches.forget(self.bus, context, work.detail.instance)
            image_id = work.operation.arguments.get(ABANDONED_IMAGE)
            if image_id is not None:
                abandoned_images.discard(self.bus, context, image_id)
        else:
            detail = dataclasses.replace(work.detail, admin_password=admin_password)
            dispatch.cast(self.bus, context, dataclasses.replace(work, detail=detail))
        self.notifier.began(context, work.operation.action, work.detail.instance)
        return work.detail.instance

    @retried
    def _begin(
        self, context: RequestContext, scope: Scope, instance_uuid: str, asked: Asked
    ) -> Work:
        now = clock.utcnow()
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            name = self._settled(tx, asked.name, instance, now)
            action, rules = ACTIONS[name], rules_of(name)
            check_action(context, instance, name)
            _check_seen(instance, asked)
            beginning = Beginning(
                context=context,
                instance=instance,
                action=name,
                request=asked.request,
                settings=self.settings,
                now=now,
            )
            prepared = rules.prepare(tx, beginning)
            abandoned = self._interrupt(tx, action, name, instance, now)
            values = {**prepared.values, **transitions.begun(instance, action, now)}
            if not transitions.begin(tx, instance, values):
                check_action(context, require(tx, scope, instance_uuid), name)
                raise Repeat
            check_detached(tx, instance, name)
            begun = _begun(instance, prepared, values)
            operation = dataclasses.replace(
                instance_rows.operation_of(
                    context, begun, name, self._deadline(name, prepared, now)
                ),
                arguments={**asked.arguments, **prepared.arguments, **abandoned},
                request=prepared.request,
            )
            operation_id = operations.create(tx, [instance_rows.operation_row(operation, now)])
            operation = dataclasses.replace(operation, id=operation_id[instance.uuid])
            devices = block_devices.list_for(tx, [instance.uuid])
            detail = dataclasses.replace(
                dispatch.detail_of(begun, devices.get(instance.uuid, ())),
                migration=rules.migration_of(tx, instance.uuid),
            )
            if name == "delete" and not self._reachable(tx, instance, now):
                self._delete_here(tx, instance, operation.id, now)
                operation = dataclasses.replace(operation, owner_host=None)
        return Work(operation=operation, detail=detail)

    def _interrupt(
        self,
        tx: Transaction,
        action: Action,
        name: str,
        instance: Instance,
        now: datetime.datetime,
    ) -> dict[str, str]:
        """End what an action may interrupt; return arguments that name what that leaves."""
        if not action.interrupts:
            return {}
        abandoned = shelving.abandoned_image(tx, instance)
        word = PUBLIC_ACTION_NAMES.get(name, name)
        operations.supersede(tx, instance.uuid, f"Superseded by {word}", now)
        return abandoned

    def _deadline(self, name: str, prepared: Prepared, now: datetime.datetime) -> datetime.datetime:
        seconds = ACTIONS[name].deadline_s
        if prepared.schedule:
            seconds = self.settings.placement_timeout_s
        return now + datetime.timedelta(seconds=seconds)

    def _settled(
        self, tx: Transaction, name: str, instance: Instance, now: datetime.datetime
    ) -> str:
        """Return the action itself; a deletion that can not be a soft one is one at once."""
        if name != "soft_delete":
            return name
        deferred = is_deferred(self.settings, instance) and self._reachable(tx, instance, now)
        return name if deferred else "delete"

    def _reachable(self, tx: Transaction, instance: Instance, now: datetime.datetime) -> bool:
        """Tell whether a live host has the server."""
        if instance.host is None:
            return False
        service = services.find(tx, instance.host, COMPUTE_BINARY)
        return service is not None and judged(self.settings, service, now).is_up

    def _delete_here(
        self, tx: Transaction, instance: Instance, operation_id: int, now: datetime.datetime
    ) -> None:
        """Delete a server without its host; the host removes what is left when it is back."""
        transitions.finish_delete(tx, instance, now)
        operations.advance(
            tx,
            operation_id,
            operations.UNFINISHED,
            instance.host,
            {
                "state": OperationState.DONE,
                "deadline": None,
                "finish_time": now,
                "updated_at": now,
            },
        )
        event = ActionEvent(
            event="conductor_local_delete", started_at=now, finished_at=now, result="Success"
        )
        operations.add_event(tx, operation_id, event)
        LOG.info("Instance %s was deleted without its host %s", instance.uuid, instance.host)


def _check_seen(instance: Instance, asked: Asked) -> None:
    """Refuse an action whose reason is gone.  Raises: InstanceInvalidState."""
    if asked.only_in is None:
        return
    vm_state, task_states = asked.only_in
    if instance.vm_state is not vm_state:
        raise wrong_state(instance, asked.name, "vm_state", instance.vm_state)
    if instance.task_state not in task_states:
        raise wrong_state(instance, asked.name, "task_state", instance.task_state)


def _begun(instance: Instance, prepared: Prepared, values: Mapping[str, Any]) -> Instance:
    """Return a server as it is once an action has begun."""
    begun = dataclasses.replace(instance, **instance_rows.fields_of(values))
    if prepared.metadata is not None:
        begun = dataclasses.replace(begun, metadata=prepared.metadata)
    if prepared.vifs is not None:
        begun = dataclasses.replace(begun, vifs=prepared.vifs)
    return begun
