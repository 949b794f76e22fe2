"""Guests in another power state than their servers should be, and names inside guests."""

import pytest

from nova.conductor.names import derive_hostname, numbered
from nova.conductor.power_sync import Reaction, reaction_to
from nova.objects.lifecycle import PowerState, TaskState, VmState


@pytest.mark.parametrize(
    ("vm_state", "power_state", "reaction"),
    [
        (VmState.ACTIVE, PowerState.RUNNING, Reaction.NONE),
        (VmState.ACTIVE, PowerState.SHUTDOWN, Reaction.STOP),
        (VmState.ACTIVE, PowerState.CRASHED, Reaction.STOP),
        (VmState.ACTIVE, PowerState.SUSPENDED, Reaction.STOP),
        (VmState.ACTIVE, PowerState.PAUSED, Reaction.WARN),
        (VmState.ACTIVE, PowerState.NOSTATE, Reaction.WARN),
        (VmState.STOPPED, PowerState.RUNNING, Reaction.STOP),
        (VmState.STOPPED, PowerState.SHUTDOWN, Reaction.NONE),
        (VmState.STOPPED, PowerState.NOSTATE, Reaction.NONE),
        (VmState.PAUSED, PowerState.SHUTDOWN, Reaction.STOP),
        (VmState.PAUSED, PowerState.CRASHED, Reaction.STOP),
        (VmState.PAUSED, PowerState.PAUSED, Reaction.NONE),
        (VmState.PAUSED, PowerState.RUNNING, Reaction.NONE),
        (VmState.PAUSED, PowerState.NOSTATE, Reaction.NONE),
        (VmState.SOFT_DELETED, PowerState.SHUTDOWN, Reaction.NONE),
        (VmState.SOFT_DELETED, PowerState.RUNNING, Reaction.WARN),
        (VmState.BUILDING, PowerState.SHUTDOWN, Reaction.NONE),
        (VmState.ERROR, PowerState.SHUTDOWN, Reaction.NONE),
    ],
)
def test_reactions_follow_the_table(vm_state, power_state, reaction):
    assert reaction_to(vm_state, None, power_state) is reaction
    assert reaction_to(vm_state, TaskState.REBOOTING, power_state) is Reaction.NONE


@pytest.mark.parametrize("power_state", PowerState)
@pytest.mark.parametrize(
    "vm_state",
    [
        VmState.BUILDING,
        VmState.RESCUED,
        VmState.RESIZED,
        VmState.SUSPENDED,
        VmState.ERROR,
        VmState.SHELVED,
        VmState.SHELVED_OFFLOADED,
    ],
)
def test_states_that_guests_leave_by_actions_only(vm_state, power_state):
    assert reaction_to(vm_state, None, power_state) is Reaction.NONE


@pytest.mark.parametrize(
    ("name", "hostname"),
    [
        ("My Web_1.local", "my-web-1-local"),
        ("--x--", "x"),
        ("Café 2", "cafe-2"),
        ("漢字", "Server-UUID"),
        ("a" * 80, "a" * 63),
    ],
)
def test_hostnames_are_derived(name, hostname):
    assert derive_hostname(name, "UUID") == hostname


def test_numbers_stay_whole_in_long_names():
    assert numbered("x" * 255, 12, of=20) == "x" * 252 + "-12"
    assert numbered("x", 1, of=1) == "x"
    assert derive_hostname("a" * 80, "UUID", "-12") == "a" * 60 + "-12"
