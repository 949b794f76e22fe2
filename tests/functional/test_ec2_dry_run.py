"""DryRun: every action tells whether it may be done, and does nothing."""

from typing import Any

import pytest

from nova.api.ec2.app import ACTIONS
from nova.api.ec2.params import BASE64, BOOLEAN, TEXT, Param
from nova.policy import NAMESPACE
from tests.fixtures.ec2 import make_ec2_site

VALUES = {TEXT.name: "x", BASE64.name: "eA==", BOOLEAN.name: True, "integer": 1}
# Rules that do not ask for a role.
OPEN = {"os-keypairs", "os-availability-zone", "limits"}


def _value(param: Param) -> Any:
    if param.fields:
        value: Any = {one.name: _value(one) for one in param.fields if one.required}
    else:
        assert param.type is not None
        value = VALUES[param.type.name]
    return [value] if param.many else value


def _least(name: str) -> dict[str, Any]:
    """Return the parameters that an action asks for at least, and nothing that exists."""
    return {param.name: _value(param) for param in ACTIONS[name].params if param.required}


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


def test_each_action_can_be_tried_and_only_that(site):
    least = {name: _least(name) for name in ACTIONS}
    # Words of which only some are known.
    least["ResetImageAttribute"]["Attribute"] = "launchPermission"
    site.cloud.bus.calls.clear()
    refused = {
        name: site.ec2.refused(name, **params, DryRun=True) for name, params in least.items()
    }
    assert refused == dict.fromkeys(ACTIONS, ("DryRunOperation", 412))
    assert site.cloud.bus.calls == []


def test_who_may_not_do_an_action_is_told_so_when_he_tries_it(site):
    ruled = {name: action.rule for name, action in ACTIONS.items() if action.rule is not None}
    site.ec2.key.roles = ("observer",)
    told = {name: site.ec2.refused(name, **_least(name), DryRun=True)[0] for name in ruled}
    for name, rule in ruled.items():
        is_open = rule.removeprefix(f"{NAMESPACE}:").partition(":")[0] in OPEN
        assert told[name] == ("DryRunOperation" if is_open else "AuthFailure"), name
