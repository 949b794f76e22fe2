"""Hostile input to every route of the Networking API: whatever comes, no server error follows.

Made as in test_rest_fuzz.  Each answer is held against the declaration of its route and, when it
is an error, against the form that errors have here.
"""

import json
import random

import pytest

from nova.api.networking.app import RESOURCES
from nova.api.openstack.versions import MINIMUM
from nova.objects.floating_ip import pool_uuid
from tests.fixtures.api_bodies import sample
from tests.fixtures.hostile import IDS, JUNK, WORDS, mutations, refuse_too_long
from tests.fixtures.networking import POOL, make_networking_site
from tests.fixtures.rest import OTHER_PROJECT

UNKNOWN = "99999999-2222-4333-8444-555555555555"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X")
MOST = 60
ROUTES = [route for resource in RESOURCES for route in resource.routes]
BROKEN = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'"x"',
    b"\xff\xfe",
    b"NaN",
    b"[" * 5000,
    b'{"port": ' * 40 + b"1" + b"}" * 40,
    b"9" * 6000,
    b'{"a":1,"a":2}',
    b'{"port": {"name": "\\ud800"}}',
    b"x" * 120_000,
)
# What a body of each kind names, when it names what is there.
PLACES = {
    "networks": {"name": "n"},
    "subnets": {"cidr": "10.9.0.0/24", "ip_version": 4, "name": "n"},
    "ports": {"name": "n"},
    "floatingips": {"description": "d"},
    "security-groups": {"name": "n", "description": "d"},
    "security-group-rules": {
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": 22,
        "port_range_max": 22,
        "remote_ip_prefix": "10.0.0.0/8",
    },
    "quotas": {"floatingip": 7},
    "routers": {"name": "n"},
}


def _name(route):
    return f"{route.method} {route.path}"


@pytest.fixture
def site(cloud):
    refuse_too_long(cloud.database)
    return make_networking_site(cloud)


@pytest.fixture
def ids(site):
    """Return the id of one thing of each kind, which alice may use."""
    front = site.front
    server = site.cloud.boot("tiny")
    (port,) = front.get(f"/ports?device_id={server.uuid}")
    group = front.post("/security-groups", name="web")
    floating = front.post("/floatingips", floating_network_id=pool_uuid(POOL))
    return {
        "networks": port["network_id"],
        "subnets": port["fixed_ips"][0]["subnet_id"],
        "ports": port["id"],
        "floatingips": floating["id"],
        "security-groups": group["id"],
        "security-group-rules": group["security_group_rules"][0]["id"],
        "network-ip-availabilities": port["network_id"],
        "quotas": front.rest.project,
        "extensions": "router",
    }


def _kind(route):
    return route.path.split("/")[1]


def _path(route, text):
    return route.path.replace("{id}", text).replace("{alias}", text)


def _users(front):
    return (front, front.as_admin(), front.as_user("bob", OTHER_PROJECT))


def _checked(front, route, path, body=None):
    """Send a request; return the answer, which is one that its route may give."""
    answer = front.send(route.method, path, body)
    allowed = (*route.ok, *route.errors)
    assert answer.status_int in allowed, (path, body, answer.status_int, answer.text[:300])
    if answer.status_int >= 400:
        _check_error(answer)
    return answer


def _check_error(answer):
    assert answer.content_type == "application/json"
    assert list(answer.json) == ["NeutronError"]
    error = answer.json["NeutronError"]
    assert set(error) == {"type", "message", "detail"}
    assert all(isinstance(text, str) for text in error.values())
    assert len(answer.body) < 2000
    assert "Traceback" not in error["message"] and "sql" not in error["message"].lower()


def _good(route, ids):
    """Return a body that names what is there, and is accepted or nearly so."""
    kind = _kind(route)
    wish = dict(PLACES[kind])
    if route.method == "POST":
        wish |= {
            "subnets": {"network_id": ids["networks"]},
            "ports": {"network_id": ids["networks"]},
            "floatingips": {"floating_network_id": pool_uuid(POOL), "port_id": ids["ports"]},
            "security-group-rules": {"security_group_id": ids["security-groups"]},
        }.get(kind, {})
    return {kind.replace("-", "_").removesuffix("s"): wish}


