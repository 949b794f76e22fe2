"""Servers: what the API asks for."""

import dataclasses
import datetime
import logging

from nova import clock
from nova.conductor import dispatch, instance_rows, metadata_caches, shelving, transitions
from nova.conductor.actions.base import Beginning
from nova.conductor.actions.deferred_delete import is_deferred
from nova.conductor.actions.interfaces import check_detached
from nova.conductor.actions.registry import rules_of
from nova.conductor.creation import Creation
from nova.conductor.immediate import ImmediateActions
from nova.conductor.liveness import COMPUTE_BINARY, judged
from nova.conductor.notify.notifier import Notifier
from nova.conductor.settings import ConductorSettings
from nova.conductor.tasks.build import BuildTask, Pool
from nova.context import RequestContext
from nova.db import (
    archive,
    block_devices,
    instance_details,
    instance_pages,
    instances,
    operations,
    placement_reports,
    quotas,
    services,
)
from nova.db.duplicates import Repeat
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    ActionNotFound,
    AvailabilityZoneConflict,
    InstanceInvalidState,
    InstanceIsLocked,
    InstanceMetadataNotFound,
    InstanceNotFound,
    InstanceNotReady,
    InstanceTagNotFound,
    Invalid,
    MarkerNotFound,
    MetadataLimitExceeded,
    TooManyTags,
)
from nova.objects.action_request import ActionRequest
from nova.objects.instance import (
    CreatedServers,
    Instance,
    InstanceChange,
    InstanceQuery,
    InstanceSummary,
    NewServers,
    Scope,
)
from nova.objects.lifecycle import ACTIONS, PUBLIC_ACTION_NAMES, Action, TaskState, VmState
from nova.objects.operation import ActionEvent, ActionQuery, ActionRecord, OperationState, Work
from nova.objects.quota import UNLIMITED
from nova.objects.request_spec import PlacementReport
from nova.objects.unset import UNSET
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

MAX_TAGS = 50

# States in which a server's metadata and tags may be changed, whatever it is doing.
_WRITABLE = frozenset({VmState.ACTIVE, VmState.PAUSED, VmState.SUSPENDED, VmState.STOPPED})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """An action as it was asked for.

    only_in: states (vm_state, task_states) outside of which it is pointless; None: any.
    """

    name: str
    arguments: dict[str, str] = dataclasses.field(default_factory=dict)
    request: ActionRequest = dataclasses.field(default_factory=ActionRequest)
    only_in: tuple[VmState, frozenset[TaskState | None]] | None = None


