"""Every route about a server, asked by its owner and by somebody else.

The cases are made from the routes themselves, so that a new route is in here without
anybody thinking of it; only the bodies are written down.
"""

import pytest

from nova.api.openstack import app
from nova.api.openstack.resource import Resource, Route
from nova.api.openstack.versions import MAXIMUM
from tests.fixtures.rest import OTHER_PROJECT, PROJECT, Rest
from tests.unit.api.openstack.conftest import IMAGE_ID, Api

UNKNOWN = "99999999-0000-0000-0000-000000000000"

BODIES: dict[str, object] = {
    "PUT /servers/{id}": {"server": {"name": "x"}},
    "POST /servers/{id}/action os-start": {"os-start": None},
    "POST /servers/{id}/action os-stop": {"os-stop": None},
    "POST /servers/{id}/action reboot": {"reboot": {"type": "HARD"}},
    "POST /servers/{id}/action pause": {"pause": None},
    "POST /servers/{id}/action unpause": {"unpause": None},
    "POST /servers/{id}/action suspend": {"suspend": None},
    "POST /servers/{id}/action resume": {"resume": None},
    "POST /servers/{id}/action lock": {"lock": None},
    "POST /servers/{id}/action unlock": {"unlock": None},
    "POST /servers/{id}/action restore": {"restore": None},
    "POST /servers/{id}/action forceDelete": {"forceDelete": None},
    "POST /servers/{id}/action trigger_crash_dump": {"trigger_crash_dump": None},
    "POST /servers/{id}/action changePassword": {"changePassword": {"adminPass": "x"}},
    "POST /servers/{id}/action os-resetState": {"os-resetState": {"state": "error"}},
    "POST /servers/{id}/action addSecurityGroup": {"addSecurityGroup": {"name": "default"}},
    "POST /servers/{id}/action removeSecurityGroup": {"removeSecurityGroup": {"name": "default"}},
    "POST /servers/{id}/action addFixedIp": {"addFixedIp": {"networkId": UNKNOWN}},
    "POST /servers/{id}/action removeFixedIp": {"removeFixedIp": {"address": "10.0.0.9"}},
    "POST /servers/{id}/action addFloatingIp": {"addFloatingIp": {"address": "198.51.100.9"}},
    "POST /servers/{id}/action removeFloatingIp": {"removeFloatingIp": {"address": "198.51.100.9"}},
    "POST /servers/{id}/action injectNetworkInfo": {"injectNetworkInfo": None},
    "POST /servers/{id}/action resetNetwork": {"resetNetwork": None},
    "POST /servers/{id}/action os-getConsoleOutput": {"os-getConsoleOutput": {}},
    "POST /servers/{id}/action os-getVNCConsole": {"os-getVNCConsole": {"type": "novnc"}},
    "POST /servers/{id}/action os-getSPICEConsole": {"os-getSPICEConsole": {"type": "spice-html5"}},
    "POST /servers/{id}/action os-getRDPConsole": {"os-getRDPConsole": {"type": "rdp-html5"}},
    "POST /servers/{id}/action os-getSerialConsole": {"os-getSerialConsole": {"type": "serial"}},
    "POST /servers/{server_id}/remote-consoles": {
        "remote_console": {"protocol": "vnc", "type": "novnc"}
    },
    "POST /servers/{server_id}/consoles": {},
    "POST /servers/{server_id}/metadata": {"metadata": {"k": "v"}},
    "PUT /servers/{server_id}/metadata": {"metadata": {"k": "v"}},
    "PUT /servers/{server_id}/metadata/{id}": {"meta": {"child": "v"}},
    "PUT /servers/{server_id}/tags": {"tags": ["a"]},
    "POST /servers/{server_id}/os-interface": {},
    "POST /servers/{server_id}/os-volume_attachments": {"volumeAttachment": {"volumeId": UNKNOWN}},
    "PUT /servers/{server_id}/os-volume_attachments/{id}": {
        "volumeAttachment": {"volumeId": UNKNOWN}
    },
    "POST /servers/{server_id}/shares": {"share": {"share_id": UNKNOWN}},
    "POST /servers/{id}/action createImage": {"createImage": {"name": "x"}},
    "POST /servers/{id}/action createBackup": {
        "createBackup": {"name": "x", "backup_type": "daily", "rotation": 1}
    },
    "POST /servers/{id}/action shelve": {"shelve": None},
    "POST /servers/{id}/action shelveOffload": {"shelveOffload": None},
    "POST /servers/{id}/action unshelve": {"unshelve": None},
    "POST /servers/{id}/action rebuild": {"rebuild": {"imageRef": IMAGE_ID}},
    "POST /servers/{id}/action rescue": {"rescue": None},
    "POST /servers/{id}/action unrescue": {"unrescue": None},
    "POST /servers/{id}/action resize": {"resize": {"flavorRef": "2"}},
    "POST /servers/{id}/action confirmResize": {"confirmResize": None},
    "POST /servers/{id}/action revertResize": {"revertResize": None},
    "POST /servers/{id}/action migrate": {"migrate": None},
    "POST /servers/{id}/action os-migrateLive": {
        "os-migrateLive": {"host": None, "block_migration": "auto"}
    },
    "POST /servers/{id}/action evacuate": {"evacuate": {}},
    "POST /servers/{server_id}/migrations/{id}/action force_complete": {"force_complete": None},
}
# What owners are told where a service is missing, or where the route is not for them.
NOT_FOR_OWNERS = {
    "POST /servers/{server_id}/os-volume_attachments": 501,
    "PUT /servers/{server_id}/os-volume_attachments/{id}": 403,
    "POST /servers/{server_id}/shares": 501,
    "POST /servers/{id}/action os-resetState": 403,
    "POST /servers/{id}/action injectNetworkInfo": 403,
    "POST /servers/{id}/action resetNetwork": 403,
    "GET /servers/{server_id}/diagnostics": 403,
    "POST /servers/{id}/action migrate": 403,
    "POST /servers/{id}/action shelveOffload": 403,
    "POST /servers/{id}/action os-migrateLive": 403,
    "POST /servers/{id}/action evacuate": 403,
    "GET /servers/{server_id}/migrations": 403,
    "GET /servers/{server_id}/migrations/{id}": 403,
    "DELETE /servers/{server_id}/migrations/{id}": 403,
    "POST /servers/{server_id}/migrations/{id}/action force_complete": 403,
}