def _bodies(route, ids, chance):
    template = sample(route.body.at(MINIMUM))
    good = _good(route, ids)
    (name,) = good
    keys = route.body.at(MINIMUM)["properties"].get(name, {}).get("properties", {})
    bodies = [template, *mutations(template, chance), *mutations(good, chance)]
    # Each key that the route knows beside a body that is accepted.
    bodies += [{name: {**good[name], key: junk}} for key in keys for junk in chance.sample(JUNK, 4)]
    bodies += [{name: {**good[name], key: sample(keys[key])}} for key in keys]
    most = min(MOST, len(bodies))
    # Long texts always: of databases, SQLite alone takes them.
    long = [{name: {**good[name], key: "x" * 300}} for key in keys]
    return [good, *long, *chance.sample(bodies, most)]


@pytest.mark.parametrize("route", [r for r in ROUTES if r.body is not None], ids=_name)
def test_in_04_no_networking_body_makes_a_server_error(site, ids, route):
    chance = random.Random(_name(route))
    path = _path(route, ids.get(_kind(route), UNKNOWN))
    for body in _bodies(route, ids, chance):
        text = json.dumps(body).encode()
        for front in (site.front, site.front.as_admin()):
            _checked(front, route, path, text)
    _check_lists(site.front)


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_in_04_no_broken_body_makes_a_server_error(site, text):
    for route in ROUTES:
        if route.body is not None:
            answer = _checked(site.front.as_admin(), route, _path(route, UNKNOWN), text)
            assert answer.status_int in (400, 413)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.query.params], ids=_name)
def test_in_04_no_networking_query_makes_a_server_error(site, ids, route):
    chance = random.Random(_name(route))
    path = _path(route, ids.get(_kind(route), UNKNOWN))
    body = None if route.body is None else {}
    names = [*route.query.at(MINIMUM), "unknown"]
    for front in (site.front, site.front.as_admin()):
        for name in names:
            for word in chance.sample(WORDS, 2):
                _checked(front, route, f"{path}?{name}={word}", body)
                _checked(front, route, f"{path}?{name}={word}&{name}=1&limit=1", body)
            more = chance.choice(("", "&sort_dir=desc", f"&marker={UNKNOWN}", "&fields=x"))
            _checked(front, route, f"{path}?sort_key={name}&sort_key=x{more}", body)
            _checked(front, route, f"{path}?sort_key={name}&limit=1{more}", body)
        for page in ("limit=0", "limit=-1", "limit=99999999999", "limit=1&limit=2", "limit=1"):
            _checked(front, route, f"{path}?{page}", body)
        _checked(front, route, f"{path}?marker={ids.get(_kind(route), UNKNOWN)}&limit=1", body)


@pytest.mark.parametrize("route", [r for r in ROUTES if "{" in r.path], ids=_name)
def test_odd_networking_ids_make_no_server_error(site, route):
    body = None if route.body is None else sample(route.body.at(MINIMUM))
    for front in (site.front, site.front.as_admin()):
        for text in (*IDS, "1", "1.json", UNKNOWN.upper(), UNKNOWN.replace("-", ""), "0x1"):
            answer = front.send(route.method, _path(route, text), body)
            # An odd id may make another path, which is answered as such.
            assert answer.status_int < 500, (text, answer.text)
            if answer.status_int >= 400 and route.method != "HEAD":
                _check_error(answer)


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_other_methods_are_405_in_the_form_of_this_api(site, path):
    known = {route.method for route in ROUTES if route.path == path} | {"HEAD"}
    for method in METHODS:
        answer = site.front.send(method, path.replace("{id}", "x").replace("{alias}", "x"))
        assert answer.status_int < 500
        if method not in known:
            assert answer.status_int == 405, (method, answer.text)
            _check_error(answer)


def _check_lists(front):
    """What was stored can be read, by its owner and by administrators."""
    for user in _users(front):
        for route in ROUTES:
            if route.method == "GET" and "{" not in route.path:
                _checked(user, route, route.path)
