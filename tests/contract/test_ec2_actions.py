"""The actions of the EC2 API equal a readable list: name, policy rule, and what is declared."""

import pathlib
import re

from nova.api.ec2.app import ACTIONS
from nova.api.ec2.params import Param
from nova.api.openstack.app import default_rules
from tests.fixtures.ec2 import service_model
from tests.fixtures.golden import assert_golden

_HERE = pathlib.Path(__file__).parent
# Actions that AWS never had, or has given up.
_OLD = {
    "DescribeInstancesV6",
    "GetVncConsole",
    "ImportPublicKey",
    "RescueInstance",
    "UnrescueInstance",
    "UpdateImage",
    "UpdateInstance",
    "UpdateVolume",
}


def _line(name: str) -> str:
    action = ACTIONS[name]
    marks = [mark for mark in ("changes", "secret") if getattr(action, mark)]
    params = " ".join(_text(param) for param in action.params if param.name != "DryRun")
    return f"{' '.join([name, action.rule or 'anybody', *marks])}: {params}".rstrip()


def _text(param: Param) -> str:
    inside = f"({' '.join(map(_text, param.fields))})" if param.fields else ""
    return f"{param.name}{'.N' if param.many else ''}{'!' if param.required else ''}{inside}"


def test_actions_equal_the_golden_list():
    assert_golden(_HERE, "ec2_actions.golden", "\n".join(map(_line, sorted(ACTIONS))) + "\n")


def test_the_users_guide_names_every_action():
    page = _HERE.parents[1] / "doc" / "user" / "ec2.md"
    words = set(re.findall(r"\w+", page.read_text().partition("## Actions")[2]))
    assert sorted(set(ACTIONS) - words) == []


def test_each_rule_is_one_of_the_compute_api():
    rules = {action.rule for action in ACTIONS.values() if action.rule is not None}
    assert rules <= default_rules().keys()


def test_each_action_is_one_that_clients_know():
    assert ACTIONS.keys() - _OLD <= set(service_model().operation_names)