def _routes() -> list[Route]:
    def about_a_server(route: Route) -> bool:
        return route.path.startswith(("/servers/{id}", "/servers/{server_id}"))

    resources: tuple[Resource, ...] = app.RESOURCES
    return [r for resource in resources for r in resource.routes if about_a_server(r)]


def _name(route: Route) -> str:
    return f"{route.method} {route.path}" + (f" {route.action}" if route.action else "")


def _send(rest: Rest, route: Route, server: str) -> tuple[int, str]:
    path = route.path.replace("{server_id}", server)
    if "{server_id}" in route.path:
        path = path.replace("{id}", "child")
    version = str(min(route.versions.until or MAXIMUM, MAXIMUM))
    answer = rest.at(version).request(
        route.method, path.replace("{id}", server), BODIES.get(_name(route))
    )
    return answer.status_int, answer.text.replace(server, "SERVER")


ROUTES = _routes()


@pytest.mark.parametrize("route", ROUTES, ids=_name)
def test_az_02_a_foreign_server_is_like_an_unknown_one(api: Api, route: Route) -> None:
    foreign = api.instances.add(OTHER_PROJECT, metadata={"child": "v"}, tags=("child",))
    before = dict(api.instances.servers)
    answer = _send(api.rest, route, foreign.uuid)
    assert answer[0] == 404 or answer[0] == NOT_FOR_OWNERS[_name(route)] == 403
    assert answer == _send(api.rest, route, UNKNOWN)
    assert api.instances.servers == before
    assert api.instances.begun == []


@pytest.mark.parametrize("route", ROUTES, ids=_name)
def test_az_02_the_owner_is_let_through(api: Api, route: Route) -> None:
    own = api.instances.add(PROJECT, metadata={"child": "v"}, tags=("child",))
    status, text = _send(api.rest, route, own.uuid)
    missing_child = status == 404 and "SERVER could not be found" not in text
    expected = (*route.ok, 409, NOT_FOR_OWNERS.get(_name(route)))
    assert status in expected or missing_child, text


@pytest.mark.parametrize("route", ROUTES, ids=_name)
def test_az_01_a_foreign_project_in_the_path_is_refused(api: Api, route: Route) -> None:
    own = api.instances.add(PROJECT)
    path = route.path.replace("{server_id}", own.uuid).replace("{id}", own.uuid)
    version = str(min(route.versions.until or MAXIMUM, MAXIMUM))
    answer = api.rest.at(version).request(
        route.method, f"/{OTHER_PROJECT}{path}", BODIES.get(_name(route))
    )
    assert answer.status_int == 400
    assert "Malformed request URL" in answer.text


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body is not None], ids=_name)
@pytest.mark.parametrize(
    "body", [[], "x", 5, {"x": 1}, {"server": None}, {"server": []}, {"metadata": 5}, {"tags": 1}]
)
def test_in_04_wrong_bodies_are_400_on_every_route(api: Api, route: Route, body: object) -> None:
    own = api.instances.add(PROJECT)
    path = route.path.replace("{server_id}", own.uuid).replace("{id}", own.uuid)
    version = str(min(route.versions.until or MAXIMUM, MAXIMUM))
    assert api.rest.at(version).request(route.method, path, body).status_int == 400


CHILDREN = [
    ("GET", "metadata/child"),
    ("DELETE", "metadata/child"),
    ("GET", "tags/child"),
    ("DELETE", "tags/child"),
    ("GET", "ips/child"),
    ("GET", "os-instance-actions/child"),
]


@pytest.mark.parametrize(("method", "child"), CHILDREN)
def test_az_03_a_foreign_child_of_an_own_server_does_not_exist(
    api: Api, method: str, child: str
) -> None:
    api.instances.add(OTHER_PROJECT, metadata={"child": "v"}, tags=("child",))
    own = api.instances.add(PROJECT)
    assert api.rest.at("2.26").request(method, f"/servers/{own.uuid}/{child}").status_int == 404
