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
    IMAGE_SNAPSHOT_PENDING = "image_snapshot_pending"
    IMAGE_SNAPSHOT = "image_snapshot"
    IMAGE_PENDING_UPLOAD = "image_pending_upload"
    IMAGE_UPLOADING = "image_uploading"
    IMAGE_BACKUP = "image_backup"
    UPDATING_PASSWORD = "updating_password"
    RESIZE_PREP = "resize_prep"
    RESIZE_MIGRATING = "resize_migrating"
    RESIZE_MIGRATED = "resize_migrated"
    RESIZE_FINISH = "resize_finish"
    RESIZE_CONFIRMING = "resize_confirming"
    RESIZE_REVERTING = "resize_reverting"
    REBOOTING = "rebooting"
    REBOOT_PENDING = "reboot_pending"
    REBOOT_STARTED = "reboot_started"
    REBOOTING_HARD = "rebooting_hard"
    REBOOT_PENDING_HARD = "reboot_pending_hard"
    REBOOT_STARTED_HARD = "reboot_started_hard"
    PAUSING = "pausing"
    UNPAUSING = "unpausing"
    SUSPENDING = "suspending"
    RESUMING = "resuming"
    POWERING_OFF = "powering-off"
    POWERING_ON = "powering-on"
    RESCUING = "rescuing"
    UNRESCUING = "unrescuing"
    REBUILDING = "rebuilding"
    REBUILD_BLOCK_DEVICE_MAPPING = "rebuild_block_device_mapping"
    REBUILD_SPAWNING = "rebuild_spawning"
    DELETING = "deleting"
    SOFT_DELETING = "soft-deleting"
    RESTORING = "restoring"
    SHELVING = "shelving"
    SHELVING_IMAGE_PENDING_UPLOAD = "shelving_image_pending_upload"
    SHELVING_IMAGE_UPLOADING = "shelving_image_uploading"
    SHELVING_OFFLOADING = "shelving_offloading"
    UNSHELVING = "unshelving"


class PowerState(enum.IntEnum):
    """What the hypervisor says."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7


class Recover(enum.StrEnum):
    """What follows an operation that a crash of its compute service interrupted.

    repeat: it is carried out again.  error: it is undone as far as possible, and the server
    is in error.  abandon: what it left is removed, and the server is as it was before.
    """

    REPEAT = "repeat"
    ERROR = "error"
    ABANDON = "abandon"


ANY_STATE = frozenset(VmState) - {VmState.DELETED}
ANY_TASK: frozenset[TaskState | None] = frozenset(TaskState) | {None}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One operation on a server.

    vm_states: states from which it may begin.
    task_states: running operations it may interrupt; None stands for "no operation".
    running: task state while it runs, in order; the first is set when it begins.  Empty: the
    server's task state is left alone.
    done: vm_state afterwards; None leaves it unchanged, unless the host says otherwise.
    recover: what follows a crash of the host that carries it out.
    deny_locked: a locked server refuses it (administrators excepted).
    needs_host: it can begin only on a server that has been launched on a host.
    deadline_s: after this time without progress the reconciler steps in.
    ends_consoles: the guest's process ends, and tokens of its consoles with it.
    """

    vm_states: frozenset[VmState]
    running: tuple[TaskState, ...]
    done: VmState | None
    recover: Recover
    task_states: frozenset[TaskState | None] = frozenset({None})
    deny_locked: bool = True
    needs_host: bool = True
    deadline_s: int = 600
    ends_consoles: bool = False

    @property
    def interrupts(self) -> bool:
        """Tell whether it ends what else runs on the server; what has no task state does not."""
        return bool(self.running) and self.task_states != {None}


def _states(*states: VmState) -> frozenset[VmState]:
    return frozenset(states)


_REBOOT = (TaskState.REBOOTING, TaskState.REBOOT_PENDING, TaskState.REBOOT_STARTED)
_HARD_REBOOT = (
    TaskState.REBOOTING_HARD,
    TaskState.REBOOT_PENDING_HARD,
    TaskState.REBOOT_STARTED_HARD,
)
_REBUILD = (
    TaskState.REBUILDING,
    TaskState.REBUILD_BLOCK_DEVICE_MAPPING,
    TaskState.REBUILD_SPAWNING,
)
_RESIZE = (
    TaskState.RESIZE_PREP,
    TaskState.RESIZE_MIGRATING,
    TaskState.RESIZE_MIGRATED,
    TaskState.RESIZE_FINISH,
)
STOPPED_IMAGE = "createImageStopped"
_LAUNCHED = _states(VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED)
_UPLOAD = (TaskState.IMAGE_PENDING_UPLOAD, TaskState.IMAGE_UPLOADING)

