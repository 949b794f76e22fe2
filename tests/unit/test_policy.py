import os
import pathlib

import pytest
from oslo_config import cfg

from nova import exception
from nova.context import RequestContext
from nova.policy import (
    ADMIN,
    ANY,
    LOOK_AGAIN_S,
    MANAGER,
    MEMBER,
    NOBODY,
    OWNER,
    READER,
    SERVICE,
    Policy,
    full_name,
)
from tests.fixtures.rest import empty_conf
from tests.fixtures.time import FrozenClock, frozen_clock

__all__ = ["frozen_clock"]

RULES = {
    "a": ADMIN,
    "g": MANAGER,
    "m": MEMBER,
    "r": READER,
    "s": SERVICE,
    "u": OWNER,
    "any": ANY,
    "no": NOBODY,
    "careless": "role:reader",
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(empty_conf(), RULES)


def _context(*roles: str, project_id: str | None = "p", user_id: str = "u") -> RequestContext:
    return RequestContext(user_id=user_id, project_id=project_id, roles=roles)


@pytest.mark.parametrize(
    ("roles", "passes"),
    [
        (("reader",), {"r", "u", "any"}),
        (("member", "reader"), {"m", "r", "u", "any"}),
        (("manager", "member", "reader"), {"g", "m", "r", "u", "any"}),
        (("service",), {"s", "u", "any"}),
        (("admin",), {"a", "g", "m", "r", "s", "u", "any"}),
        ((), {"u", "any"}),
    ],
)
def test_roles_in_their_own_project(
    policy: Policy, roles: tuple[str, ...], passes: set[str]
) -> None:
    target = {"project_id": "p", "user_id": "u"}
    found = {rule for rule in RULES if policy.check(_context(*roles), rule, target)}
    assert found - {"careless"} == passes


def test_az_02_members_do_not_pass_for_another_project(policy: Policy) -> None:
    context = _context("manager", "member", "reader")
    for rule in ("g", "m", "r"):
        assert not policy.check(context, rule, {"project_id": "other", "user_id": "u"})


def test_az_02_a_token_without_project_matches_no_owner(policy: Policy) -> None:
    context = _context("member", "reader", project_id=None)
    assert not policy.check(context, "r", {"project_id": None})
    assert not policy.reaches_all_projects(context, "r")


def test_all_projects_are_for_administrators_even_if_a_rule_forgets_to_compare(
    policy: Policy,
) -> None:
    assert not policy.reaches_all_projects(_context("reader"), "careless")
    assert policy.reaches_all_projects(_context("admin"), "r")


def test_authorize_names_the_rule(policy: Policy) -> None:
    with pytest.raises(exception.PolicyNotAuthorized, match="allow a to be"):
        policy.authorize(_context("member"), "a", {})


def test_a_rule_that_nobody_declared_is_an_error(policy: Policy) -> None:
    with pytest.raises(KeyError):
        policy.check(_context("admin"), "typo", {})


def test_full_names() -> None:
    assert full_name("create", "os_compute_api:x") == "os_compute_api:x:create"
    assert full_name("", "os_compute_api:x") == "os_compute_api:x"
    assert full_name("compute:servers:create", "os_compute_api:x") == "compute:servers:create"


def _policy_of(tmp_path: pathlib.Path, text: str, name: str = "policy.yaml") -> Policy:
    (tmp_path / name).write_text(text)
    (tmp_path / "nova.conf").write_text(
        "" if name == "policy.yaml" else f"[oslo_policy]\npolicy_file = {name}\n"
    )
    conf = cfg.ConfigOpts()
    conf(["--config-file", str(tmp_path / "nova.conf")])
    return Policy(conf, RULES)


def test_the_policy_file_overrides_a_default(tmp_path: pathlib.Path) -> None:
    policy = _policy_of(tmp_path, '"a": "role:operator"\n')
    assert policy.check(_context("operator"), "a", {})
    assert not policy.check(_context("admin"), "a", {})
    assert policy.check(_context("admin"), "g", {})


def test_the_policy_file_overrides_what_other_rules_are_made_of(tmp_path: pathlib.Path) -> None:
    policy = _policy_of(tmp_path, '"context_is_admin": "role:boss"\n')
    assert policy.check(_context("boss"), "a", {})
    assert not policy.check(_context("admin"), "a", {})


def test_an_option_names_another_policy_file(tmp_path: pathlib.Path) -> None:
    policy = _policy_of(tmp_path, '"no": "@"\n', name="rules.yaml")
    assert policy.check(_context(), "no", {})


def test_a_changed_policy_file_is_read_again(
    tmp_path: pathlib.Path, frozen_clock: FrozenClock
) -> None:
    policy = _policy_of(tmp_path, '"no": "@"\n')
    assert policy.check(_context(), "no", {})
    path = tmp_path / "policy.yaml"
    path.write_text('"no": "!"\n')
    later = path.stat().st_mtime + 10
    os.utime(path, (later, later))
    assert policy.check(_context(), "no", {})
    frozen_clock.advance(LOOK_AGAIN_S)
    assert not policy.check(_context(), "no", {})


def test_a_decision_is_remembered_for_its_caller_and_owner_alone(
    policy: Policy, frozen_clock: FrozenClock
) -> None:
    for _ in range(2):
        assert policy.check(_context("manager"), "g", {"project_id": "p"})
        assert not policy.check(_context("manager"), "g", {"project_id": "p2"})
        assert not policy.check(_context("manager", project_id="p2"), "g", {"project_id": "p"})
        assert not policy.check(_context("reader"), "g", {"project_id": "p"})
        assert policy.check(_context("admin"), "g", {"project_id": "p2"})
