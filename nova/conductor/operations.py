"""Operations: what compute hosts ask for and report."""

import dataclasses
import datetime
import logging

from nova import clock
from nova.conductor import dispatch, metadata_caches, shelving, transitions
from nova.conductor.actions.base import ActionRules, Ending, Values
from nova.conductor.actions.registry import rules_of
from nova.conductor.build_failures import (
    PASSWORD_LOST,
    FailedBuild,
    fault_of,
    is_foreign,
    password_lost,
    reschedule,
)
from nova.conductor.network_hosts import NetworkHosts
from nova.conductor.notify.notifier import Notifier
from nova.conductor.rpcapi.operations import ConductorOperations
from nova.conductor.settings import ConductorSettings
from nova.conductor.tasks.build import BuildJob, BuildTask, Pool
from nova.context import RequestContext
from nova.db import archive, floating_ips, instances, operations
from nova.db.engine import Database, Transaction, retried
from nova.exception import InstanceActionStale, Invalid, NotOwner
from nova.objects.build_request import BuildRequest
from nova.objects.instance import Instance
from nova.objects.lifecycle import ACTIONS
from nova.objects.operation import (
    ActionEvent,
    ActionResult,
    Operation,
    OperationState,
    Progress,
    Work,
)
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

MAX_UUIDS = 20000
MAX_NAMED = 10
DELETE_RETRY_S = 60
_GIVE_ADDRESSES_BACK = frozenset({"delete", "detach_interface"})
_CHANGE_NETWORK_HOSTS = _GIVE_ADDRESSES_BACK | {
    "resize", "revertResize", "rebuild", "shelve", "shelveOffload", "unshelve",
    "add_fixed_ip", "remove_fixed_ip",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Next:
    """What is to be done after a result is saved: the next operation, or telling of it."""

    job: BuildJob | None = None
    work: Work | None = None
    gone: Instance | None = None
    ended: Operation | None = None
    before: Instance | None = None
    network_hosts: frozenset[str] = frozenset()


class OperationsEndpoint(ConductorOperations):
    """Serves the operations of the database; each host gets at its own only."""

    def __init__(
        self, db: Database, bus: Bus, settings: ConductorSettings, build: BuildTask, pool: Pool
    ) -> None:
        self.db = db
        self.bus = bus
        self.settings = settings
        self.build = build
        self.pool = pool
        self.network_hosts = NetworkHosts(bus)
        self.notifier = Notifier(bus, db, settings.notifications)

    @retried
    def start(self, context: RequestContext, progress: Progress) -> None:
        """Mark an operation as running on a host, and set its task state."""
        now = clock.utcnow()
        deadlines = {
            name: now + datetime.timedelta(seconds=self._deadline_s(name)) for name in ACTIONS
        }
        with self.db.transaction() as tx:
            if not operations.start(tx, progress, deadlines, now):
                raise self._refusal(tx, progress.operation_id, progress.host)
            if progress.task_state not in transitions.DISPATCHED:
                transitions.step(tx, progress, now)

    def _deadline_s(self, action: str) -> int:
        if action == "create" and self.settings.instance_build_timeout_s:
            return self.settings.instance_build_timeout_s
        return ACTIONS[action].deadline_s

    def _refusal(
        self, tx: Transaction, operation_id: int, host: str
    ) -> InstanceActionStale | NotOwner:
        """Return why a host may not go on with an operation."""
        operation = operations.find(tx, operation_id)
        if operation is not None and is_foreign(operation, host):
            LOG.warning("Host %s spoke about operation %s of another", host, operation_id)
            return NotOwner(host=host, what=f"operation {operation_id}")
        uuid = operation.instance_uuid if operation is not None else "unknown"
        return InstanceActionStale(action_id=operation_id, instance_uuid=uuid)

    @retried
    def progress(self, context: RequestContext, progress: Progress) -> None:
        """Set the task state of a running operation.

        Its deadline counts from the last change of the server.
        """
        with self.db.transaction() as tx:
            if not transitions.step(tx, progress, clock.utcnow(), onwards=True):
                LOG.info(
                    "Late progress of operation %s from %s", progress.operation_id, progress.host
                )

    def finish(self, context: RequestContext, result: ActionResult) -> None:
        """Save how an operation ended; a build may be sent to another host."""
        follow_up = self._finish(result)
        if follow_up.job is not None:
            self.pool.spawn(self.build.run, context, follow_up.job)
        if follow_up.work is not None:
            dispatch.cast(self.bus, context, follow_up.work)
        if follow_up.gone is not None:
            metadata_caches.forget(self.bus, context, follow_up.gone)
        self.network_hosts.refresh_soon(context, follow_up.network_hosts)
        if follow_up.ended is not None and follow_up.before is not None:
            self.notifier.ended(context, follow_up.ended, result, follow_up.before)

    @retried
    def _finish(self, result: ActionResult) -> _Next:
        """Save a result; return what is to be done next."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            operation = operations.find(tx, result.operation_id)
            if operation is None or operation.state not in operations.UNFINISHED:
                self._check_repeat(operation, result)
                return _Next()
            if operation.owner_host != result.host:
                if not result.succeeded and not is_foreign(operation, result.host):
                    return _Next()
                raise self._refusal(tx, operation.id, result.host)
            before = None
            if self.notifier.active:
                before = instances.find(tx, operation.instance_uuid)
            places = self._places(tx, operation)
            follow_up = self._save(tx, operation, result, now)
            after = self._places(tx, operation)
        changed = places | after if places != after else set()
        hosts = frozenset(host for place in changed for host in place if host is not None)
        return dataclasses.replace(follow_up, ended=operation, before=before, network_hosts=hosts)

    def _places(self, tx: Transaction, operation: Operation) -> set[tuple[str | None, str | None]]:
        """Return where a server's addresses are and shall be, if that may change now."""
        if operation.action not in _CHANGE_NETWORK_HOSTS:
            return set()
        return floating_ips.places_of(tx, operation.instance_uuid)

    def _save(
        self, tx: Transaction, operation: Operation, result: ActionResult, now: datetime.datetime
    ) -> _Next:
        if result.succeeded:
            gone = self._succeed(tx, operation, result, now)
            return _Next(gone=gone, work=self._chained(tx, operation, now))
        if shelving.is_build(operation, instances.find(tx, operation.instance_uuid)):
            return _Next(job=self._failed_build(tx, operation, result, now))
        self._fail(tx, operation, result, now)
        return _Next()

    def _chained(
        self, tx: Transaction, operation: Operation, now: datetime.datetime
    ) -> Work | None:
        """Begin what follows an operation at once: a shelved server leaves its host."""
        if operation.action != "shelve" or self.settings.shelved_offload_time_s != 0:
            return None
        return shelving.begin_offload(tx, operation, now)

    def _check_repeat(self, operation: Operation | None, result: ActionResult) -> None:
        """Let a repeated result pass; refuse one that is too late or of another host."""
        if operation is None:
            raise InstanceActionStale(action_id=result.operation_id, instance_uuid="unknown")
        if is_foreign(operation, result.host):
            raise NotOwner(host=result.host, what=f"operation {operation.id}")
        if operation.state is OperationState.FAILED and result.succeeded:
            raise InstanceActionStale(action_id=operation.id, instance_uuid=operation.instance_uuid)

    def _succeed(
        self, tx: Transaction, operation: Operation, result: ActionResult, now: datetime.datetime
    ) -> Instance | None:
        """Save a success; return the server, as it was, if addresses of it are free now."""
        gone = None
        self._end(tx, operation, OperationState.DONE, None, now)
        self._event(tx, operation, result, now)
        if operation.action in _GIVE_ADDRESSES_BACK:
            gone = instances.find(tx, operation.instance_uuid)
        if operation.action == "delete":
            if gone is not None:
                transitions.finish_delete(tx, gone, now)
        else:
            more = self._apply(tx, operation, result, now)
            if not transitions.finish(tx, operation, result, now, more):
                raise InstanceActionStale(
                    action_id=operation.id, instance_uuid=operation.instance_uuid
                )
        LOG.info(
            "Operation %s (%s) of instance %s is done",
            operation.id,
            operation.action,
            operation.instance_uuid,
        )
        return gone

    def _fail(
        self, tx: Transaction, operation: Operation, result: ActionResult, now: datetime.datetime
    ) -> None:
        """Save a failure for good; a deletion stays pending and is tried again later."""
        if operation.action == "delete":
            values = {
                "state": OperationState.PENDING,
                "message": "Error",
                "deadline": now + datetime.timedelta(seconds=DELETE_RETRY_S),
                "updated_at": now,
            }
            operations.advance(
                tx, operation.id, operations.UNFINISHED, operation.owner_host, values
            )
        else:
            self._end(tx, operation, OperationState.FAILED, "Error", now)
        more = self._apply(tx, operation, result, now)
        transitions.fail(tx, operation, result, now, more)
        self._event(tx, operation, result, now)

    def _apply(
        self, tx: Transaction, operation: Operation, result: ActionResult, now: datetime.datetime
    ) -> Values:
        """Let the rules of an action store what follows from its end."""
        rules = rules_of(operation.action)
        handle = rules.succeeded if result.succeeded else rules.failed
        if getattr(ActionRules, handle.__name__) is getattr(type(rules), handle.__name__):
            return {}
        instance = instances.find(tx, operation.instance_uuid)
        if instance is None:
            return {}
        ending = Ending(
            operation=operation,
            result=result,
            instance=instance,
            settings=self.settings,
            now=now,
        )
        return handle(tx, ending)

    def _end(
        self,
        tx: Transaction,
        operation: Operation,
        state: OperationState,
        message: str | None,
        now: datetime.datetime,
    ) -> None:
        ended = operations.advance(
            tx,
            operation.id,
            operations.UNFINISHED,
            operation.owner_host,
            {
                "state": state,
                "message": message,
                "deadline": None,
                "build_request": None,
                "request": None,
                "finish_time": now,
                "updated_at": now,
            },
        )
        if not ended:
            raise InstanceActionStale(action_id=operation.id, instance_uuid=operation.instance_uuid)

    def _event(
        self, tx: Transaction, operation: Operation, result: ActionResult, now: datetime.datetime
    ) -> None:
        event = ActionEvent(
            event=result.event or f"compute_{operation.action}",
            started_at=result.event_started_at or now,
            finished_at=now,
            result="Success" if result.succeeded else "Error",
            traceback=result.traceback,
            host=result.host,
            details=result.fault.message if result.fault is not None else None,
        )
        operations.add_event(tx, operation.id, event)

    # --- Builds that failed

    def _failed_build(
        self, tx: Transaction, operation: Operation, result: ActionResult, now: datetime.datetime
    ) -> BuildJob | None:
        """Free what a failed build held; return the job for another host if one may be tried."""
        instance = instances.find(tx, operation.instance_uuid)
        if instance is None or instance.host != result.host:
            raise InstanceActionStale(action_id=operation.id, instance_uuid=operation.instance_uuid)
        if operation.action == "unshelve":
            zone = self.settings.default_schedule_zone
            request = shelving.build_request_of(operation, instance, zone)
        else:
            found = operations.build_requests(tx, [operation.id])
            request = found.get(operation.id, BuildRequest())
        self._event(tx, operation, result, now)
        reason = self._why_not_again(operation, instance, request, result)
        if reason is None:
            failed = FailedBuild(
                operation=operation,
                instance=instance,
                request=request,
                admin_password=result.admin_password,
                reason=result.fault.message if result.fault is not None else None,
            )
            return reschedule(tx, failed, self.settings.placement_timeout_s, now)
        self._end(tx, operation, OperationState.FAILED, "Error", now)
        transitions.fail_build(tx, instance, fault_of(result, reason, now), now)
        LOG.info("Instance %s failed to build: %s", instance.uuid, reason)
        return None

    def _why_not_again(
        self,
        operation: Operation,
        instance: Instance,
        request: BuildRequest,
        result: ActionResult,
    ) -> str | None:
        if not result.retry:
            return "The server could not be built."
        if request.force_host is not None:
            return "The server could not be built on the host that was asked for."
        if operation.attempt >= self.settings.max_attempts:
            return "Exceeded maximum number of attempts to build the server."
        if password_lost(instance, request, result.admin_password):
            return PASSWORD_LOST
        return None

    # --- What hosts read

    @retried
    def unfinished(self, context: RequestContext, host: str) -> tuple[Work, ...]:
        """Return the operations that a host owns and has not finished, oldest first."""
        with self.db.reading() as tx:
            return tuple(dispatch.load_work(tx, operations.list_unfinished(tx, host)))

    @retried
    def instances_on_host(self, context: RequestContext, host: str) -> tuple[Instance, ...]:
        """Return the servers that are placed on a host."""
        with self.db.reading() as tx:
            return tuple(instances.list_on_host(tx, host))

    @retried
    def deleted_on_host(
        self, context: RequestContext, host: str, instance_uuids: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Return which of these have left this host: deleted, or on another host or on none.

        What was never a server of this cloud is left alone: the host, or this conductor, may
        have been pointed at the wrong database.
        """
        if len(instance_uuids) > MAX_UUIDS:
            raise Invalid(reason=f"more than {MAX_UUIDS} uuids were asked about at once")
        with self.db.reading() as tx:
            hosts = instances.hosts_of(tx, instance_uuids)
            deleted = archive.known(tx, [uuid for uuid in instance_uuids if uuid not in hosts])
        unknown = [uuid for uuid in instance_uuids if uuid not in hosts and uuid not in deleted]
        if unknown:
            LOG.warning(
                "Host %s has %d guests that are no servers of this cloud; they are left alone: %s",
                host,
                len(unknown),
                ", ".join(unknown[:MAX_NAMED]),
            )
        return tuple(
            uuid for uuid in instance_uuids if uuid in deleted or hosts.get(uuid, host) != host
        )
