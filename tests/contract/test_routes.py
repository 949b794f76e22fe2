"""The routes that exist agree with the golden table, and no others exist.

The table was made from the reference of the Compute API; each line says whether the route is
built or which issue will build it.
"""

import pathlib

import pytest

from nova.api.openstack.app import RESOURCES
from nova.api.openstack.refusals import REFUSED
from nova.api.openstack.resource import Resource, Route
from nova.api.openstack.volumes_boot import ALIAS

GOLDEN = pathlib.Path(__file__).with_name("routes.golden")
Row = tuple[str, str, str, str, str, str]


def _golden() -> list[tuple[Row, str]]:
    rows = []
    for line in GOLDEN.read_text().splitlines():
        if line and not line.startswith("#"):
            method, path, action, versions, codes, _, rule, state = line.split(maxsplit=7)
            rows.append(((method, path, action, versions, codes, rule), state.strip()))
    return rows


def _golden_errors() -> dict[tuple[str, ...], set[int]]:
    """Return the error codes of the table by method, path, action and versions."""
    found = {}
    for line in GOLDEN.read_text().splitlines():
        if line and not line.startswith("#"):
            method, path, action, versions, _, errors, *_ = line.split()
            codes = set() if errors == "-" else {int(code) for code in errors.split(",")}
            found[method, path, action, versions] = codes
    return found


def _row(route: Route) -> Row:
    return (
        route.method,
        route.path,
        route.action or "-",
        str(route.versions),
        ",".join(str(code) for code in route.ok),
        route.rule or "-",
    )


def _built() -> set[Row]:
    return {_row(route) for resource in RESOURCES for route in resource.routes}


def _expected() -> set[Row]:
    """Return the rows of routes that must be there: built ones, refused ones, their aliases."""
    rows = {row for row, state in _golden() if state in ("built", "refused")}
    places = {row[:3] for row in rows}
    return rows | {
        row
        for row, state in _golden()
        if state == "alias" and (row[0], row[1].replace(ALIAS, "/servers"), row[2]) in places
    }


def test_table_is_complete_and_without_doubles() -> None:
    rows = [row for row, _ in _golden()]
    assert len(rows) == len(set(rows)) > 240
    assert {state.split()[0] for _, state in _golden()} <= {
        "built",
        "refused",
        "alias",
        "issue",
        "later",
        "documents",
    }


def test_every_built_line_of_the_table_exists() -> None:
    assert _expected() - _built() == set()


def test_every_route_is_a_built_line_of_the_table() -> None:
    assert _built() - _expected() == set()


def test_every_route_declares_the_errors_of_the_table() -> None:
    expected = _golden_errors()
    missing = {
        _row(route)[:4]: undeclared
        for resource in RESOURCES
        for route in resource.routes
        if (undeclared := expected[_row(route)[:4]] - set(route.errors))
    }
    assert missing == {}


def test_no_route_declares_that_it_fails() -> None:
    routes = [route for resource in RESOURCES for route in resource.routes]
    assert [route.path for route in routes if 500 in route.errors] == []


def test_what_is_refused_has_the_word_in_the_table() -> None:
    refused = {_row(route) for resource in REFUSED for route in resource.routes}
    assert refused <= {row for row, state in _golden() if state == "refused"}


def test_only_the_other_name_of_servers_is_an_alias() -> None:
    aliases = {row[1] for row, state in _golden() if state == "alias"}
    assert aliases == {ALIAS, f"{ALIAS}/detail", f"{ALIAS}/{{id}}", f"{ALIAS}/{{id}}/action"}


def test_every_rule_of_a_route_has_a_default() -> None:
    for resource in RESOURCES:
        for route in resource.routes:
            assert route.rule is None or route.rule in resource.rules


def test_no_rule_has_two_defaults() -> None:
    seen: dict[str, str] = {}
    for resource in RESOURCES:
        for name, check in resource.rules.items():
            assert seen.setdefault(name, check) == check


def test_in_04_a_post_without_schema_is_refused_at_declaration() -> None:
    resource = Resource("x", rules={"create": "@"})
    with pytest.raises(ValueError, match="no schema"):
        resource.route("POST /x", policy="create")


def test_a_rule_without_default_is_refused_at_declaration() -> None:
    with pytest.raises(ValueError, match="no default"):
        Resource("x").route("GET /x", policy="index")


def test_overlapping_versions_are_refused_at_declaration() -> None:
    resource = Resource("x", rules={"index": "@"})
    resource.route("GET /x", policy="index", until="2.5")(lambda call: None)
    with pytest.raises(ValueError, match="share versions"):
        resource.route("GET /x", policy="index", since="2.5")(lambda call: None)