ACTIONS: dict[str, Action] = {
    "create": Action(
        vm_states=_states(VmState.BUILDING),
        running=(
            TaskState.SCHEDULING,
            TaskState.NETWORKING,
            TaskState.BLOCK_DEVICE_MAPPING,
            TaskState.SPAWNING,
        ),
        done=VmState.ACTIVE,
        recover=Recover.ERROR,
        deny_locked=False,
        needs_host=False,
        deadline_s=1800,
    ),
    "delete": Action(
        vm_states=ANY_STATE,
        task_states=ANY_TASK,
        running=(TaskState.DELETING,),
        done=VmState.DELETED,
        recover=Recover.REPEAT,
        needs_host=False,
        ends_consoles=True,
    ),
    "soft_delete": Action(
        vm_states=ANY_STATE,
        task_states=ANY_TASK,
        running=(TaskState.SOFT_DELETING,),
        done=VmState.SOFT_DELETED,
        recover=Recover.REPEAT,
        ends_consoles=True,
    ),
    "restore": Action(
        vm_states=_states(VmState.SOFT_DELETED),
        running=(TaskState.RESTORING,),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
    ),
    "start": Action(
        vm_states=_states(VmState.STOPPED),
        running=(TaskState.POWERING_ON,),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
    ),
    "stop": Action(
        vm_states=_states(VmState.ACTIVE, VmState.ERROR),
        running=(TaskState.POWERING_OFF,),
        done=VmState.STOPPED,
        recover=Recover.REPEAT,
        ends_consoles=True,
    ),
    "soft_reboot": Action(
        vm_states=_states(VmState.ACTIVE),
        running=_REBOOT,
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
    ),
    "hard_reboot": Action(
        vm_states=_LAUNCHED | {VmState.ERROR},
        task_states=frozenset(
            {
                None,
                *_REBOOT,
                TaskState.REBOOTING_HARD,
                TaskState.RESUMING,
                TaskState.UNPAUSING,
                TaskState.PAUSING,
                TaskState.SUSPENDING,
            }
        ),
        running=_HARD_REBOOT,
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
        ends_consoles=True,
    ),
    "pause": Action(
        vm_states=_states(VmState.ACTIVE),
        running=(TaskState.PAUSING,),
        done=VmState.PAUSED,
        recover=Recover.REPEAT,
    ),
    "unpause": Action(
        vm_states=_states(VmState.PAUSED),
        running=(TaskState.UNPAUSING,),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
    ),
    "suspend": Action(
        vm_states=_states(VmState.ACTIVE),
        running=(TaskState.SUSPENDING,),
        done=VmState.SUSPENDED,
        recover=Recover.REPEAT,
        ends_consoles=True,
    ),
    "resume": Action(
        vm_states=_states(VmState.SUSPENDED),
        running=(TaskState.RESUMING,),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
    ),
    "rescue": Action(
        vm_states=_states(VmState.ACTIVE, VmState.STOPPED, VmState.ERROR),
        running=(TaskState.RESCUING,),
        done=VmState.RESCUED,
        recover=Recover.REPEAT,
        ends_consoles=True,
    ),
    "unrescue": Action(
        vm_states=_states(VmState.RESCUED),
        running=(TaskState.UNRESCUING,),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
        ends_consoles=True,
    ),
    "changePassword": Action(
        vm_states=_states(VmState.ACTIVE),
        running=(TaskState.UPDATING_PASSWORD,),
        done=None,
        recover=Recover.ABANDON,
    ),
    # Ends as the server was before: active, or stopped.
    "rebuild": Action(
        vm_states=_states(VmState.ACTIVE, VmState.STOPPED, VmState.ERROR),
        running=_REBUILD,
        done=VmState.ACTIVE,
        recover=Recover.ERROR,
        deadline_s=1800,
        ends_consoles=True,
    ),
    "resize": Action(
        vm_states=_states(VmState.ACTIVE, VmState.STOPPED),
        running=_RESIZE,
        done=VmState.RESIZED,
        recover=Recover.REPEAT,
        deadline_s=1800,
        ends_consoles=True,
    ),
    "confirmResize": Action(
        vm_states=_states(VmState.RESIZED),
        running=(TaskState.RESIZE_CONFIRMING,),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
    ),
    "revertResize": Action(
        vm_states=_states(VmState.RESIZED),
        running=(TaskState.RESIZE_REVERTING,),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
        ends_consoles=True,
    ),
    "createImage": Action(
        vm_states=_LAUNCHED,
        running=(TaskState.IMAGE_SNAPSHOT_PENDING, TaskState.IMAGE_SNAPSHOT, *_UPLOAD),
        done=None,
        recover=Recover.ABANDON,
        deny_locked=False,
        deadline_s=7200,
    ),
    # As createImage, of a guest that is switched off for as long as its disk is copied.
    STOPPED_IMAGE: Action(
        vm_states=_states(VmState.ACTIVE),
        running=(
            TaskState.POWERING_OFF,
            TaskState.IMAGE_SNAPSHOT,
            TaskState.POWERING_ON,
            TaskState.IMAGE_UPLOADING,
        ),
        done=None,
        recover=Recover.ABANDON,
        deadline_s=7200,
        ends_consoles=True,
    ),
    "createBackup": Action(
        vm_states=_LAUNCHED,
        running=(TaskState.IMAGE_BACKUP, *_UPLOAD),
        done=None,
        recover=Recover.ABANDON,
        deny_locked=False,
        deadline_s=7200,
    ),
    "shelve": Action(
        vm_states=_LAUNCHED,
        running=(
            TaskState.SHELVING,
            TaskState.SHELVING_IMAGE_PENDING_UPLOAD,
            TaskState.SHELVING_IMAGE_UPLOADING,
        ),
        done=VmState.SHELVED,
        recover=Recover.REPEAT,
        deadline_s=7200,
        ends_consoles=True,
    ),
    "shelveOffload": Action(
        vm_states=_states(VmState.SHELVED),
        running=(TaskState.SHELVING_OFFLOADING,),
        done=VmState.SHELVED_OFFLOADED,
        recover=Recover.REPEAT,
        ends_consoles=True,
    ),
    # A server that was offloaded is scheduled and built again from its image.
    "unshelve": Action(
        vm_states=_states(VmState.SHELVED, VmState.SHELVED_OFFLOADED),
        running=(TaskState.UNSHELVING, TaskState.SPAWNING),
        done=VmState.ACTIVE,
        recover=Recover.REPEAT,
        needs_host=False,
        deadline_s=1800,
    ),
    "trigger_crash_dump": Action(
        vm_states=_states(
            VmState.ACTIVE, VmState.PAUSED, VmState.RESCUED, VmState.RESIZED, VmState.ERROR
        ),
        running=(),
        done=None,
        recover=Recover.ABANDON,
    ),
    "attach_interface": Action(
        vm_states=_states(VmState.ACTIVE, VmState.PAUSED, VmState.STOPPED),
        running=(),
        done=None,
        recover=Recover.REPEAT,
    ),
    "detach_interface": Action(
        vm_states=_states(VmState.ACTIVE, VmState.PAUSED, VmState.STOPPED),
        running=(),
        done=None,
        recover=Recover.REPEAT,
    ),
    "inject_network_info": Action(
        vm_states=ANY_STATE,
        task_states=ANY_TASK,
        running=(),
        done=None,
        recover=Recover.REPEAT,
    ),
    "add_fixed_ip": Action(
        vm_states=ANY_STATE,
        task_states=ANY_TASK,
        running=(),
        done=None,
        recover=Recover.REPEAT,
    ),
    "remove_fixed_ip": Action(
        vm_states=ANY_STATE,
        task_states=ANY_TASK,
        running=(),
        done=None,
        recover=Recover.REPEAT,
    ),
}

