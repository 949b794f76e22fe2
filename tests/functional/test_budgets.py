"""What requests may cost: calls of the conductor, messages to hosts, SQL statements.

Generated over all routes that are built, so that a new route is held to its budget at once.
"""

import dataclasses
from typing import Any

import pytest

from nova import clock
from nova.api.openstack.app import RESOURCES
from nova.api.openstack.refusals import ABSENT, REFUSED
from nova.api.openstack.resource import Route
from nova.api.openstack.versions import MAXIMUM
from tests.fixtures.budgets import World, make_world, ok
from tests.fixtures.cloud import FLAVORS, IMAGE_ID
from tests.fixtures.rest import Rest
from tests.fixtures.time import FrozenClock

FEW, MANY = 2, 20
MAX_READ_STATEMENTS = 8
MAX_CHANGE_STATEMENTS = 22

BUILT = [
    route
    for resource in RESOURCES
    if not any(resource is other for other in (*REFUSED, *ABSENT))
    for route in resource.routes
]
READS = [route for route in BUILT if route.method == "GET"]
CHANGES = [r for r in BUILT if r.method != "GET" and r.path.startswith("/servers")]

# Routes that ask a host besides, and the method that they call there.
ASK_HOSTS = {
    "/servers/{server_id}/diagnostics": "get_diagnostics",
    "/os-hypervisors/{id}/uptime": "get_host_uptime",
    # The service of tokens, which asks a host only about a token that there is.
    "/os-console-auth-tokens/{id}": "check_token",
    "/os-certificates/{id}": "fetch_ca",
}
# Routes whose answer is that there is nothing, or that it is not to be had here.
ANSWERS = {
    "/servers/{server_id}/migrations/{id}": 404,
    "/servers/{server_id}/os-volume_attachments/{id}": 404,
    "/servers/{server_id}/shares/{id}": 404,
    "/servers/{server_id}/consoles/{id}": 404,
    "/os-console-auth-tokens/{id}": 404,
    "/os-floating-ips/{id}": 404,
    "/os-security-group-default-rules/{id}": 404,
    # The program that they start is not there.
    "/os-fping": 503,
    "/os-fping/{id}": 503,
    "/os-floating-ip-dns/{domain_id}/entries/{id}": 404,
    "/servers/{server_id}/tags/{id}": 204,
    "/os-hosts/{id}/reboot": 501,
    "/os-hosts/{id}/shutdown": 501,
    "/os-hosts/{id}/startup": 501,
}


@pytest.fixture(scope="module")
def worlds():
    """Return a small and a large world; tests leave them as they were."""
    with pytest.MonkeyPatch.context() as patch:
        frozen = FrozenClock()
        patch.setattr(clock, "utcnow", frozen.utcnow)
        patch.setattr(clock, "monotonic", frozen.monotonic)
        made = [make_world(frozen, size) for size in (FEW, MANY)]
        yield made
        for world in made:
            world.cloud.close()


def newest(route: Route) -> str:
    return str(route.versions.until or MAXIMUM)


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}" + (f" {route.action}" if route.action else "")


# --- Reads


@pytest.mark.parametrize("route", READS, ids=name_of)
def test_a_read_costs_one_conductor_call_and_as_many_statements_for_few_rows_as_for_many(
    worlds, route
):
    statements = []
    for world in worlds:
        rest: Rest = world.cloud.rest.as_admin().at(newest(route))
        if "keypairs" in route.path or "/metadata" in route.path:
            rest = world.cloud.rest.at(newest(route))
        path = world.path(route)
        rest.get(path)  # what is remembered for a while is read now
        answer, cost = world.cost(lambda rest=rest, path=path: rest.get(path))
        assert answer.status_int == ANSWERS.get(route.path, 200), answer.text
        assert len(cost.calls) <= 1, cost.calls
        assert cost.others == ([ASK_HOSTS[route.path]] if route.path in ASK_HOSTS else [])
        assert len(cost.statements) <= MAX_READ_STATEMENTS, cost.statements
        statements.append(cost.statements)
    assert len(statements[0]) == len(statements[1]), statements


# --- Changes


@dataclasses.dataclass(frozen=True)
class Change:
    """A request that changes a server.

    before: bodies of actions that bring the server into the right state.  status: of the
    answer, None for the route's own.  calls: of the conductor; two where an outside service
    lies between.  other: the further messages of the request, None when there are none.
    """

    body: Any = None
    before: tuple[dict[str, Any], ...] = ()
    status: int | None = None
    calls: int = 1
    other: str | tuple[str, ...] | None = "run_operation"


