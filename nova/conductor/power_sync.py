"""Decides what follows when a guest is in another power state than its server should be.

Source: server-states, section 7.
"""

import enum

from nova.objects.lifecycle import PowerState, TaskState, VmState


class Reaction(enum.StrEnum):
    """What the conductor does about a guest's power state."""

    NONE = "none"
    WARN = "warn"
    STOP = "stop"


_OFF = {PowerState.SHUTDOWN, PowerState.CRASHED}
_DEAD = {PowerState.NOSTATE, PowerState.SHUTDOWN}


def reaction_to(
    vm_state: VmState, task_state: TaskState | None, power_state: PowerState
) -> Reaction:
    """Return what to do; while an operation runs, nothing."""
    if task_state is not None:
        return Reaction.NONE
    if vm_state is VmState.ACTIVE:
        return _reaction_active(power_state)
    if vm_state is VmState.STOPPED:
        return Reaction.NONE if power_state in {*_OFF, PowerState.NOSTATE} else Reaction.STOP
    if vm_state is VmState.PAUSED:
        return Reaction.STOP if power_state in _OFF else Reaction.NONE
    if vm_state in (VmState.SOFT_DELETED, VmState.DELETED):
        return Reaction.NONE if power_state in _DEAD else Reaction.WARN
    return Reaction.NONE


def _reaction_active(power_state: PowerState) -> Reaction:
    if power_state in {*_OFF, PowerState.SUSPENDED}:
        return Reaction.STOP
    if power_state in (PowerState.PAUSED, PowerState.NOSTATE):
        return Reaction.WARN
    return Reaction.NONE
