"""The Compute API over the real conductor: scopes, lists, limits, hostile input."""

import itertools
import json
import random
import uuid

import pytest

from nova.api.openstack import app
from nova.api.openstack.server_schemas import SORT_KEYS
from nova.api.openstack.versions import MAXIMUM
from nova.conductor.rpcapi.flavors import ConductorFlavors
from nova.context import get_admin_context
from nova.objects.flavor import NewFlavor
from nova.policy import MEMBER, READER
from tests.fixtures.cloud import IMAGE_ID
from tests.fixtures.hostile import JUNK
from tests.fixtures.rest import OTHER_PROJECT

NET = "99999999-2222-4333-8444-555555555555"


def _names(rest, path="/servers"):
    answer = rest.get(path)
    assert answer.status_int == 200, answer.text
    return [server["name"] for server in answer.json["servers"]]


@pytest.fixture
def foreign(cloud):
    """Return a client of another project, and its server."""
    other = cloud.rest.as_user("bob", OTHER_PROJECT)
    body = {
        "name": "theirs",
        "flavorRef": "1",
        "imageRef": IMAGE_ID,
        "metadata": {"child": "v"},
        "tags": ["child"],
        "networks": "auto",
    }
    made = other.at("2.52").post("/servers", {"server": body})
    assert made.status_int == 202, made.text
    cloud.run_until_idle()
    return other, made.json["server"]["id"]


# --- Whose servers ----------------------------------------------------------------------------


def _server_routes():
    routes = [route for resource in app.RESOURCES for route in resource.routes]
    return [route for route in routes if "/servers/{" in route.path]


_BODIES = {
    ("PUT", "/servers/{id}"): {"server": {"name": "x"}},
    ("POST", "/servers/{server_id}/metadata"): {"metadata": {"k": "v"}},
    ("PUT", "/servers/{server_id}/metadata"): {"metadata": {"k": "v"}},
    ("PUT", "/servers/{server_id}/metadata/{id}"): {"meta": {"child": "v"}},
    ("PUT", "/servers/{server_id}/tags"): {"tags": ["a"]},
    ("POST", "/servers/{server_id}/os-interface"): {"interfaceAttachment": {"net_id": NET}},
    ("POST", "/servers/{server_id}/os-volume_attachments"): {"volumeAttachment": {"volumeId": NET}},
    ("PUT", "/servers/{server_id}/os-volume_attachments/{id}"): {
        "volumeAttachment": {"volumeId": NET}
    },
    ("POST", "/servers/{server_id}/shares"): {"share": {"share_id": NET}},
    ("POST", "/servers/{server_id}/consoles"): {},
    ("POST", "/servers/{server_id}/remote-consoles"): {
        "remote_console": {"protocol": "vnc", "type": "novnc"}
    },
}
_ACTION_ARGUMENTS = {
    "reboot": {"type": "HARD"},
    "os-getConsoleOutput": {},
    "os-getVNCConsole": {"type": "novnc"},
    "os-getSPICEConsole": {"type": "spice-html5"},
    "os-getRDPConsole": {"type": "rdp-html5"},
    "os-getSerialConsole": {"type": "serial"},
    "changePassword": {"adminPass": "x"},
    "os-resetState": {"state": "error"},
    "rebuild": {"imageRef": IMAGE_ID},
    "addFixedIp": {"networkId": NET},
    "removeFixedIp": {"address": "10.0.0.250"},
    "addFloatingIp": {"address": "203.0.113.1"},
    "removeFloatingIp": {"address": "203.0.113.1"},
    "addSecurityGroup": {"name": "default"},
    "removeSecurityGroup": {"name": "default"},
    "resize": {"flavorRef": "2"},
    "createImage": {"name": "x"},
    "createBackup": {"name": "x", "backup_type": "daily", "rotation": 1},
    "evacuate": {},
    "os-migrateLive": {"host": None, "block_migration": "auto"},
}


def _body_of(route):
    if route.action:
        return {route.action: _ACTION_ARGUMENTS.get(route.action)}
    return _BODIES.get((route.method, route.path))


def _is_for_members(route):
    (rules,) = (resource.rules for resource in app.RESOURCES if route in resource.routes)
    return rules.get(route.rule) in (MEMBER, READER)


def _version_of(route):
    return str(min(route.versions.until or MAXIMUM, MAXIMUM))