def act(name: str, value: Any = None, *before: dict[str, Any], **more: Any) -> Change:
    return Change({name: value}, before, **more)


NOTHING = "99999999-0000-0000-0000-000000000000"
VOLUME = {"volumeAttachment": {"volumeId": NOTHING}}
RESIZE = {"resize": {"flavorRef": FLAVORS["small"].flavorid}}
BACKUP = {"name": "x", "backup_type": "daily", "rotation": 1}
MOVE = {"host": None, "block_migration": "auto"}
NEW = {
    "server": {
        "name": "made",
        "flavorRef": FLAVORS["tiny"].flavorid,
        "imageRef": IMAGE_ID,
        "networks": "auto",
    }
}
AT_ONCE = {"other": None}
CONSOLE = ("get_console", "authorize_console")
NOT_ENABLED = {"status": 400, "other": "get_console"}
FLOATING = {"address": "203.0.113.1"}

_OF_SERVERS = {
    "POST /servers": Change(NEW, **AT_ONCE),
    "PUT /servers/{id}": Change({"server": {"name": "other"}}, **AT_ONCE),
    "DELETE /servers/{id}": Change(),
    "DELETE /servers/{server_id}/os-server-password": Change(other="forget"),
    "POST /servers/{server_id}/metadata": Change({"metadata": {"a": "b", "c": "d"}}, **AT_ONCE),
    "PUT /servers/{server_id}/metadata": Change({"metadata": {"a": "b", "c": "d"}}, **AT_ONCE),
    "PUT /servers/{server_id}/metadata/{id}": Change({"meta": {"purpose": "x"}}, **AT_ONCE),
    "DELETE /servers/{server_id}/metadata/{id}": Change(**AT_ONCE),
    "PUT /servers/{server_id}/tags": Change({"tags": ["a", "b"]}, **AT_ONCE),
    "DELETE /servers/{server_id}/tags": Change(**AT_ONCE),
    "PUT /servers/{server_id}/tags/{id}": Change(**AT_ONCE),
    "DELETE /servers/{server_id}/tags/{id}": Change(**AT_ONCE),
    "POST /servers/{server_id}/os-interface": Change({}),
    "DELETE /servers/{server_id}/os-interface/{id}": Change(),
    "POST /servers/{server_id}/os-volume_attachments": Change(VOLUME, status=501, **AT_ONCE),
    "PUT /servers/{server_id}/os-volume_attachments/{id}": Change(VOLUME, status=404, **AT_ONCE),
    "DELETE /servers/{server_id}/os-volume_attachments/{id}": Change(status=404, **AT_ONCE),
    "POST /servers/{server_id}/shares": Change(
        {"share": {"share_id": NOTHING}}, status=501, **AT_ONCE
    ),
    "DELETE /servers/{server_id}/shares/{id}": Change(status=404, **AT_ONCE),
    "DELETE /servers/{server_id}/migrations/{id}": Change(status=409, **AT_ONCE),
    "POST /servers/{server_id}/remote-consoles": Change(
        {"remote_console": {"protocol": "vnc", "type": "novnc"}}, calls=2, other=CONSOLE
    ),
    "POST /servers/{server_id}/consoles": Change({}, status=404, **AT_ONCE),
    "DELETE /servers/{server_id}/consoles/{id}": Change(status=404, **AT_ONCE),
    "POST /servers/{server_id}/migrations/{id}/action force_complete": act(
        "force_complete", status=409, **AT_ONCE
    ),
}
_ACTIONS = {
    "os-start": act("os-start", None, {"os-stop": None}),
    "os-stop": act("os-stop"),
    "reboot": act("reboot", {"type": "HARD"}),
    "pause": act("pause"),
    "unpause": act("unpause", None, {"pause": None}),
    "suspend": act("suspend"),
    "resume": act("resume", None, {"suspend": None}),
    "lock": act("lock", **AT_ONCE),
    "unlock": act("unlock", None, {"lock": None}, **AT_ONCE),
    "restore": act("restore", status=409, **AT_ONCE),
    "forceDelete": act("forceDelete"),
    "trigger_crash_dump": act("trigger_crash_dump"),
    "changePassword": act("changePassword", {"adminPass": "secret"}),
    "os-resetState": act("os-resetState", {"state": "error"}, **AT_ONCE),
    "addSecurityGroup": act("addSecurityGroup", {"name": "default"}, status=400, **AT_ONCE),
    "removeSecurityGroup": act("removeSecurityGroup", {"name": "default"}, **AT_ONCE),
    "addFixedIp": act("addFixedIp", {"networkId": NOTHING}, status=404, **AT_ONCE),
    "removeFixedIp": act("removeFixedIp", {"address": "10.0.0.250"}, status=400, **AT_ONCE),
    "addFloatingIp": act("addFloatingIp", FLOATING, status=404, **AT_ONCE),
    "removeFloatingIp": act("removeFloatingIp", FLOATING, status=404, **AT_ONCE),
    "injectNetworkInfo": act("injectNetworkInfo"),
    "resetNetwork": act("resetNetwork", **AT_ONCE),
    "os-getVNCConsole": act("os-getVNCConsole", {"type": "novnc"}, calls=2, other=CONSOLE),
    "os-getSPICEConsole": act("os-getSPICEConsole", {"type": "spice-html5"}, **NOT_ENABLED),
    "os-getRDPConsole": act("os-getRDPConsole", {"type": "rdp-html5"}, **NOT_ENABLED),
    "os-getSerialConsole": act("os-getSerialConsole", {"type": "serial"}, **NOT_ENABLED),
    "os-getConsoleOutput": act("os-getConsoleOutput", {}, other="get_console_output"),
    "createImage": act("createImage", {"name": "x"}, calls=2),
    "createBackup": act("createBackup", BACKUP, calls=2),
    "shelve": act("shelve", calls=2),
    "shelveOffload": act("shelveOffload", status=409, **AT_ONCE),
    "unshelve": act("unshelve", None, {"shelve": None}, **AT_ONCE),
    "rebuild": act("rebuild", {"imageRef": IMAGE_ID}),
    "rescue": act("rescue"),
    "unrescue": act("unrescue", None, {"rescue": None}),
    "resize": Change(RESIZE),
    "confirmResize": act("confirmResize", None, RESIZE),
    "revertResize": act("revertResize", None, RESIZE),
    "migrate": act("migrate", status=400, **AT_ONCE),
    "os-migrateLive": act("os-migrateLive", MOVE, status=400, **AT_ONCE),
    "evacuate": act("evacuate", {}, status=400, **AT_ONCE),
}
EXPECTED = _OF_SERVERS | {
    f"POST /servers/{{id}}/action {name}": change for name, change in _ACTIONS.items()
}


