import pytest

from nova import exception
from nova.context import RequestContext
from nova.policy import (
    ADMIN,
    ANY,
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