class InstancesEndpoint(ImmediateActions):
    """Serves the servers of the database."""

    def __init__(
        self, db: Database, bus: Bus, settings: ConductorSettings, build: BuildTask, pool: Pool
    ) -> None:
        self.db = db
        self.bus = bus
        self.settings = settings
        self.build = build
        self.pool = pool
        self.creation = Creation(db, settings)
        self.notifier = Notifier(bus, db, settings.notifications)

    # --- Create, read, change

    def create_servers(self, context: RequestContext, new: NewServers) -> CreatedServers:
        """Store servers and begin to build them."""
        job = self.creation.create(context, new)
        self.pool.spawn(self.build.run, context, job)
        first = job.instances[0]
        return CreatedServers(
            reservation_id=first.reservation_id or "",
            instance_uuids=tuple(instance.uuid for instance in job.instances),
        )

    @retried
    def hosts_of(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...]
    ) -> dict[str, str]:
        """Return the hosts of the live servers among some."""
        with self.db.reading() as tx:
            found = instances.hosts_of(tx, instance_uuids, scope)
        return {uuid: host or "" for uuid, host in found.items()}

    @retried
    def page_summaries(
        self, context: RequestContext, query: InstanceQuery
    ) -> tuple[InstanceSummary, ...]:
        """Return one page of servers, names only."""
        with self.db.reading() as tx:
            return tuple(instance_pages.page_summaries(tx, query))

    @retried
    def page(self, context: RequestContext, query: InstanceQuery) -> tuple[Instance, ...]:
        """Return one page of servers with everything."""
        with self.db.reading() as tx:
            return tuple(instance_pages.page(tx, query))

    @retried
    def get(self, context: RequestContext, scope: Scope, instance_uuid: str) -> Instance:
        """Return a server."""
        with self.db.reading() as tx:
            return self._get(tx, scope, instance_uuid)

    @retried
    def update(
        self, context: RequestContext, scope: Scope, instance_uuid: str, change: InstanceChange
    ) -> Instance:
        """Change what the owner may change."""
        values = {
            field.name: getattr(change, field.name)
            for field in dataclasses.fields(change)
            if getattr(change, field.name) is not UNSET
        }
        with self.db.transaction() as tx:
            instance = self._get(tx, scope, instance_uuid)
            if not values:
                return instance
            _check_pin(instance, values.get("pinned_availability_zone"))
            values["updated_at"] = clock.utcnow()
            instances.compare_and_set(tx, instance.uuid, {}, values)
        return dataclasses.replace(instance, **values)

    def _get(self, tx: Transaction, scope: Scope, instance_uuid: str) -> Instance:
        instance = instances.find(tx, instance_uuid, scope)
        if instance is None:
            raise InstanceNotFound(instance_uuid=instance_uuid)
        return instance

    # --- Actions

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
        asked = _Asked(name=action, arguments=arguments or {}, request=request or ActionRequest())
        return self._dispatch(context, scope, instance_uuid, asked, admin_password)

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
        asked = _Asked(name=action, only_in=only_in)
        self._dispatch(context, Scope(), instance_uuid, asked)

    def _dispatch(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        asked: _Asked,
        admin_password: str | None = None,
    ) -> Instance:
        work = self._begin(context, scope, instance_uuid, asked)
        if shelving.is_build(work.operation, work.detail.instance):
            job = shelving.job_of(work, self.settings.default_schedule_zone)
            self.pool.spawn(self.build.run, context, job)
            return work.detail.instance
        if work.operation.owner_host is None:
            metadata_caches.forget(self.bus, context, work.detail.instance)
        else:
            detail = dataclasses.replace(work.detail, admin_password=admin_password)
            dispatch.cast(self.bus, context, dataclasses.replace(work, detail=detail))
        self.notifier.began(context, work.operation.action, work.detail.instance)
        return work.detail.instance

    @retried
    def _begin(
        self, context: RequestContext, scope: Scope, instance_uuid: str, asked: "_Asked"
    ) -> Work:
        now = clock.utcnow()
        with self.db.transaction() as tx:
            instance = self._get(tx, scope, instance_uuid)
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
            abandoned = {}
            if action.interrupts:
                abandoned = shelving.abandoned_image(tx, instance)
                word = PUBLIC_ACTION_NAMES.get(name, name)
                operations.supersede(tx, instance.uuid, f"Superseded by {word}", now)
            values = {**prepared.values, **transitions.begun(instance, action, now)}
            if not transitions.begin(tx, instance, values):
                check_action(context, self._get(tx, scope, instance_uuid), name)
                raise Repeat
            check_detached(tx, instance, name)
            begun = dataclasses.replace(instance, **instance_rows.fields_of(values))
            if prepared.metadata is not None:
                begun = dataclasses.replace(begun, metadata=prepared.metadata)
            if prepared.vifs is not None:
                begun = dataclasses.replace(begun, vifs=prepared.vifs)
            patience_s = action.deadline_s
            if prepared.schedule:
                patience_s = self.settings.placement_timeout_s
            deadline = now + datetime.timedelta(seconds=patience_s)
            operation = dataclasses.replace(
                instance_rows.operation_of(context, begun, name, deadline),
                arguments={**asked.arguments, **prepared.arguments, **abandoned},
                request=prepared.request,
            )
            row = instance_rows.operation_row(operation, now)
            operation_id = operations.create(tx, [row])[instance.uuid]
            operation = dataclasses.replace(operation, id=operation_id)
            devices = block_devices.list_for(tx, [instance.uuid])
            detail = dataclasses.replace(
                dispatch.detail_of(begun, devices.get(instance.uuid, ())),
                migration=rules.migration_of(tx, instance.uuid),
            )
            if name == "delete" and not self._reachable(tx, instance, now):
                self._delete_here(tx, instance, operation_id, now)
                operation = dataclasses.replace(operation, owner_host=None)
        return Work(operation=operation, detail=detail)

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

    # --- Metadata and tags

    @retried
    def set_metadata(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        metadata: dict[str, str],
        replace: bool = False,
    ) -> dict[str, str]:
        """Add or replace metadata; return all of it."""
        with self.db.transaction() as tx:
            instance = self._get(tx, scope, instance_uuid)
            _check_metadata_write(context, instance)
            after = dict(metadata) if replace else instance.metadata | metadata
            limits = quotas.limits(tx, instance.project_id, self.settings.quotas)
            limit = limits["metadata_items"]
            if limit != UNLIMITED and len(after) > max(limit, len(instance.metadata)):
                raise MetadataLimitExceeded(limit=limit)
            if replace:
                instance_details.delete_metadata(tx, [instance.uuid], None)
                instance_details.create_metadata(tx, [instance.uuid], metadata)
            else:
                instance_details.set_metadata(tx, [instance.uuid], metadata)
            self._touch(tx, instance)
        return after

    @retried
    def delete_metadata(
        self, context: RequestContext, scope: Scope, instance_uuid: str, key: str
    ) -> None:
        """Remove one item."""
        with self.db.transaction() as tx:
            instance = self._get(tx, scope, instance_uuid)
            _check_metadata_write(context, instance)
            if not instance_details.delete_metadata(tx, [instance.uuid], [key]):
                raise InstanceMetadataNotFound(key=key)
            self._touch(tx, instance)

    @retried
    def set_tags(
        self, context: RequestContext, scope: Scope, instance_uuid: str, tags: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Replace all tags; return them."""
        wanted = tuple(sorted(set(tags)))
        if len(wanted) > MAX_TAGS:
            raise TooManyTags(limit=MAX_TAGS)
        with self.db.transaction() as tx:
            instance = self._get(tx, scope, instance_uuid)
            _check_state(instance, "update tags")
            instance_details.delete_tags(tx, instance.uuid, None)
            instance_details.create_tags(tx, [instance.uuid], wanted)
            self._touch(tx, instance)
        return wanted

    @retried
    def add_tag(self, context: RequestContext, scope: Scope, instance_uuid: str, tag: str) -> bool:
        """Add a tag; tell whether it is new."""
        with self.db.transaction() as tx:
            instance = self._get(tx, scope, instance_uuid)
            _check_state(instance, "update tags")
            if tag in instance.tags:
                return False
            if len(instance.tags) >= MAX_TAGS:
                raise TooManyTags(limit=MAX_TAGS)
            instance_details.create_tags(tx, [instance.uuid], [tag])
            self._touch(tx, instance)
        return True

    @retried
    def delete_tag(
        self, context: RequestContext, scope: Scope, instance_uuid: str, tag: str
    ) -> None:
        """Remove a tag."""
        with self.db.transaction() as tx:
            instance = self._get(tx, scope, instance_uuid)
            _check_state(instance, "update tags")
            if not instance_details.delete_tags(tx, instance.uuid, [tag]):
                raise InstanceTagNotFound(instance_uuid=instance_uuid, tag=tag)
            self._touch(tx, instance)

    def _touch(self, tx: Transaction, instance: Instance) -> None:
        instances.compare_and_set(tx, instance.uuid, {}, {"updated_at": clock.utcnow()})

    # --- History

    @retried
    def page_actions(
        self, context: RequestContext, scope: Scope, instance_uuid: str, query: ActionQuery
    ) -> tuple[ActionRecord, ...]:
        """Return one page of a server's actions."""
        with self.db.reading() as tx:
            self._get_any(tx, scope, instance_uuid)
            found = operations.page(tx, instance_uuid, query)
        if found is None:
            raise MarkerNotFound(marker=query.marker)
        return tuple(_public(record) for record in found)

    @retried
    def get_action(
        self, context: RequestContext, scope: Scope, instance_uuid: str, request_id: str
    ) -> ActionRecord:
        """Return one action with its events."""
        with self.db.reading() as tx:
            self._get_any(tx, scope, instance_uuid)
            found = operations.find_record(tx, instance_uuid, request_id)
        if found is None:
            raise ActionNotFound(request_id=request_id, instance_uuid=instance_uuid)
        return _public(found)

    @retried
    def explain(
        self, context: RequestContext, scope: Scope, instance_uuid: str
    ) -> tuple[PlacementReport, ...]:
        """Return the placement reports of a server."""
        with self.db.reading() as tx:
            instance = self._get_any(tx, scope, instance_uuid)
            reservation_id = instance.reservation_id or instance.uuid
            kept = self.settings.placement_reports_kept
            return tuple(placement_reports.list_for(tx, reservation_id, instance.uuid, kept))

    def _get_any(self, tx: Transaction, scope: Scope, instance_uuid: str) -> Instance:
        """Return a live or deleted server."""
        found = archive.find(tx, instance_uuid, scope) or instances.find(tx, instance_uuid, scope)
        if found is None:
            raise InstanceNotFound(instance_uuid=instance_uuid)
        return found


def _public(record: ActionRecord) -> ActionRecord:
    return dataclasses.replace(record, action=PUBLIC_ACTION_NAMES.get(record.action, record.action))


def _check_seen(instance: Instance, asked: _Asked) -> None:
    """Refuse an action whose reason is gone.  Raises: InstanceInvalidState."""
    if asked.only_in is None:
        return
    vm_state, task_states = asked.only_in
    if instance.vm_state is not vm_state:
        raise _wrong_state(instance, asked.name, "vm_state", instance.vm_state)
    if instance.task_state not in task_states:
        raise _wrong_state(instance, asked.name, "task_state", instance.task_state)


def _check_metadata_write(context: RequestContext, instance: Instance) -> None:
    """Refuse to change metadata of a locked server, or in a state that does not allow it.

    Raises: InstanceIsLocked, InstanceInvalidState.
    """
    if instance.locked_by is not None and not context.is_admin:
        raise InstanceIsLocked(instance_uuid=instance.uuid)
    _check_state(instance, "update metadata")


def _check_pin(instance: Instance, zone: str | None) -> None:
    """Refuse to tie a server to another zone than the one it is in.

    Raises: AvailabilityZoneConflict.
    """
    if zone is not None and zone != instance.availability_zone:
        raise AvailabilityZoneConflict(instance_uuid=instance.uuid, zone=zone)


def _check_state(instance: Instance, change: str) -> None:
    if instance.vm_state not in _WRITABLE:
        raise _wrong_state(instance, change, "vm_state", instance.vm_state)


def check_action(context: RequestContext, instance: Instance, name: str) -> None:
    """Refuse an action that the server's state does not allow.

    Raises: InstanceInvalidState, InstanceIsLocked, InstanceNotReady.
    """
    action: Action = ACTIONS[name]
    if action.deny_locked and instance.locked_by is not None and not context.is_admin:
        raise InstanceIsLocked(instance_uuid=instance.uuid)
    if instance.vm_state not in action.vm_states:
        raise _wrong_state(instance, name, "vm_state", instance.vm_state)
    if instance.task_state not in action.task_states:
        raise _wrong_state(instance, name, "task_state", instance.task_state)
    if action.needs_host and (instance.host is None or instance.launched_at is None):
        raise InstanceNotReady(instance_uuid=instance.uuid)


def _wrong_state(
    instance: Instance, name: str, attribute: str, state: object
) -> InstanceInvalidState:
    return InstanceInvalidState(
        action=PUBLIC_ACTION_NAMES.get(name, name),
        instance_uuid=instance.uuid,
        attribute=attribute,
        state=str(state),
    )
