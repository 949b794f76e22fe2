"""States as EC2 names and numbers them.

Source: ec2-api, section 4.1.
"""

import dataclasses

from nova.objects.lifecycle import TaskState, VmState


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """A state of an instance."""

    code: int
    name: str

    @property
    def document(self) -> dict[str, object]:
        """What answers tell of it."""
        return {"code": self.code, "name": self.name}


PENDING = InstanceState(code=0, name="pending")
RUNNING = InstanceState(code=16, name="running")
SHUTTING_DOWN = InstanceState(code=32, name="shutting-down")
TERMINATED = InstanceState(code=48, name="terminated")
STOPPING = InstanceState(code=64, name="stopping")
STOPPED = InstanceState(code=80, name="stopped")

_BY_VM_STATE = {
    VmState.BUILDING: PENDING,
    VmState.ACTIVE: RUNNING,
    VmState.DELETED: TERMINATED,
    VmState.SOFT_DELETED: TERMINATED,
    VmState.STOPPED: STOPPED,
    VmState.PAUSED: InstanceState(code=80, name="pause"),
    VmState.SUSPENDED: InstanceState(code=80, name="suspend"),
    VmState.RESCUED: InstanceState(code=16, name="rescue"),
    VmState.RESIZED: InstanceState(code=16, name="resize"),
}
# What is going on says more than the state that is left by it.
_BY_TASK_STATE = {
    TaskState.DELETING: SHUTTING_DOWN,
    TaskState.SOFT_DELETING: SHUTTING_DOWN,
    TaskState.POWERING_OFF: STOPPING,
    TaskState.POWERING_ON: PENDING,
}


def state_of(vm_state: VmState, task_state: TaskState | None) -> InstanceState:
    """Return the state of a server; a state that EC2 has nothing for keeps its name."""
    if task_state in _BY_TASK_STATE:
        return _BY_TASK_STATE[task_state]
    return _BY_VM_STATE.get(vm_state) or InstanceState(code=0, name=vm_state.value)
