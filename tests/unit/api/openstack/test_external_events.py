"""os-server-external-events: what other services tell about servers."""

from typing import Any

import pytest
import webob

from nova.api.core.caller import services_over
from nova.api.openstack.app import RESOURCES, default_rules
from nova.api.openstack.dispatch import Dispatcher
from nova.api.openstack.environment import CONTEXT_KEY
from nova.api.settings import ApiSettings
from nova.context import RequestContext
from nova.policy import Policy, own_target
from tests.fixtures.rest import OTHER_PROJECT, empty_conf
from tests.fixtures.rest_site import IMAGE_ID, RestSite

PATH = "/os-server-external-events"
SINCE = {"volume-extended": 51, "power-update": 76, "accelerator-request-bound": 82,
         "volume-reimaged": 93}  # fmt: skip


def _send(cloud: RestSite, *events: dict[str, Any], version: str = "2.93") -> Any:
    return cloud.admin.at(version).post(PATH, {"events": list(events)})


def _event(server: str, name: str = "network-changed", **more: Any) -> dict[str, Any]:
    return {"name": name, "server_uuid": server, **more}


@pytest.mark.parametrize(
    ("name", "tag", "code"),
    [
        ("network-changed", None, 200),
        ("network-vif-plugged", "port", 200),
        ("network-vif-unplugged", None, 200),
        ("network-vif-deleted", "port", 200),
        ("volume-extended", None, 400),
        ("volume-extended", "volume", 200),
        ("power-update", None, 400),
        ("power-update", "POWER_ON", 200),
        ("power-update", "POWER_OFF", 200),
        ("power-update", "power", 400),
        ("accelerator-request-bound", None, 400),
        ("accelerator-request-bound", "request", 200),
        ("volume-reimaged", "volume", 200),
    ],
)
def test_each_event_has_its_code(cloud: RestSite, name: str, tag: str | None, code: int) -> None:
    event = _event(cloud.boot(), name) | ({} if tag is None else {"tag": tag})
    answer = _send(cloud, event)
    assert answer.status_int == (200 if code == 200 else 207)
    assert answer.json == {"events": [{**event, "status": "completed", "code": code}]}


def test_servers_unknown_or_without_host_have_codes_of_their_own(cloud: RestSite) -> None:
    running = cloud.boot()
    cloud.site.scheduler.hosts = []
    unplaced = cloud.request()
    answer = _send(
        cloud,
        _event(running.upper(), status="failed"),
        _event(unplaced),
        _event(IMAGE_ID),
    )
    assert answer.status_int == 207
    assert [event["code"] for event in answer.json["events"]] == [200, 422, 404]
    assert answer.json["events"][0]["status"] == "failed"


def test_events_cost_one_question(cloud: RestSite) -> None:
    servers = [cloud.boot() for _ in range(3)]
    cloud.conductor.counter.take()
    assert _send(cloud, *(_event(server) for server in servers * 5)).status_int == 200
    assert len(cloud.conductor.counter.take()) == 1


def _renewed(cloud: RestSite) -> list[str]:
    """Return the servers whose networks hosts were told to renew."""
    cloud.bus.run_until_idle()
    return [
        work.operation.instance_uuid
        for host in cloud.site.computes.values()
        for work in host.works
        if work.operation.action == "inject_network_info"
    ]


def test_a_changed_network_is_renewed_on_the_host_of_its_server(cloud: RestSite) -> None:
    first, second, untouched = (cloud.boot() for _ in range(3))
    answer = _send(
        cloud,
        _event(first),
        _event(second, tag="port"),
        _event(untouched, "network-vif-plugged"),
        _event(IMAGE_ID),
    )
    assert [event["code"] for event in answer.json["events"]] == [200, 200, 200, 404]
    assert sorted(_renewed(cloud)) == sorted([first, second])


def test_repeated_changes_are_one_renewal_while_it_waits(cloud: RestSite) -> None:
    server = cloud.boot()
    for _ in range(3):
        assert _send(cloud, _event(server), _event(server.upper())).status_int == 200
    assert _renewed(cloud) == [server]


def test_a_locked_server_is_renewed_for_services_and_one_being_built_is_left_alone(
    cloud: RestSite,
) -> None:
    locked, being_built = cloud.boot(), cloud.request()
    assert cloud.rest.post(f"/servers/{locked}/action", {"lock": None}).status_int == 202
    for server in (being_built, locked):
        answer = _send_as(cloud, "service", _event(server))
        assert answer.json["events"][0]["code"] == 200
    assert _renewed(cloud) == [locked]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"name": "network-changed"},
        {"server_uuid": IMAGE_ID},
        _event("odd"),
        _event(IMAGE_ID, "odd"),
        _event(IMAGE_ID, status="odd"),
        _event(IMAGE_ID, tag="x" * 256),
        _event(IMAGE_ID, odd=1),
    ],
)
def test_in_04_bad_events_are_refused(cloud: RestSite, event: dict[str, Any]) -> None:
    assert _send(cloud, event).status_int == 400


def test_in_04_there_is_at_least_one_event(cloud: RestSite) -> None:
    assert _send(cloud).status_int == 400


@pytest.mark.parametrize(("name", "minor"), SINCE.items())
def test_names_come_with_their_version(cloud: RestSite, name: str, minor: int) -> None:
    event = _event(cloud.boot(), name, tag="POWER_ON")
    assert _send(cloud, event, version=f"2.{minor - 1}").status_int == 400
    assert _send(cloud, event, version=f"2.{minor}").status_int == 200


def _send_as(cloud: RestSite, role: str, event: dict[str, Any]) -> webob.Response:
    """Send an event with a token of another project that has one role."""
    policy = Policy(
        empty_conf(), {**default_rules(), "os_compute_api:os-server-external-events:create": "@"}
    )
    provided = services_over(cloud.bus, cloud.images, policy, ApiSettings())
    request = webob.Request.blank(f"/v2.1{PATH}", method="POST", json={"events": [event]})
    request.environ[CONTEXT_KEY] = RequestContext(
        user_id="u", project_id=OTHER_PROJECT, roles=(role,)
    )
    return request.get_response(Dispatcher(RESOURCES, provided))


def test_az_02_services_tell_of_servers_of_all_projects_and_others_do_not(
    cloud: RestSite,
) -> None:
    event = _event(cloud.boot())
    for role, code in (("service", 200), ("member", 404)):
        answer = _send_as(cloud, role, event)
        assert [taken["code"] for taken in answer.json["events"]] == [code]


def test_az_07_events_come_from_services(cloud: RestSite) -> None:
    assert cloud.rest.post(PATH, {"events": [_event(cloud.boot())]}).status_int == 403
    policy = Policy(empty_conf(), default_rules())
    rule = "os_compute_api:os-server-external-events:create"
    for role, allowed in (("service", True), ("member", False), ("manager", False)):
        context = RequestContext(user_id="u", project_id="p", roles=(role,))
        assert policy.check(context, rule, own_target(context)) is allowed