# States in which a server may have a guest that shows something.
CONSOLE_STATES = frozenset(
    {VmState.ACTIVE, VmState.PAUSED, VmState.RESCUED, VmState.RESIZED, VmState.ERROR}
)


def _steps(*, ends_consoles: bool) -> set[TaskState]:
    return {
        task_state
        for action in ACTIONS.values()
        if action.ends_consoles is ends_consoles
        for task_state in action.running
    }


# A step that actions of both kinds have says nothing: the guest may be on.
_CONSOLE_ENDS = _steps(ends_consoles=True) - _steps(ends_consoles=False)


def has_console(vm_state: VmState, task_state: TaskState | None) -> bool:
    """Tell whether a console of a server may be asked for."""
    return vm_state in CONSOLE_STATES and task_state not in _CONSOLE_ENDS


# Names under which operations are shown to users (os-instance-actions), where they differ.
PUBLIC_ACTION_NAMES: dict[str, str] = {
    "soft_reboot": "reboot",
    "hard_reboot": "reboot",
    "soft_delete": "delete",
    STOPPED_IMAGE: "createImage",
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
    **{
        (vm_state, task): "REBUILD"
        for vm_state in (VmState.ACTIVE, VmState.STOPPED, VmState.ERROR)
        for task in _REBUILD
    },
    **{
        (vm_state, task): "RESIZE"
        for vm_state in (VmState.ACTIVE, VmState.STOPPED)
        for task in _RESIZE
    },
    (VmState.ACTIVE, TaskState.UPDATING_PASSWORD): "PASSWORD",
    (VmState.RESIZED, TaskState.RESIZE_REVERTING): "REVERT_RESIZE",
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
