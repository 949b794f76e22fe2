"""Takes up operations past their deadline, and those of hosts that are down.

Several conductors may do this at once: who moves the deadline takes the operation.
"""

import dataclasses
import datetime
import logging

from nova.compute.rpcapi import ComputeAPI
from nova.conductor import abandoned_images, metadata_caches, shelving, transitions
from nova.conductor.actions.base import Ending
from nova.conductor.actions.registry import rules_of
from nova.conductor.build_failures import (
    PASSWORD_LOST,
    FailedBuild,
    password_lost,
    reschedule,
)
from nova.conductor.liveness import COMPUTE_BINARY, judged, silent_before
from nova.conductor.settings import ConductorSettings
from nova.conductor.tasks.build import BuildJob, BuildTask
from nova.context import RequestContext
from nova.db import block_devices, instances, operations, placement_reports, services
from nova.db.engine import Database, Transaction, retried
from nova.exception import NovaException
from nova.objects.build_request import BuildRequest
from nova.objects.instance import Fault, Instance
from nova.objects.lifecycle import ACTIONS
from nova.objects.operation import (
    ABANDONED_IMAGE,
    ActionEvent,
    ActionResult,
    Operation,
    OperationState,
)
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

EVENT = "conductor_reconcile"
AGAIN_S = 60

