"""Carries operations out: start, work, finish; once each, one per server at a time."""

import contextlib
import dataclasses
import datetime
import logging
import threading
import traceback
from collections.abc import Callable, Iterator

from nova import clock, exception
from nova.concurrency import LockRegistry
from nova.conductor.rpcapi.operations import ConductorOperations
from nova.context import RequestContext
from nova.objects.instance import Fault, Instance
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.objects.operation import ActionResult, Operation, Progress, Work
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

# The conductor says that the result of this operation is not wanted from this host.
STALE = (exception.InstanceActionStale, exception.NotOwner)

# The conductor, or its database, can not be asked now.
AWAY = (exception.Unavailable, exception.RemoteError)

FAULT_CODE = 500


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the work of an operation ended well; vm_state None: as the lifecycle table says."""

    power_state: PowerState | None = None
    vm_state: VmState | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How it ended badly: a sentence for the tenant, and what shall follow."""

    message: str
    retry: bool = False
    vm_state: VmState | None = None
    power_state: PowerState | None = None


class Cancelled(Exception):
    """Another operation, the server's deletion, made this one pointless."""


class Running:
    """An operation while it is carried out; task_state names its present step."""

    def __init__(
        self,
        context: RequestContext,
        work: Work,
        task_state: TaskState | None,
        report: Callable[["Running"], None],
    ) -> None:
        self.context = context
        self.operation = work.operation
        self.detail = work.detail
        self.task_state = task_state
        self.cancelled = False
        self._report = report

    @property
    def instance(self) -> Instance:
        """The server, as it was when the operation was handed out."""
        return self.detail.instance

    def step(self, task_state: TaskState) -> None:
        """Tell the conductor that the next step begins.  Raises: Cancelled."""
        self.check()
        self.task_state = task_state
        self._report(self)

    def check(self) -> None:
        """Raises: Cancelled when the server is being deleted."""
        if self.cancelled:
            raise Cancelled


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One kind of operation.

    event: name in the action's event list.  task_state: set when the work starts.
    explain: the failure to report for an error; None leaves the operation unfinished, to be
    taken up again later.  discard: undoes finished work that nobody wants any more.
    settle: what can be thrown away only once the success is known to the conductor, because
    the work may have to be repeated until then; may be left out by a crash.
    undo: removes what was left by work that the end of the service interrupted, and returns
    what to report of it; every action needs one whose recovery is not to repeat it.
    task_state None: of an action that has no task states.
    """

    event: str
    task_state: TaskState | None
    work: Callable[[Running], Outcome]
    explain: Callable[[Running, Exception], Failure | None]
    discard: Callable[[Running], None] | None = None
    settle: Callable[[Running], None] | None = None
    undo: Callable[[Running], Failure] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Unsent:
    """A result that could not be delivered, and what follows when it is."""

    running: Running
    plan: Plan
    result: ActionResult


class Operations:
    """The operations of one host.

    A lock per server puts operations in a row; its registry of what runs drops doubled
    messages.  Results that could not be delivered are kept and sent again by resend().
    """

    def __init__(self, bus: Bus, host: str) -> None:
        self._conductor = bus.client(ConductorOperations)
        self._host = host
        self._locks = LockRegistry()
        self._guard = threading.Lock()
        self._running: dict[int, Running] = {}
        self._unsent: dict[int, _Unsent] = {}
        self._noted: dict[str, PowerState] | None = None

    def run(self, context: RequestContext, work: Work, plan: Plan) -> None:
        """Carry an operation out, unless it runs already or is no longer wanted."""
        running = Running(context, work, plan.task_state, self._progress)
        if not self._register(running):
            LOG.info("Operation %s is in progress already", work.operation.id)
            return
        try:
            with self._locks.hold(running.instance.uuid):
                if self._start(running):
                    self._work_and_finish(running, plan)
        finally:
            with self._guard:
                del self._running[work.operation.id]

    def cancel_others(self, operation: Operation) -> None:
        """Ask what else runs for an operation's server to stop at its next step."""
        with self._guard:
            for known, running in self._running.items():
                if running.instance.uuid == operation.instance_uuid and known != operation.id:
                    running.cancelled = True

    def is_known(self, operation_id: int) -> bool:
        """Tell whether an operation runs here, or its result waits to be delivered."""
        with self._guard:
            return operation_id in self._running or operation_id in self._unsent

    def is_busy(self, instance_uuid: str) -> bool:
        """Tell whether any operation runs for a server."""
        with self._guard:
            return any(entry.instance.uuid == instance_uuid for entry in self._running.values())

    def unfinished(self, context: RequestContext) -> tuple[Work, ...]:
        """Return what the conductor wants from this host and what is not known here."""
        works = self._conductor.anyone().unfinished(context, self._host)
        return tuple(work for work in works if not self.is_known(work.operation.id))

    def resend(self) -> bool:
        """Deliver results again that could not be delivered; tell whether any is unwanted."""
        unwanted = False
        for operation_id, unsent in list(self._unsent.items()):
            running, delivered = unsent.running, True
            self._note(running, unsent.result)
            try:
                self._conductor.anyone().finish(running.context, unsent.result)
            except AWAY as error:
                LOG.warning("Result of operation %s is still undelivered: %s", operation_id, error)
                return unwanted
            except STALE as error:
                LOG.info("Result of operation %s is not wanted: %s", operation_id, error)
                unwanted, delivered = True, False
            if delivered:
                _settle(running, unsent.plan, unsent.result)
            elif unsent.result.succeeded and unsent.plan.discard is not None:
                unsent.plan.discard(running)
            with self._guard:
                self._unsent.pop(operation_id, None)
        return unwanted

    @contextlib.contextmanager
    def noting_results(self) -> Iterator[dict[str, PowerState]]:
        """Collect the power states, by server, of the results that are sent meanwhile.

        One caller at a time.
        """
        noted: dict[str, PowerState] = {}
        with self._guard:
            self._noted = noted
        try:
            yield noted
        finally:
            with self._guard:
                self._noted = None

    def exclusively(self, instance_uuid: str) -> contextlib.AbstractContextManager[None]:
        """Hold the lock of a server against operations."""
        return self._locks.hold(instance_uuid)

    def _register(self, running: Running) -> bool:
        known = running.operation.id
        with self._guard:
            if known in self._running or known in self._unsent:
                return False
            self._running[known] = running
            return True

    def _start(self, running: Running) -> bool:
        """Claim the operation; False when there is nothing to do."""
        try:
            self._conductor.anyone().start(running.context, self._position(running))
        except STALE as error:
            LOG.info("Dropped: %s", error)
            return False
        except AWAY as error:
            LOG.warning("Operation %s is put off: %s", running.operation.id, error)
            return False
        return True

    def _progress(self, running: Running) -> None:
        """Report the present step; the work does not depend on the report."""
        try:
            self._conductor.anyone().progress(running.context, self._position(running))
        except AWAY as error:
            LOG.warning("Operation %s: step is not reported: %s", running.operation.id, error)

    def _position(self, running: Running) -> Progress:
        return Progress(
            operation_id=running.operation.id,
            host=self._host,
            instance_uuid=running.instance.uuid,
            task_state=running.task_state,
            step=running.task_state,
        )

    def _work_and_finish(self, running: Running, plan: Plan) -> None:
        result = self._result(running.operation, plan.event, clock.utcnow())
        try:
            outcome = plan.work(running)
        except Cancelled:
            LOG.info("Operation %s gives way to the server's deletion", running.operation.id)
            return
        except exception.NovaException as error:
            self._fail(running, plan, result, error)
            return
        except Exception as error:
            self._fail(running, plan, result, error)
            raise
        done = dataclasses.replace(
            result, succeeded=True, vm_state=outcome.vm_state, power_state=outcome.power_state
        )
        wanted = self._finish(running, plan, done)
        if wanted:
            LOG.info("Instance %s: %s done", running.instance.uuid, running.operation.action)
        elif plan.discard is not None:
            plan.discard(running)

    def _fail(self, running: Running, plan: Plan, result: ActionResult, error: Exception) -> None:
        operation = running.operation
        failure = plan.explain(running, error)
        if failure is None:
            LOG.warning("Operation %s is to be repeated: %s", operation.id, error)
            return
        LOG.warning("Instance %s: %s failed: %s", running.instance.uuid, operation.action, error)
        failed = _failed(result, failure, error)
        if failure.retry:
            failed = dataclasses.replace(failed, admin_password=running.detail.admin_password)
        self._finish(running, plan, failed)

    def _finish(self, running: Running, plan: Plan, result: ActionResult) -> bool:
        """Deliver a result; False when it is not wanted."""
        self._note(running, result)
        try:
            self._conductor.anyone().finish(running.context, result)
        except STALE as error:
            LOG.info("Result is not wanted: %s", error)
            return False
        except AWAY as error:
            LOG.warning("Operation %s: result is kept: %s", result.operation_id, error)
            unsent = _Unsent(running=running, plan=plan, result=result)
            with self._guard:
                self._unsent[result.operation_id] = unsent
        else:
            _settle(running, plan, result)
        return True

    def _note(self, running: Running, result: ActionResult) -> None:
        """Note what is about to be sent: afterwards the report under way may have ended."""
        with self._guard:
            if self._noted is not None and result.power_state is not None:
                self._noted[running.instance.uuid] = result.power_state

    def _result(
        self, operation: Operation, event: str, started_at: datetime.datetime
    ) -> ActionResult:
        return ActionResult(
            operation_id=operation.id,
            host=self._host,
            succeeded=False,
            event=event,
            event_started_at=started_at,
        )


def _settle(running: Running, plan: Plan, result: ActionResult) -> None:
    if result.succeeded and plan.settle is not None:
        plan.settle(running)


def _failed(result: ActionResult, failure: Failure, error: Exception) -> ActionResult:
    details = "".join(traceback.format_exception(error))
    return dataclasses.replace(
        result,
        vm_state=failure.vm_state,
        power_state=failure.power_state,
        retry=failure.retry,
        traceback=details,
        fault=Fault(
            code=FAULT_CODE,
            message=failure.message,
            details=details,
            created_at=clock.utcnow(),
        ),
    )
