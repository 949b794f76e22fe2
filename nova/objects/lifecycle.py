"""States of a server, and the one table of what may happen to it.

Source: server-states (vm_state, task_state, power_state; status table; allowed states).
"""

import dataclasses
import enum
from collections.abc import Iterable


class VmState(enum.StrEnum):
    """Stable goal of a server."""

    ACTIVE = "active"
    BUILDING = "building"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    RESCUED = "rescued"
    RESIZED = "resized"
    SOFT_DELETED = "soft-delete"
    DELETED = "deleted"
    ERROR = "error"
    SHELVED = "shelved"
    SHELVED_OFFLOADED = "shelved_offloaded"


class TaskState(enum.StrEnum):
    """Running step of an operation; absent when nothing runs."""

    SCHEDULING = "scheduling"
    NETWORKING = "networking"
    BLOCK_DEVICE_MAPPING = "block_device_mapping"
    SPAWNING = "spawning"
    REBOOTING = "rebooting"
    REBOOT_PENDING = "reboot_pending"
    REBOOT_STARTED = "reboot_started"
    REBOOTING_HARD = "rebooting_hard"
    REBOOT_PENDING_HARD = "reboot_pending_hard"
    REBOOT_STARTED_HARD = "reboot_started_hard"
    POWERING_OFF = "powering-off"
    POWERING_ON = "powering-on"
    DELETING = "deleting"


class PowerState(enum.IntEnum):
    """What the hypervisor says."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7


class Recover(enum.StrEnum):
    """What the compute host does with an operation that a crash interrupted."""

    REPEAT = "repeat"
    ERROR = "error"


ANY_STATE = frozenset(VmState)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One operation on a server.

    vm_states: states from which it may begin.
    task_states: running operations it may interrupt; None stands for "no operation".
    running: task state while it runs, in order; the first is set when it begins.
    done: vm_state afterwards; None leaves it unchanged.
    recover: what follows a crash of the host that carries it out.
    deny_locked: a locked server refuses it (administrators excepted).
    needs_host: it can begin only on a server that has been launched on a host.
    method: method of the compute manager that carries it out.
    deadline_s: after this time without progress the reconciler steps in.
    """

    vm_states: frozenset[VmState]
    running: tuple[TaskState, ...]
    done: VmState | None
    recover: Recover
    method: str
    task_states: frozenset[TaskState | None] = frozenset({None})
    deny_locked: bool = True
    needs_host: bool = True
    deadline_s: int = 600


ACTIONS: dict[str, Action] = {
    "create": Action(
        vm_states=frozenset({VmState.BUILDING}),
        running=(
            TaskState.SCHEDULING,
            TaskState.NETWORKING,
            TaskState.BLOCK_DEVICE_MAPPING,
            TaskState.SPAWNING,
        ),
        done=VmState.ACTIVE,
        recover=Recover.ERROR,
        method="build_instance",
        deny_locked=False,
        needs_host=False,
        deadline_s=1800,
    ),
    "delete": Action(
        vm_states=ANY_STATE - {VmState.DELETED},
        task_states=frozenset(TaskState) | {None},
        running=(TaskState.DELETING,),
        done=VmState.DELETED,
        recover=Recover.REPEAT,
        method="terminate_instance",
        needs_host=False,
    ),
    "start": Action(
        vm_states=frozenset({VmState.STOPPED}),
        running=(TaskState.POWERING_ON,),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
        method="start_instance",
    ),
    "stop": Action(
        vm_states=frozenset({VmState.ACTIVE, VmState.ERROR}),
        running=(TaskState.POWERING_OFF,),
        done=VmState.STOPPED,
        recover=Recover.REPEAT,
        method="stop_instance",
    ),
    "soft_reboot": Action(
        vm_states=frozenset({VmState.ACTIVE}),
        running=(TaskState.REBOOTING, TaskState.REBOOT_PENDING, TaskState.REBOOT_STARTED),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
        method="reboot_instance",
    ),
    "hard_reboot": Action(
        vm_states=frozenset(
            {VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED, VmState.ERROR}
        ),
        task_states=frozenset(
            {None, TaskState.REBOOTING, TaskState.REBOOT_PENDING, TaskState.REBOOT_STARTED}
        ),
        running=(
            TaskState.REBOOTING_HARD,
            TaskState.REBOOT_PENDING_HARD,
            TaskState.REBOOT_STARTED_HARD,
        ),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
        method="reboot_instance",
    ),
}

# Names under which operations are shown to users (os-instance-actions).
PUBLIC_ACTION_NAMES: dict[str, str] = {"soft_reboot": "reboot", "hard_reboot": "reboot"}

_REBOOT = {TaskState.REBOOTING, TaskState.REBOOT_PENDING, TaskState.REBOOT_STARTED}
_HARD_REBOOT = {
    TaskState.REBOOTING_HARD,
    TaskState.REBOOT_PENDING_HARD,
    TaskState.REBOOT_STARTED_HARD,
}

_STATUS: dict[VmState, str] = {
    VmState.ACTIVE: "ACTIVE",
    VmState.BUILDING: "BUILD",
    VmState.STOPPED: "SHUTOFF",
    VmState.RESIZED: "VERIFY_RESIZE",
    VmState.PAUSED: "PAUSED",
    VmState.SUSPENDED: "SUSPENDED",
    VmState.RESCUED: "RESCUE",
    VmState.ERROR: "ERROR",
    VmState.DELETED: "DELETED",
    VmState.SOFT_DELETED: "SOFT_DELETED",
    VmState.SHELVED: "SHELVED",
    VmState.SHELVED_OFFLOADED: "SHELVED_OFFLOADED",
}

_STATUS_BY_TASK: dict[tuple[VmState, TaskState], str] = {
    **{(VmState.ACTIVE, task): "REBOOT" for task in _REBOOT},
    **{(VmState.ACTIVE, task): "HARD_REBOOT" for task in _HARD_REBOOT},
}


def status(vm_state: VmState, task_state: TaskState | None) -> str:
    """Return the status word that the API shows."""
    if task_state is not None and (vm_state, task_state) in _STATUS_BY_TASK:
        return _STATUS_BY_TASK[vm_state, task_state]
    return _STATUS[vm_state]


def states_of(statuses: Iterable[str]) -> tuple[frozenset[VmState], frozenset[TaskState]] | None:
    """Return the vm_states and task_states that statuses (any case) stand for.

    An empty set of task states means that no task filter applies.  None: no status is known.
    """
    vm_states: set[VmState] = set()
    task_states: set[TaskState] = set()
    default_included = False
    for word in {text.upper() for text in statuses}:
        for vm_state, name in _STATUS.items():
            if name == word:
                vm_states.add(vm_state)
                default_included = True
        for (vm_state, task_state), name in _STATUS_BY_TASK.items():
            if name == word:
                vm_states.add(vm_state)
                task_states.add(task_state)
    if not vm_states:
        return None
    return frozenset(vm_states), frozenset() if default_included else frozenset(task_states)