NOT_PLACED = "The server could not be placed in time: no scheduler answered."
HOST_LOST = "The host of the server does not answer."
TOO_LONG = "Building the server took too long."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One operation to be taken up: with its server, and whether its host is alive."""

    operation: Operation
    instance: Instance
    host_is_up: bool
    now: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Next:
    """What is to be done after the transaction.

    job: a build to run.  wake: a host to ask to go on.  gone: a server to be forgotten.
    image_id: an image that will not be filled any more.
    """

    job: BuildJob | None = None
    wake: str | None = None
    gone: Instance | None = None
    image_id: str | None = None


class Reconciler:
    """Sees to it that no operation stays unfinished for ever."""

    def __init__(
        self, db: Database, bus: Bus, settings: ConductorSettings, build: BuildTask
    ) -> None:
        self.db = db
        self.bus = bus
        self.settings = settings
        self.build = build

    def run(self, context: RequestContext, now: datetime.datetime) -> tuple[int, ...]:
        """Take up what needs it; return the ids of these operations."""
        taken = []
        for operation in self._due(now):
            follow_up = self._take(operation, now)
            if follow_up is None:
                continue
            taken.append(operation.id)
            if follow_up.job is not None:
                self.build.run(context, follow_up.job)
            if follow_up.wake is not None:
                self._wake(context, follow_up.wake)
            if follow_up.gone is not None:
                metadata_caches.forget(self.bus, context, follow_up.gone)
            if follow_up.image_id is not None:
                abandoned_images.discard(self.bus, context, follow_up.image_id)
        self._prune(now)
        return tuple(taken)

    @retried
    def _due(self, now: datetime.datetime) -> list[Operation]:
        with self.db.reading() as tx:
            overdue = operations.list_overdue(tx, now)
            stranded = operations.list_stranded(tx, silent_before(self.settings, now))
        return list({operation.id: operation for operation in (*overdue, *stranded)}.values())

    @retried
    def _take(self, operation: Operation, now: datetime.datetime) -> _Next | None:
        """Decide about one operation and store it; None when another conductor was first."""
        with self.db.transaction() as tx:
            instance = instances.find(tx, operation.instance_uuid)
            if instance is not None and self._goes_on(operation, instance, now):
                return None
            attempt = operation.attempt + 1 if _waits(operation) else None
            deadline = now + datetime.timedelta(seconds=self._patience_s(operation))
            if not operations.set_deadline(tx, operation, deadline, attempt):
                return None
            moved = dataclasses.replace(operation, deadline=deadline)
            if instance is None:
                self._end(tx, moved, "The server is gone.", now)
                return _Next()
            case = _Case(
                operation=moved,
                instance=instance,
                host_is_up=self._is_up(tx, operation.owner_host, now),
                now=now,
            )
            LOG.info(
                "Operation %s (%s) of instance %s is taken up",
                operation.id,
                operation.action,
                instance.uuid,
            )
            return self._decide(tx, case)

    def _goes_on(self, operation: Operation, instance: Instance, now: datetime.datetime) -> bool:
        """Tell whether a running operation made progress within its time."""
        if operation.state is not OperationState.RUNNING or instance.updated_at is None:
            return False
        if operation.deadline is None or operation.deadline > now:
            return False
        limit = datetime.timedelta(seconds=ACTIONS[operation.action].deadline_s)
        return not self.settings.instance_build_timeout_s and instance.updated_at + limit > now

    def _patience_s(self, operation: Operation) -> int:
        return self.settings.placement_timeout_s if _waits(operation) else AGAIN_S

    def _is_up(self, tx: Transaction, host: str | None, now: datetime.datetime) -> bool:
        service = None if host is None else services.find(tx, host, COMPUTE_BINARY)
        return service is not None and judged(self.settings, service, now).is_up

    def _decide(self, tx: Transaction, case: _Case) -> _Next:
        if shelving.is_build(case.operation, case.instance):
            return self._decide_build(tx, case)
        if case.host_is_up:
            return _Next(wake=case.operation.owner_host)
        if case.operation.action == "delete":
            transitions.finish_delete(tx, case.instance, case.now)
            self._end(tx, case.operation, None, case.now)
            image_id = case.operation.arguments.get(ABANDONED_IMAGE)
            return _Next(gone=case.instance, image_id=image_id)
        self._fail_action(tx, case)
        return _Next(image_id=abandoned_images.image_of(case.operation))

    # --- Builds

    def _decide_build(self, tx: Transaction, case: _Case) -> _Next:
        operation, instance = case.operation, case.instance
        request = self._request_of(tx, operation, instance)
        if _waits(operation):
            return self._place_again(tx, case, request)
        if case.host_is_up and not self.settings.instance_build_timeout_s:
            return _Next(wake=operation.owner_host)
        reason = self._why_not_elsewhere(case, request)
        if reason is not None:
            self.build.fail_in(tx, instance, operation, reason, case.now)
            return _Next()
        failed = FailedBuild(operation=operation, instance=instance, request=request)
        return _Next(job=reschedule(tx, failed, self.settings.placement_timeout_s, case.now))

    def _request_of(
        self, tx: Transaction, operation: Operation, instance: Instance
    ) -> BuildRequest:
        if operation.action == "unshelve":
            zone = self.settings.default_schedule_zone
            return shelving.build_request_of(operation, instance, zone)
        return operations.build_requests(tx, [operation.id]).get(operation.id, BuildRequest())

    def _place_again(self, tx: Transaction, case: _Case, request: BuildRequest) -> _Next:
        operation, instance = case.operation, case.instance
        reason = None
        if operation.attempt + 1 >= self.settings.max_attempts:
            reason = NOT_PLACED
        elif password_lost(instance, request, None):
            reason = PASSWORD_LOST
        if reason is not None:
            self.build.fail_in(tx, instance, operation, reason, case.now)
            return _Next()
        job = BuildJob(
            instances=(instance,),
            operations=(dataclasses.replace(operation, attempt=operation.attempt + 1),),
            request=request,
            block_devices=block_devices.list_for(tx, [instance.uuid]).get(instance.uuid, ()),
        )
        return _Next(job=job)

    def _why_not_elsewhere(self, case: _Case, request: BuildRequest) -> str | None:
        if case.host_is_up:
            return TOO_LONG
        if request.force_host is not None or case.operation.attempt >= self.settings.max_attempts:
            return HOST_LOST
        if password_lost(case.instance, request, None):
            return PASSWORD_LOST
        return None

    # --- Ends

    def _fail_action(self, tx: Transaction, case: _Case) -> None:
        result = ActionResult(
            operation_id=case.operation.id,
            host=case.operation.owner_host or "",
            succeeded=False,
            fault=Fault(code=500, message=HOST_LOST, created_at=case.now),
        )
        self._end(tx, case.operation, HOST_LOST, case.now)
        ending = Ending(
            operation=case.operation,
            result=result,
            instance=case.instance,
            settings=self.settings,
            now=case.now,
        )
        more = rules_of(case.operation.action).failed(tx, ending)
        transitions.fail(tx, case.operation, result, case.now, more)

    def _end(
        self, tx: Transaction, operation: Operation, error: str | None, now: datetime.datetime
    ) -> None:
        """Finish an operation, with an error or without."""
        operations.advance(
            tx,
            operation.id,
            operations.UNFINISHED,
            operation.owner_host,
            {
                "state": OperationState.DONE if error is None else OperationState.FAILED,
                "message": None if error is None else "Error",
                "deadline": None,
                "build_request": None,
                "request": None,
                "finish_time": now,
                "updated_at": now,
            },
        )
        event = ActionEvent(
            event=EVENT,
            started_at=operation.started_at or now,
            finished_at=now,
            result="Success" if error is None else "Error",
            details=error,
        )
        operations.add_event(tx, operation.id, event)

    def _wake(self, context: RequestContext, host: str) -> None:
        try:
            self.bus.client(ComputeAPI).on(host).pull_operations(context)
        except NovaException as error:
            LOG.warning("Host %s could not be asked to go on: %s", host, error)

    @retried
    def _prune(self, now: datetime.datetime) -> None:
        before = now - datetime.timedelta(days=self.settings.placement_report_days)
        with self.db.transaction() as tx:
            placement_reports.prune(tx, before)


def _waits(operation: Operation) -> bool:
    """Tell whether an operation waits for a host."""
    return operation.owner_host is None
