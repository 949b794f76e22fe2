"""Operations on servers: durable intent (instance_actions) and what becomes of it."""

import dataclasses
import datetime
import enum

from nova.objects.action_request import ActionRequest
from nova.objects.instance import Fault
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState, TaskState, VmState


class OperationState(enum.StrEnum):
    """Where an operation stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


# Argument of an operation: nothing is done unless the guest has this power state.
IF_POWER_STATE = "if_power_state"

# Argument of a deletion: an image that an operation which it ended had begun to make.
ABANDONED_IMAGE = "abandoned_image"

# Argument of a rebuild: disks that a resize has put aside are to be deleted.
DISCARD_ASIDE = "discard_aside"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One asynchronous operation on a server, stored before any message about it goes out.

    id: also the key by which hosts make the work idempotent.
    action: key of lifecycle.ACTIONS.  owner_host: who carries it out, None before placement.
    step: name of the step that was last begun.  arguments: plain texts by name.
    request: what the caller asked for along with it.
    """

    id: int
    instance_uuid: str
    action: str
    request_id: str
    user_id: str | None = None
    project_id: str | None = None
    state: OperationState = OperationState.PENDING
    owner_host: str | None = None
    step: str | None = None
    arguments: dict[str, str] = dataclasses.field(default_factory=dict)
    request: ActionRequest | None = None
    attempt: int = 0
    deadline: datetime.datetime | None = None
    started_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An operation with the server it is about: what a compute host is given to do."""

    operation: Operation
    detail: InstanceDetail


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """How an operation ended; everything is saved in one transaction.

    succeeded False with retry True asks for another host (build only).
    vm_state None takes the state that the lifecycle table names.
    event: name in the action's event list; traceback is for administrators.
    admin_password: handed back with retry, so that the next host can set it.
    """

    operation_id: int
    host: str
    succeeded: bool
    vm_state: VmState | None = None
    power_state: PowerState | None = None
    fault: Fault | None = None
    retry: bool = False
    event: str = ""
    event_started_at: datetime.datetime | None = None
    traceback: str | None = None
    admin_password: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step of a running operation that begins now; task_state None is left alone."""

    operation_id: int
    host: str
    instance_uuid: str
    task_state: TaskState | None
    step: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ActionEvent:
    """One event of an action, as os-instance-actions shows it."""

    event: str
    started_at: datetime.datetime
    finished_at: datetime.datetime | None = None
    result: str | None = None
    traceback: str | None = None
    host: str | None = None
    details: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord:
    """An action as users see it, with its events.  placement is for administrators."""

    instance_uuid: str
    action: str
    request_id: str
    user_id: str | None
    project_id: str | None
    started_at: datetime.datetime
    updated_at: datetime.datetime | None = None
    message: str | None = None
    events: tuple[ActionEvent, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ActionQuery:
    """One page of a server's actions, newest first."""

    limit: int = 1000
    marker: str | None = None
    changes_since: datetime.datetime | None = None
    changes_before: datetime.datetime | None = None
