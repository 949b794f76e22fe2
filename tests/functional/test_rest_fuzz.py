"""Hostile input to every route that exists: whatever comes, no server error follows.

Cases are made from the declarations of the routes, with a seed of its own for each route: a
body that fits the schema, then copies of it with one part taken away, added, or replaced by
junk.  That a status is one that its route declares is checked around the application in all tests
(see tests/fixtures/described.py).
"""

import json
import random

import pytest

from nova.api.openstack import app
from nova.api.openstack.versions import LEGACY, MAXIMUM, MINIMUM
from tests.fixtures.api_bodies import sample
from tests.fixtures.hostile import IDS, WORDS, mutations

MOST = 80
# 501 says that a service is not there at all, which is no fault of this one.
# Each body makes a key, whatever is in it.
UNREAD = {"/os-certificates"}
SERVER_ERRORS = {500, 502, 503, 504}
# 503 says here that the program fping is not installed.
WITH_FPING = "/os-fping"


def _routes():
    return [route for resource in app.RESOURCES for route in resource.routes]


def _name(route):
    return " ".join(filter(None, (route.method, route.path, route.action, str(route.versions))))


def _versions(route):
    """Return the legacy version if it has the route, the first and the last one with numbers."""
    last = min(route.versions.until or MAXIMUM, MAXIMUM)
    return sorted({route.versions.since, max(route.versions.since, MINIMUM), last})


def _errors(route):
    return SERVER_ERRORS - ({503} if route.path.startswith(WITH_FPING) else set())


def _ask(rest, version, method, path, body=None):
    """Send a request at a version; the legacy one is spoken at its own mount."""
    if version == LEGACY:
        return rest.request(method, f"//v2{path}", body)
    return rest.at(str(version)).request(method, path, body)


def _fill(route, server, other):
    path = route.path.replace("{server_id}", server)
    if route.path.startswith("/servers/{id}"):
        return path.replace("{id}", server)
    for name in ("id", "flavor_id"):
        path = path.replace("{" + name + "}", other)
    return path


@pytest.mark.parametrize(
    "route", [r for r in _routes() if r.body is not None and r.path not in UNREAD], ids=_name
)
def test_in_04_no_body_makes_a_server_error(cloud, route):
    chance = random.Random(_name(route))
    server = cloud.boot("tiny").uuid
    for version in _versions(route):
        template = sample(route.body.at(version))
        bodies = [template, *mutations(template, chance)]
        if len(bodies) > MOST:
            bodies = [template, *chance.sample(bodies, MOST)]
        for body in bodies:
            for rest in (cloud.rest, cloud.rest.as_user("admin")):
                path, text = _fill(route, server, "1"), json.dumps(body).encode()
                answer = _ask(rest, version, route.method, path, text)
                assert answer.status_int not in SERVER_ERRORS, (body, answer.text)


@pytest.mark.parametrize("route", [r for r in _routes() if r.query.params], ids=_name)
def test_in_04_no_query_makes_a_server_error(cloud, route):
    chance = random.Random(_name(route))
    server = cloud.boot("tiny").uuid
    for version in _versions(route):
        for rest in (cloud.rest, cloud.rest.as_user("admin")):
            for name in (*route.query.at(version), "unknown"):
                for word in chance.sample(WORDS, 3):
                    path = f"{_fill(route, server, '1')}?{name}={word}"
                    answer = _ask(rest, version, route.method, path)
                    assert answer.status_int not in _errors(route), (path, answer.text)


@pytest.mark.parametrize("route", [r for r in _routes() if "{" in r.path], ids=_name)
def test_odd_ids_make_no_server_error(cloud, route):
    for version in _versions(route):
        body = None if route.body is None else sample(route.body.at(version))
        for rest in (cloud.rest, cloud.rest.as_user("admin")):
            for text in IDS:
                path = _fill(route, text, text)
                answer = _ask(rest, version, route.method, path, body)
                assert answer.status_int not in _errors(route), (path, answer.text)