def test_every_change_of_servers_has_a_budget():
    assert {name_of(route) for route in CHANGES} == set(EXPECTED)


@pytest.mark.parametrize("route", CHANGES, ids=name_of)
def test_a_change_costs_one_conductor_call_and_its_dispatch_however_many_servers_there_are(
    worlds, route
):
    change = EXPECTED[name_of(route)]
    statements = [_statements_of(world, route, change) for world in worlds]
    assert len(statements[0]) == len(statements[1]), statements


def _statements_of(world: World, route: Route, change: Change) -> list[str]:
    """Carry a change out on a server of its own, check its messages, return its statements."""
    cloud = world.cloud
    server = cloud.boot("tiny", metadata={"purpose": "test"})
    own = cloud.rest.at(newest(route))
    rest = own.as_admin()
    ok(cloud.rest.at(str(MAXIMUM)).put(f"/servers/{server.uuid}/tags/t0"))
    for body in change.before:
        ok(cloud.rest.post(f"/servers/{server.uuid}/action", body))
        cloud.run_until_idle()
    ports = own.get(f"/servers/{server.uuid}/os-interface").json["interfaceAttachments"]
    path = world.path_of(route, server, ports[0]["port_id"])
    if route.path == "/servers":
        rest = own
    answer, cost = world.cost(lambda: rest.request(route.method, path, change.body))
    expected = route.ok if change.status is None else (change.status,)
    assert answer.status_int in expected, answer.text
    assert len(cost.calls) <= change.calls, cost.calls
    # When a host is told of changed rules depends on when it was told of others.
    told = [method for method in cost.others if method == "refresh_firewall"]
    assert len(told) <= len(cloud.hosts), told
    others = [method for method in cost.others if method != "refresh_firewall"]
    expected_others = (change.other,) if isinstance(change.other, str) else change.other or ()
    assert tuple(others) == expected_others
    assert len(cost.statements) <= MAX_CHANGE_STATEMENTS, cost.statements
    cloud.run_until_idle()
    for found in cloud.rest.get("/servers?name=made").json["servers"]:
        ok(cloud.rest.delete(f"/servers/{found['id']}"))
    cloud.rest.as_admin().delete(f"/servers/{server.uuid}")
    cloud.run_until_idle()
    return cost.statements