@pytest.mark.parametrize("prefix", ["", "/{project}"])
def test_az_02_every_route_hides_foreign_servers(cloud, foreign, prefix):
    _, theirs = foreign
    unknown = str(uuid.uuid4())
    before = foreign[0].at("2.96").get(f"/servers/{theirs}").json
    for route in _server_routes():
        rest = cloud.rest.at(_version_of(route))
        answers = []
        for server in (theirs, unknown):
            path = prefix.format(project=rest.project) + route.path
            path = path.replace("{server_id}", server)
            path = path.replace("{id}", "child" if "{server_id}" in route.path else server)
            answer = rest.request(route.method, path, _body_of(route))
            answers.append((answer.status_int, answer.text.replace(server, "")))
        assert answers[0] == answers[1]
        assert answers[0][0] in ((404,) if _is_for_members(route) else (403, 404)), route
    cloud.run_until_idle()
    assert foreign[0].at("2.96").get(f"/servers/{theirs}").json == before


def test_az_03_children_are_loaded_with_their_parent(cloud, foreign):
    other, theirs = foreign
    mine = cloud.boot("tiny").uuid
    action = other.get(f"/servers/{theirs}/os-instance-actions").json["instanceActions"][0]
    for child in ("metadata/child", "tags/child", f"os-instance-actions/{action['request_id']}"):
        assert other.at("2.26").get(f"/servers/{theirs}/{child}").status_int in (200, 204)
        assert cloud.rest.at("2.26").get(f"/servers/{mine}/{child}").status_int == 404


@pytest.mark.parametrize(
    "query",
    [
        f"project_id={OTHER_PROJECT}",
        f"tenant_id={OTHER_PROJECT}",
        "user_id=bob",
        "host=host1",
        "deleted=True",
        "changes-since=2000-01-01T00:00:00Z",
        "name=theirs",
        "name=.*",
        "tags=child",
        f"image={IMAGE_ID}",
    ],
)
def test_az_04_no_filter_widens_the_scope(cloud, foreign, query):
    cloud.boot("tiny", name="mine")
    for path, version in itertools.product(("/servers", "/servers/detail"), ("2.1", "2.96")):
        answer = cloud.rest.at(version).get(f"{path}?{query}")
        if answer.status_int == 200:
            assert "theirs" not in answer.text
        else:
            assert answer.status_int in (400, 403)


def test_administrators_list_all_projects_by_wish(cloud, foreign):
    cloud.boot("tiny", name="mine")
    admin = cloud.rest.as_admin()
    assert _names(admin) == []
    assert sorted(_names(admin, "/servers?all_tenants=1")) == ["mine", "theirs"]
    path = f"/servers/detail?all_tenants=1&project_id={OTHER_PROJECT}"
    assert _names(admin, path) == ["theirs"]


def test_in_07_a_foreign_marker_is_like_an_unknown_one(cloud, foreign):
    for marker in (foreign[1], str(uuid.uuid4())):
        answer = cloud.rest.get(f"/servers?marker={marker}")
        assert answer.status_int == 400
        assert answer.json["badRequest"]["message"] == f"Marker {marker} could not be found."


# --- Lists ------------------------------------------------------------------------------------


def test_paging_walks_through_everything_once(cloud):
    cloud.request_boot("tiny", count=7)
    cloud.run_until_idle()
    everything = [server["id"] for server in cloud.rest.get("/servers").json["servers"]]
    for sort in ("", "&sort_key=display_name&sort_dir=asc"):
        seen, path = [], f"/servers?limit=3{sort}"
        while path:
            body = cloud.rest.get(path).json
            seen += [server["id"] for server in body["servers"]]
            links = body.get("servers_links")
            path = links[0]["href"].partition("/v2.1")[2] if links else None
        assert sorted(seen) == sorted(everything)
        assert len(seen) == 7


def test_filters_on_the_real_database(cloud):
    web = cloud.boot("tiny", name="web-1", metadata={"a": "b"})
    cloud.boot("small", name="db-1")
    cloud.rest.at("2.26").put(f"/servers/{web.uuid}/tags", {"tags": ["x"]})
    address = web.show()["addresses"]["private"][0]["addr"]
    rest = cloud.rest.at("2.96")
    assert _names(rest, "/servers?name=^web") == ["web-1"]
    assert _names(rest, "/servers?name=-1$&sort_key=display_name&sort_dir=asc") == ["db-1", "web-1"]
    assert _names(rest, "/servers?flavor=1") == ["web-1"]
    assert _names(rest, "/servers?flavor=none") == []
    assert _names(rest, "/servers?status=ACTIVE&tags=x") == ["web-1"]
    assert _names(rest, "/servers?not-tags=x") == ["db-1"]
    assert _names(rest, "/servers?status=ERROR") == []
    assert _names(rest, f"/servers?ip={address}") == ["web-1"]
    assert _names(rest, "/servers?locked=true") == []
    assert _names(rest, "/servers?power_state=1&config_drive=0&name=web") == ["web-1"]
    assert _names(rest, "/servers?hostname=web-1&vm_state=active") == ["web-1"]
    assert _names(rest, "/servers?limit=0") == []


