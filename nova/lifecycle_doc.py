"""Writes the page on the lifecycle of servers from the table of operations.

python -m nova.lifecycle_doc > doc/contributor/server-lifecycle.md
"""

import sys
from collections.abc import Iterable, Iterator

from nova.objects.lifecycle import (
    ACTIONS,
    ANY_STATE,
    ANY_TASK,
    Action,
    Recover,
    TaskState,
    VmState,
)

_HEAD = """\
# Lifecycle of a server

Written by `python -m nova.lifecycle_doc` from the table in `nova/objects/lifecycle.py`; change
the table, not this page.

A server has a *vm_state*, its stable goal, and while an operation runs a *task state*, the step
that the operation is at. The conductor alone sets both (`nova/conductor/transitions.py`).

## States and what leads from one to another

An operation that fails leaves the state as it was, or leads to `error` when nobody knows the
guest to be whole. Operations that leave the state alone are in the table only. Edges from "any
state" start everywhere but in `deleted`.

"""

_TABLE = """
## Operations

*May interrupt*: task states of other operations that this one ends; without an entry the server
must be idle. *Afterwards*: unless the host reports otherwise; a server that was stopped before
it was rebuilt or resized is stopped again in the end. *Deadline*: time without progress after
which the conductor takes the operation up. *Locked*: whether a locked server refuses it from
everybody but administrators.

*After a crash* of its nova-compute, when the service is back:

"""

_RECOVERY: dict[Recover, str] = {
    Recover.REPEAT: "it is carried out again, and ends as if nothing had happened",
    Recover.ERROR: "it is undone as far as possible, and the server is in `error` with a fault "
    "(a build goes to another host first, if there is one)",
    Recover.ABANDON: "what it left is removed, the server is as it was, and only the action tells "
    "of the failure",
}

_COLUMNS = (
    "Operation",
    "From",
    "May interrupt",
    "Task states, in order",
    "Afterwards",
    "After a crash",
    "Locked",
    "Deadline",
)

_TASKS = """
## Task states

"""


def page() -> str:
    """Return the text of the page."""
    lines = [
        _HEAD,
        "```mermaid\n",
        *_lines(_diagram()),
        "```\n",
        _TABLE,
        *_lines(f"- `{recover}`: {_RECOVERY[recover]}." for recover in Recover),
        "\nAn operation that its host had not begun yet is simply carried out.\n\n",
        *_lines(_table(_COLUMNS, (_row(name, action) for name, action in ACTIONS.items()))),
        _TASKS,
        *_lines(_table(("Task state", "Operations"), (_users(task) for task in TaskState))),
    ]
    return "".join(lines)


def _lines(lines: Iterable[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)


# --- Diagram


def _diagram() -> Iterator[str]:
    """Return the lines of the diagram; its names may not hold a hyphen."""
    yield "stateDiagram-v2"
    yield '    state "any state" as any'
    for vm_state in VmState:
        yield f'    state "{vm_state}" as {_id(vm_state)}'
    yield f"    [*] --> {_id(VmState.BUILDING)}"
    for (source, target), names in _edges().items():
        yield f"    {source} --> {target}: {', '.join(names)}"
    yield f"    {_id(VmState.DELETED)} --> [*]"


def _edges() -> dict[tuple[str, str], list[str]]:
    """Return the operations between two states."""
    edges: dict[tuple[str, str], list[str]] = {}
    for name, action in ACTIONS.items():
        if action.done is None:
            continue
        sources = ["any"] if action.vm_states == ANY_STATE else _ids(action.vm_states)
        for source in sources:
            edges.setdefault((source, _id(action.done)), []).append(name)
    return edges


def _id(vm_state: VmState) -> str:
    return vm_state.name.lower()


def _ids(vm_states: frozenset[VmState]) -> list[str]:
    return [_id(vm_state) for vm_state in VmState if vm_state in vm_states]


# --- Tables


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = tuple(columns)
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _row(name: str, action: Action) -> tuple[str, ...]:
    return (
        f"`{name}`",
        "any" if action.vm_states == ANY_STATE else _words(VmState, action.vm_states),
        _interrupts(action),
        " → ".join(f"`{task}`" for task in action.running) or "none",
        "unchanged" if action.done is None else f"`{action.done}`",
        str(action.recover),
        "refused" if action.deny_locked else "allowed",
        f"{action.deadline_s // 60} min",
    )


def _interrupts(action: Action) -> str:
    if action.task_states == ANY_TASK:
        return "any" if action.running else "none; runs beside any"
    return _words(TaskState, action.task_states - {None})


def _words(kind: Iterable[VmState | TaskState], chosen: Iterable[object]) -> str:
    wanted = frozenset(chosen)
    return ", ".join(f"`{word}`" for word in kind if word in wanted)


def _users(task: TaskState) -> tuple[str, str]:
    names = [name for name, action in ACTIONS.items() if task in action.running]
    return f"`{task}`", ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(page())
