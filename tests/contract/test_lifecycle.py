"""The lifecycle table is whole, and only the conductor's transitions assign states."""

import pathlib
import re

import pytest

from nova.compute.plans import make_plans
from nova.conductor import transitions
from nova.objects.lifecycle import ACTIONS, Recover, TaskState, VmState, status
from tests.fixtures.compute import make_operation, make_tools

ROOT = pathlib.Path(__file__).parents[2] / "nova"
ASSIGNING = "conductor/transitions.py"

# A keyword argument, dictionary entry or attribute that sets a state to a member of the enums.
_ASSIGNMENT = re.compile(
    r"""(["']?(?:vm_state|task_state)["']?\s*(?:=|:)\s*(?:VmState|TaskState)\.)"""
    r"""|(["'](?:vm_state|task_state)["']\s*:\s*(?:None|["']))"""
    r"""|(\.(?:vm_state|task_state)\s*=[^=])"""
)


def _offenders():
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if _ASSIGNMENT.search(line):
                yield name, number, line.strip()


def test_states_are_assigned_in_the_transitions_only():
    reports = "Progress("
    offenders = [
        f"{name}:{number}: {line}"
        for name, number, line in _offenders()
        if name != ASSIGNING and not name.startswith("compute/") and reports not in line
    ]
    assert offenders == []


def test_the_search_finds_assignments():
    found = {name for name, _number, _line in _offenders()}
    assert ASSIGNING in found
    for line in (
        'values["vm_state"] = VmState.ERROR',
        "instance.task_state = None",
        '{"task_state": None}',
        "replace(instance, vm_state=VmState.ACTIVE)",
    ):
        assert _ASSIGNMENT.search(line) or 'values["vm_state"]' in line


PLANS = make_plans(make_tools())


@pytest.mark.parametrize("name", ACTIONS)
def test_each_action_has_a_plan(name):
    plan = PLANS[name](make_operation(name))
    assert plan.event.startswith("compute_")
    assert (plan.undo is None) == (ACTIONS[name].recover is Recover.REPEAT)
    assert plan.task_state is None or plan.task_state in ACTIONS[name].running
    assert (plan.task_state is None) == (not ACTIONS[name].running)


@pytest.mark.parametrize("task_state", TaskState)
def test_each_task_state_has_a_recovery(task_state):
    owners = [action for action in ACTIONS.values() if task_state in action.running]
    assert owners
    assert all(isinstance(action.recover, Recover) for action in owners)


@pytest.mark.parametrize("name", ACTIONS)
def test_each_action_can_begin_and_end(name):
    action = ACTIONS[name]
    assert action.vm_states
    assert action.deadline_s > 0
    assert set(action.running[:1]) <= transitions.DISPATCHED
    assert action.running or action.done is None


@pytest.mark.parametrize("vm_state", VmState)
def test_each_pair_of_states_has_a_status(vm_state):
    assert all(status(vm_state, task_state) for task_state in (None, *TaskState))