def test_deleted_servers_show_up_in_changes_since(cloud):
    server = cloud.boot("tiny", name="gone")
    server.delete()
    assert _names(cloud.rest) == []
    found = cloud.rest.get("/servers/detail?changes-since=2000-01-01T00:00:00Z").json["servers"]
    assert [(entry["name"], entry["status"]) for entry in found] == [("gone", "DELETED")]
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 404
    assert cloud.rest.delete(f"/servers/{server.uuid}").status_int == 404


def test_actions_of_a_deleted_server_are_shown_from_2_21(cloud):
    server = cloud.boot("tiny")
    server.delete()
    path = f"/servers/{server.uuid}/os-instance-actions"
    assert cloud.rest.at("2.20").get(path).status_int == 404
    found = cloud.rest.at("2.21").get(path).json["instanceActions"]
    assert [entry["action"] for entry in found] == ["delete", "create"]


# --- Budgets ----------------------------------------------------------------------------------


def test_budget_one_conductor_call_per_request(cloud):
    server = cloud.boot("tiny")
    rest, path = cloud.rest.at("2.96"), f"/servers/{server.uuid}"
    requests = [
        ("GET", "/servers", None),
        ("GET", "/servers/detail", None),
        ("GET", path, None),
        ("PUT", path, {"server": {"name": "x"}}),
        ("POST", f"{path}/action", {"reboot": {"type": "HARD"}}),
        ("GET", f"{path}/metadata", None),
        ("GET", f"{path}/os-instance-actions", None),
        (
            "POST",
            "/servers",
            {
                "server": {
                    "name": "y",
                    "flavorRef": "1",
                    "imageRef": IMAGE_ID,
                    "networks": "auto",
                }
            },
        ),
        ("DELETE", path, None),
    ]
    for method, where, body in requests:
        cloud.bus.calls.clear()
        answer = rest.request(method, where, body)
        assert answer.status_int < 300, answer.text
        calls = [call for call in cloud.bus.calls if call.topic == "conductor"]
        assert len(calls) == 1, (method, where)
        cloud.run_until_idle()


# --- Creation ---------------------------------------------------------------------------------


def _create(rest, **changes):
    body = {"name": "web", "flavorRef": "1", "imageRef": IMAGE_ID, "networks": "auto", **changes}
    return rest.at("2.90").post("/servers", {"server": body})


@pytest.mark.parametrize(
    ("changes", "status", "word"),
    [
        ({"flavorRef": "none"}, 400, "Flavor none"),
        ({"imageRef": str(uuid.uuid4())}, 400, "Image"),
        ({"key_name": "none"}, 400, "none"),
        ({"networks": [{"uuid": NET}]}, 400, NET),
        ({"metadata": {str(number): "x" for number in range(129)}}, 403, "128"),
        ({"min_count": 2000}, 403, "Quota exceeded"),
        ({"availability_zone": "nowhere"}, 400, "nowhere"),
    ],
)
def test_refusals_say_what(cloud, changes, status, word):
    answer = _create(cloud.rest, **changes)
    assert answer.status_int == status, answer.text
    assert word in answer.text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"host": "host1"}, 202),
        ({"hypervisor_hostname": "host1", "host": "host1"}, 202),
        ({"host": "nowhere"}, 400),
        ({"hypervisor_hostname": "nowhere"}, 400),
        ({"host": "host1", "hypervisor_hostname": "host2"}, 400),
    ],
)
def test_a_host_that_is_asked_for_exists(cloud, changes, status):
    answer = _create(cloud.rest.as_admin(), **changes)
    assert answer.status_int == status, answer.text
    assert status == 202 or "could not be found" in answer.json["badRequest"]["message"]


def test_what_the_request_says_is_what_the_server_has(cloud):
    key = cloud.rest.post("/os-keypairs", {"keypair": {"name": "k"}}).json["keypair"]
    made = _create(
        cloud.rest,
        key_name="k",
        metadata={"a": "b"},
        tags=["t"],
        description="hello",
        user_data="IyE=",
        config_drive=True,
        accessIPv4="192.0.2.1",
        hostname="inner",
        security_groups=[{"name": "default"}],
    )
    assert made.status_int == 202, made.text
    cloud.run_until_idle()
    uuid_ = made.json["server"]["id"]
    shown = cloud.rest.as_admin().at("2.96").get(f"/servers/{uuid_}").json["server"]
    assert shown["status"] == "ACTIVE"
    assert (shown["key_name"], shown["metadata"], shown["tags"]) == ("k", {"a": "b"}, ["t"])
    assert (shown["description"], shown["config_drive"]) == ("hello", "True")
    assert (shown["accessIPv4"], shown["OS-EXT-SRV-ATTR:hostname"]) == ("192.0.2.1", "inner")
    assert shown["OS-EXT-SRV-ATTR:user_data"] == "IyE="
    assert shown["host_status"] == "UP"
    assert shown["flavor"]["original_name"] == "tiny"
    assert shown["security_groups"] == [{"name": "default"}]
    assert cloud.instance(uuid_).key_data == key["public_key"]


