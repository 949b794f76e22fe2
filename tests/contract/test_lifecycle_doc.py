"""The pages about the lifecycle of servers say what the code does.

To write the contributor's page anew:
    python -m nova.lifecycle_doc > doc/contributor/server-lifecycle.md
"""

import ast
import pathlib
import re

import pytest

from nova.lifecycle_doc import page
from nova.objects.lifecycle import ACTIONS, TaskState, VmState

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "doc" / "contributor" / "server-lifecycle.md"
RUNBOOK = (ROOT / "doc" / "admin" / "runbooks" / "stuck-servers.md").read_text()

# What these modules say of failures ends in a fault of a server, or of an action.
_REASONS = (
    "nova/compute/admin_password.py",
    "nova/compute/build.py",
    "nova/compute/deferred_delete.py",
    "nova/compute/endings.py",
    "nova/compute/pause.py",
    "nova/compute/power.py",
    "nova/compute/rebuild.py",
    "nova/compute/rescue.py",
    "nova/compute/resize.py",
    "nova/compute/shelve.py",
    "nova/compute/suspend.py",
    "nova/compute/recovery.py",
    "nova/conductor/build_failures.py",
    "nova/conductor/operations.py",
    "nova/conductor/tasks/build.py",
    "nova/conductor/tasks/reconcile.py",
)
_SENTENCE = re.compile(r"(The|No|Exceeded|Building|Build of) [a-z ]+.*")


def test_page_is_up_to_date():
    assert PAGE.read_text() == page(), "write it anew (see above)"


def test_page_names_every_state_and_operation():
    words = set(re.findall(r"[`\"]([\w-]+)[`\"]", page()))
    assert words >= {*VmState, *TaskState, *ACTIONS}


@pytest.mark.parametrize("task_state", TaskState)
def test_runbook_tells_of_each_task_state(task_state):
    assert f"| `{task_state}`" in RUNBOOK or f", `{task_state}`" in RUNBOOK


def _texts(tree):
    """Yield the constant parts of all texts that are no documentation."""
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    formatted = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values[1:]
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documents | formatted:
            yield str(node.value)


def _sentences():
    """Return the sentences for users, each up to where something is filled in."""
    found = set()
    for name in _REASONS:
        for text in _texts(ast.parse((ROOT / name).read_text())):
            if _SENTENCE.match(text) and "%s" not in text:
                found.add(text.partition("{")[0].strip(" .:"))
    return sorted(found)


def test_the_search_finds_sentences():
    assert "The hypervisor could not start the server" in _sentences()
    assert len(_sentences()) > 20


@pytest.mark.parametrize("sentence", _sentences(), ids=str)
def test_runbook_tells_of_each_reason(sentence):
    assert sentence in " ".join(RUNBOOK.split())
