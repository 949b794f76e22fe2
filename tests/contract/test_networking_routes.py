"""The routes of the Networking API are those of the golden table, and no others exist.

The table was made from the reference of what today's clients call.
"""

import pathlib

from nova.api.networking.app import RESOURCES, default_rules
from nova.api.openstack.resource import Route
from nova.policy import ADMIN, ANY, MEMBER, NETWORKING, READER

GOLDEN = pathlib.Path(__file__).with_name("networking_routes.golden")
_WHO = {READER: "reader", MEMBER: "member", ADMIN: "admin", ANY: "anybody"}


def _rows() -> list[tuple[str, ...]]:
    lines = GOLDEN.read_text().splitlines()
    return [tuple(line.split()) for line in lines if line and not line.startswith("#")]


def _row(route: Route) -> tuple[str, ...]:
    (code,) = route.ok
    return route.method, route.path, str(code), _WHO[default_rules()[route.rule or ""]]


def test_routes_are_those_of_the_table() -> None:
    built = [_row(route) for resource in RESOURCES for route in resource.routes]
    assert sorted(built) == sorted(_rows())


def test_success_codes_are_those_that_clients_expect() -> None:
    codes = {"GET": "200", "POST": "201", "PUT": "200", "DELETE": "204"}
    assert [row for row in _rows() if codes[row[0]] != row[2]] == []


def test_every_rule_is_in_the_space_of_this_api() -> None:
    assert all(name.startswith(f"{NETWORKING}:") for name in default_rules())


def test_every_route_has_a_rule_and_what_changes_something_a_schema() -> None:
    for resource in RESOURCES:
        for route in resource.routes:
            assert route.rule is not None
            assert (route.body is not None) == (route.method in ("POST", "PUT"))
