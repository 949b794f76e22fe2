"""Who may do what in the Networking API: readers read, members keep to their own."""

import pytest

from nova.api.networking.app import RESOURCES, default_rules
from nova.policy import MEMBER, READER, Policy
from tests.fixtures.networking import Front, make_networking_rest, make_networking_site
from tests.fixtures.rest import PROJECT, empty_conf

UNKNOWN = "99999999-2222-4333-8444-555555555555"
ROUTES = [route for resource in RESOURCES for route in resource.routes]
BODIES = {
    "POST /subnets": {"subnet": {"network_id": UNKNOWN, "cidr": "10.9.0.0/24"}},
    "POST /ports": {"port": {"network_id": UNKNOWN}},
    "POST /floatingips": {"floatingip": {"floating_network_id": UNKNOWN}},
    "POST /security-groups": {"security_group": {"name": "x"}},
    "POST /security-group-rules": {
        "security_group_rule": {"security_group_id": UNKNOWN, "direction": "ingress"}
    },
}


def _body(route):
    collection = route.path.split("/")[1].replace("-", "_").removesuffix("s")
    if route.path.endswith("interface"):
        return {"subnet_id": UNKNOWN}
    return BODIES.get(f"{route.method} {route.path}", {collection: {}})


def _send(front, route):
    path = route.path.replace("{id}", UNKNOWN).replace("{alias}", "router")
    if route.path.startswith("/quotas/"):
        path = route.path.replace("{id}", PROJECT)
    return front.send(route.method, path, _body(route) if route.body else None)


@pytest.fixture
def denied(cloud):
    """Return the API for somebody whom no rule lets through."""
    make_networking_site(cloud)
    policy = Policy(empty_conf(), dict.fromkeys(default_rules(), "!"))
    return Front(make_networking_rest(cloud.bus, policy))


def test_every_route_asks_its_rule(denied):
    for route in ROUTES:
        answer = _send(denied, route)
        found = (answer.status_int, answer.json["NeutronError"]["type"])
        assert found == (403, "PolicyNotAuthorized"), (route.method, route.path)


def test_what_members_may_change_readers_may_read():
    for route in ROUTES:
        rule = default_rules()[route.rule]
        assert rule != MEMBER or route.method != "GET"
        assert rule != READER or route.method == "GET"