def test_several_servers_are_numbered(cloud):
    cloud.request_boot("tiny", count=2)
    cloud.run_until_idle()
    assert sorted(_names(cloud.rest)) == ["web-1", "web-2"]


# --- Hostile input ----------------------------------------------------------------------------


def _mutations(value, chance):
    """Give copies of a JSON value, each with one part replaced or added."""
    if isinstance(value, dict):
        for key in value:
            for changed in _mutations(value[key], chance):
                yield {**value, key: changed}
            yield {other: value[other] for other in value if other != key}
        yield {**value, "unknown": 1}
    if isinstance(value, list):
        for index, entry in enumerate(value):
            for changed in _mutations(entry, chance):
                yield [*value[:index], changed, *value[index + 1 :]]
    yield from chance.sample(JUNK, 6)


_FULL = {
    "server": {
        "name": "web",
        "flavorRef": "1",
        "imageRef": IMAGE_ID,
        "networks": [{"uuid": NET, "fixed_ip": "10.0.0.9"}],
        "metadata": {"a": "b"},
        "security_groups": [{"name": "default"}],
        "availability_zone": "nova",
        "user_data": "IyE=",
        "key_name": "k",
        "config_drive": True,
        "min_count": 1,
        "max_count": "1",
        "accessIPv4": "192.0.2.1",
        "personality": [{"path": "/a", "contents": "eA=="}],
        "block_device_mapping_v2": [
            {
                "uuid": IMAGE_ID,
                "source_type": "image",
                "destination_type": "local",
                "boot_index": 0,
                "delete_on_termination": True,
            }
        ],
        "return_reservation_id": False,
    },
    "os:scheduler_hints": {"group": NET, "same_host": [NET], "x": "y"},
}


@pytest.mark.parametrize("version", ["2.1", "2.42", "2.96"])
def test_in_04_no_body_makes_a_server_error(cloud, version):
    chance = random.Random(version)
    rest = cloud.rest.at(version)
    for body in _mutations(_FULL, chance):
        answer = rest.post("/servers", json.dumps(body).encode())
        assert answer.status_int in (202, 400, 403, 409), (body, answer.text)


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_every_sort_key_works_on_the_real_database(cloud, direction):
    cloud.request_boot("tiny", count=3)
    cloud.run_until_idle()
    admin = cloud.rest.as_user("admin")
    for key in SORT_KEYS:
        for path in ("/servers", "/servers/detail"):
            first = f"{path}?limit=2&sort_key={key}&sort_dir={direction}"
            page = admin.get(first).json["servers"]
            rest = admin.get(f"{first}&marker={page[-1]['id']}").json["servers"]
            assert len({server["id"] for server in page + rest}) == 3, key


@pytest.mark.parametrize(
    "part", ["%00", "%ff", "..", "%2e%2e", "x" * 3000, "%0d%0aX:y", "{id}", "'"]
)
def test_odd_ids_are_404(cloud, part):
    for route in _server_routes():
        path = route.path.replace("{server_id}", part).replace("{id}", part)
        answer = cloud.rest.at("2.96").request(route.method, path, _body_of(route))
        refused = (400, 404) if _is_for_members(route) else (400, 403, 404)
        assert answer.status_int in refused, route


def test_in_05_a_hundred_hints_cost_no_query_each(cloud):
    def messages(count):
        uuids = [str(uuid.uuid4()) for _ in range(count)]
        cloud.bus.calls.clear()
        body = {
            "server": {"name": "w", "flavorRef": "1", "imageRef": IMAGE_ID},
            "os:scheduler_hints": {"different_host": uuids},
        }
        assert cloud.rest.post("/servers", body).status_int == 202
        cloud.run_until_idle()
        return len(cloud.bus.calls)

    messages(1)
    assert messages(1) == messages(100)


def test_az_05_a_private_flavor_does_not_boot(cloud):
    flavors = cloud.bus.client(ConductorFlavors).anyone()
    flavors.create(
        get_admin_context(),
        NewFlavor(flavorid="p", name="p", memory_mb=64, vcpus=1, root_gb=1, is_public=False),
    )
    assert _create(cloud.rest, flavorRef="p").status_int == 400
    flavors.add_access(get_admin_context(), "p", cloud.rest.project)
    assert _create(cloud.rest, flavorRef="p").status_int == 202


def test_in_04_policy_is_asked_before_anything_is_stored(cloud):
    before = cloud.usage()
    assert _create(cloud.rest, availability_zone="nova:host1").status_int == 403
    assert cloud.usage() == before
