"""Each microversion that touches what is built makes the difference that it promises.

A row asks the same question one version before and at the version.
Source: compute-api-microversions.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from nova.api.core import keys
from tests.fixtures.conductor import seed_flavor, seed_host
from tests.fixtures.rest import PROJECT, Rest
from tests.fixtures.rest_site import IMAGE_ID, RestSite

KEY = keys.generate_ssh().public_key
NET = "99999999-2222-4333-8444-555555555555"
ATTRIBUTE = "OS-EXT-SRV-ATTR"


@dataclasses.dataclass(frozen=True)
class World:
    """A site with one running server and one deleted one, seen at some version."""

    cloud: RestSite
    server: str
    deleted: str
    rest: Rest
    admin: Rest

    def at(self, version: str) -> "World":
        return dataclasses.replace(self, rest=self.rest.at(version), admin=self.admin.at(version))

    def status(self, method: str, path: str, body: object = None, admin: bool = False) -> int:
        answer = (self.admin if admin else self.rest).request(method, path, body)
        return int(answer.status_int)

    def shown(self, admin: bool = False) -> dict[str, Any]:
        answer = (self.admin if admin else self.rest).get(f"/servers/{self.server}")
        found: dict[str, Any] = answer.json["server"]
        return found

    def updated(self) -> dict[str, Any]:
        answer = self.rest.put(f"/servers/{self.server}", {"server": {"name": "web"}})
        found: dict[str, Any] = answer.json["server"]
        return found

    def create(self, admin: bool = False, **server: object) -> int:
        body = {
            "name": "x",
            "flavorRef": "1",
            "imageRef": IMAGE_ID,
            "networks": [{"uuid": self.cloud.site.network.uuid}],
            **server,
        }
        return self.status("POST", "/servers", {"server": body}, admin)

    def names(self, query: str, admin: bool = False) -> list[str]:
        """Return the ids of a list of servers, or its status where it is refused."""
        answer = (self.admin if admin else self.rest).get(f"/servers?{query}")
        if answer.status_int != 200:
            return [str(answer.status_int)]
        return [server["id"] for server in answer.json["servers"]]

    def actions(self) -> dict[str, Any]:
        found: dict[str, Any] = self.rest.get(f"/servers/{self.server}/os-instance-actions").json[
            "instanceActions"
        ][0]
        return found

    def action(self, admin: bool = False) -> dict[str, Any]:
        path = f"/servers/{self.server}/os-instance-actions/{self.actions()['request_id']}"
        found: dict[str, Any] = (
            (self.admin if admin else self.rest).get(path).json["instanceAction"]
        )
        return found

    def make_key(self, **changes: object) -> int:
        name = f"new-{self.rest.version}".replace(".", "-")
        body = {"keypair": {"name": name, "public_key": KEY, **changes}}
        return self.status("POST", "/os-keypairs", body)

    def delete_key(self) -> int:
        self.make_key(name="old")
        return self.status("DELETE", "/os-keypairs/old")

    def hypervisor(self) -> dict[str, Any]:
        found: dict[str, Any] = self.admin.get("/os-hypervisors/detail").json["hypervisors"][0]
        return found

    def service(self) -> dict[str, Any]:
        found: dict[str, Any] = self.admin.get("/os-services").json["services"][0]
        return found

    def usage(self) -> dict[str, Any]:
        path = f"/os-simple-tenant-usage/{PROJECT}?start=2000-01-01T00:00:00&limit=1"
        found: dict[str, Any] = self.rest.get(path).json
        return found


Probe = Callable[[World], object]


@dataclasses.dataclass(frozen=True)
class Row:
    """One difference: what a question gets one version before, and at the version."""

    version: str
    name: str
    ask: Probe
    before: object
    after: object


def _file(world: World) -> int:
    return world.create(personality=[{"path": "/a", "contents": "eA=="}])


def _network(world: World) -> int:
    network = {"uuid": world.cloud.site.network.uuid, "tag": "nic"}
    return world.create(networks=[network])


def _disk(world: World) -> int:
    disk = {
        "uuid": IMAGE_ID,
        "source_type": "image",
        "destination_type": "local",
        "boot_index": 0,
    }
    return world.create(block_device_mapping_v2=[{**disk, "tag": "disk"}])


def _volume_type(world: World) -> str:
    disk = {"uuid": IMAGE_ID, "source_type": "image", "destination_type": "volume"}
    body = {"name": "x", "flavorRef": "1", "networks": "none"}
    body["block_device_mapping_v2"] = [{**disk, "boot_index": 0, "volume_type": "fast"}]
    text = world.rest.post("/servers", {"server": body}).json["badRequest"]["message"]
    return "unknown" if "Additional properties" in text else "known"


def _class_names(world: World) -> set[str]:
    found = world.admin.get("/os-quota-class-sets/default").json["quota_class_set"]
    return set(found) & {"server_groups", "fixed_ips"}


def _has(field: str, admin: bool = False) -> Probe:
    return lambda world: field in world.shown(admin)


def _has_updated(field: str) -> Probe:
    return lambda world: field in world.updated()


def _filter(query: str) -> Probe:
    """Tell whether a filter that fits no server counts for an ordinary user."""
    return lambda world: "counts" if world.names(query) == [] else "dropped"


def _flavor(**changes: object) -> dict[str, object]:
    values = {"name": "new", "ram": 1, "vcpus": 1, "disk": 0}
    return {"flavor": {**values, **changes}}


def _event(world: World, name: str) -> int:
    event = {"name": name, "server_uuid": world.server, "tag": "POWER_ON"}
    return world.status("POST", "/os-server-external-events", {"events": [event]}, admin=True)


def _pin(world: World, zone: str | None) -> int:
    body = {"server": {"pinned_availability_zone": zone}}
    return world.status("PUT", f"/servers/{world.server}", body)


OWN_FILTERS = (
    "availability_zone=other", "config_drive=1", "key_name=none", "created_at=2000-01-01",
    "launched_at=2000-01-01", "terminated_at=2000-01-01", "power_state=4",
    "task_state=deleting", "vm_state=error", "progress=50", "user_id=bob",
)  # fmt: skip


def _group(world: World) -> dict[str, Any]:
    body = {"server_group": {"name": "g", "policies": ["affinity"]}}
    found: dict[str, Any] = world.rest.post("/os-server-groups", body).json["server_group"]
    return found


def _group_of(world: World, **policy: object) -> int:
    return world.status("POST", "/os-server-groups", {"server_group": {"name": "g", **policy}})


def _aggregate(world: World, name: str = "a") -> dict[str, Any]:
    body = {"aggregate": {"name": f"{name}-{world.rest.version}"}}
    found: dict[str, Any] = world.admin.post("/os-aggregates", body).json["aggregate"]
    return found


def _fetch(world: World) -> int:
    path = f"/os-aggregates/{_aggregate(world)['id']}/images"
    return world.status("POST", path, {"cache": [{"id": IMAGE_ID}]}, admin=True)


ROWS = [
    Row("2.2", "a new key is 201", World.make_key, 200, 201),
    Row("2.2", "keys have types", lambda w: w.make_key(type="ssh"), 400, 201),
    Row("2.2", "a deleted key is 204", World.delete_key, 202, 204),
    *(
        Row("2.3", f"administrators see {name}", _has(f"{ATTRIBUTE}:{name}", True), False, True)
        for name in (
            "reservation_id",
            "launch_index",
            "ramdisk_id",
            "kernel_id",
            "hostname",
            "root_device_name",
            "user_data",
        )
    ),
    Row("2.5", "ip6 filters for all", _filter("ip6=fd99::"), "dropped", "counts"),
    Row(
        "2.7",
        "public flavors have no access list",
        lambda w: w.status(
            "POST", "/flavors/1/action", {"addTenantAccess": {"tenant": PROJECT}}, admin=True
        ),
        200,
        409,
    ),
    Row("2.9", "locked is shown", _has("locked"), False, True),
    Row("2.9", "locked is in updates", _has_updated("locked"), False, True),
    Row("2.10", "keys have owners", lambda w: w.make_key(user_id="alice"), 400, 201),
    Row(
        "2.10",
        "keys of others are asked for",
        lambda w: w.status("GET", "/os-keypairs?user_id=bob"),
        200,
        403,
    ),
    Row("2.11", "forced_down is shown", lambda w: "forced_down" in w.service(), False, True),
    Row("2.16", "host_status is shown", _has("host_status", True), False, True),
    Row("2.19", "description is shown", _has("description"), False, True),
    Row("2.19", "description is given", lambda w: w.create(description="d"), 400, 202),
    Row(
        "2.19",
        "description is changed",
        lambda w: w.status("PUT", f"/servers/{w.server}", {"server": {"description": "d"}}),
        400,
        200,
    ),
    Row(
        "2.21",
        "actions of deleted servers",
        lambda w: w.status("GET", f"/servers/{w.deleted}/os-instance-actions"),
        404,
        200,
    ),
    Row("2.26", "tags", lambda w: w.status("GET", f"/servers/{w.server}/tags"), 404, 200),
    Row("2.26", "tags are shown", _has("tags"), False, True),
    *(
        Row("2.26", f"{name} filters", _filter(f"{name}={value}"), "dropped", "counts")
        for name, value in (
            ("tags", "none"),
            ("tags-any", "none"),
            ("not-tags", "t"),
            ("not-tags-any", "t"),
        )
    ),
    Row("2.28", "cpu_info is an object", lambda w: type(w.hypervisor()["cpu_info"]), str, dict),
    Row("2.32", "interfaces have tags", _network, 400, 202),
    Row("2.32", "disks have tags", _disk, 400, 202),
    Row("2.33", "disks have none again", _disk, 202, 400),
    Row(
        "2.33",
        "hypervisors have pages",
        lambda w: len(w.admin.get("/os-hypervisors?limit=1").json["hypervisors"]),
        2,
        1,
    ),
    Row(
        "2.35",
        "keys have pages",
        lambda w: len(w.rest.get("/os-keypairs?limit=0").json["keypairs"]),
        1,
        0,
    ),
    Row("2.36", "os-networks ends", lambda w: w.status("GET", "/os-networks"), 200, 404),
    Row(
        "2.36",
        "network quotas end",
        lambda w: "fixed_ips" in w.rest.get(f"/os-quota-sets/{PROJECT}").json["quota_set"],
        True,
        False,
    ),
    Row(
        "2.36",
        "network limits end",
        lambda w: "maxTotalFloatingIps" in w.rest.get("/limits").json["limits"]["absolute"],
        True,
        False,
    ),
    Row("2.37", "networks may be none", lambda w: w.create(networks="none"), 400, 202),
    Row("2.37", "networks may be auto", lambda w: w.create(networks="auto"), 400, 202),
    Row("2.37", "interfaces have no tags again", _network, 202, 400),
    Row(
        "2.37",
        "networks are required",
        lambda w: w.status(
            "POST",
            "/servers",
            {"server": {"name": "x", "flavorRef": "1", "imageRef": IMAGE_ID}},
        ),
        202,
        400,
    ),
    Row("2.38", "unknown status", lambda w: w.names("status=odd"), [], ["400"]),
    Row(
        "2.39",
        "maxImageMeta ends",
        lambda w: "maxImageMeta" in w.rest.get("/limits").json["limits"]["absolute"],
        True,
        False,
    ),
    Row("2.40", "usage has pages", lambda w: "tenant_usage_links" in w.usage(), False, True),
    Row("2.42", "interfaces have tags for good", _network, 400, 202),
    Row("2.42", "disks have tags for good", _disk, 400, 202),
    Row(
        "2.47",
        "the flavor is embedded",
        lambda w: "original_name" in w.shown()["flavor"],
        False,
        True,
    ),
    Row("2.47", "the flavor has no id", lambda w: "id" in w.shown()["flavor"], True, False),
    Row("2.50", "quota classes", _class_names, {"fixed_ips"}, {"server_groups"}),
    Row(
        "2.43",
        "os-hosts ends",
        lambda w: [w.status("GET", path, admin=True) for path in ("/os-hosts", "/os-hosts/host1")],
        [200, 200],
        [404, 404],
    ),
    *(
        Row(version, f"{name} events", lambda w, name=name: _event(w, name), 400, 200)
        for version, name in (
            ("2.51", "volume-extended"),
            ("2.76", "power-update"),
            ("2.82", "accelerator-request-bound"),
            ("2.93", "volume-reimaged"),
        )
    ),
    Row("2.51", "owners see events", lambda w: "events" in w.action(), False, True),
    Row("2.52", "tags are given", lambda w: w.create(tags=["t"]), 400, 202),
    Row("2.53", "service ids", lambda w: type(w.service()["id"]), int, str),
    Row("2.53", "hypervisor ids", lambda w: type(w.hypervisor()["id"]), int, str),
    Row(
        "2.53",
        "services are not named by verbs",
        lambda w: w.status(
            "PUT",
            "/os-services/enable",
            {"host": "host1", "binary": "nova-compute"},
            admin=True,
        ),
        200,
        400,
    ),
    *(
        Row(
            "2.53",
            f"hypervisor {kind} ends",
            lambda w, kind=kind: w.status("GET", f"/os-hypervisors/host1/{kind}", admin=True),
            200,
            404,
        )
        for kind in ("search", "servers")
    ),
    Row(
        "2.53",
        "with_servers",
        lambda w: "servers" in w.admin.get("/os-hypervisors?with_servers=1").json["hypervisors"][0],
        False,
        True,
    ),
    Row(
        "2.53",
        "hypervisor patterns",
        lambda w: w.status("GET", "/os-hypervisors?hypervisor_hostname_pattern=no", admin=True),
        200,
        404,
    ),
    Row(
        "2.55",
        "flavors are described",
        lambda w: "description" in w.rest.get("/flavors/1").json["flavor"],
        False,
        True,
    ),
    Row(
        "2.55",
        "flavors change",
        lambda w: w.status("PUT", "/flavors/1", {"flavor": {"description": None}}, admin=True),
        404,
        200,
    ),
    Row("2.57", "no files are injected", _file, 202, 400),
    Row(
        "2.57",
        "file limits end",
        lambda w: "maxPersonality" in w.rest.get("/limits").json["limits"]["absolute"],
        True,
        False,
    ),
    Row(
        "2.57",
        "file quotas end",
        lambda w: "injected_files" in w.rest.get(f"/os-quota-sets/{PROJECT}").json["quota_set"],
        True,
        False,
    ),
    Row("2.58", "actions have times", lambda w: "updated_at" in w.actions(), False, True),
    Row(
        "2.58",
        "actions have pages",
        lambda w: "links" in w.rest.get(f"/servers/{w.server}/os-instance-actions?limit=1").json,
        False,
        True,
    ),
    Row(
        "2.58",
        "changes-since of actions",
        lambda w: len(
            w.rest.get(
                f"/servers/{w.server}/os-instance-actions?changes-since=2999-01-01T00:00:00Z"
            ).json["instanceActions"]
        ),
        1,
        0,
    ),
    Row(
        "2.61",
        "flavors have extra specs",
        lambda w: "extra_specs" in w.rest.get("/flavors/1").json["flavor"],
        False,
        True,
    ),
    Row("2.62", "events have hosts", lambda w: "hostId" in w.action()["events"][0], False, True),
    Row(
        "2.62",
        "hosts are for administrators",
        lambda w: "host" in w.action(admin=True)["events"][0],
        False,
        True,
    ),
    Row(
        "2.63",
        "certificates are shown",
        _has("trusted_image_certificates"),
        False,
        True,
    ),
    Row(
        "2.63",
        "certificates are given",
        lambda w: w.create(trusted_image_certificates=None),
        400,
        202,
    ),
    Row(
        "2.66",
        "changes-before",
        lambda w: w.names("changes-before=2000-01-01T00:00:00Z&name=web") == [],
        False,
        True,
    ),
    Row(
        "2.66",
        "changes-before of actions",
        lambda w: w.status(
            "GET",
            f"/servers/{w.server}/os-instance-actions?changes-before=2999-01-01T00:00:00Z",
        ),
        400,
        200,
    ),
    Row("2.67", "disks have volume types", _volume_type, "unknown", "known"),
    Row("2.71", "server_groups are shown", _has("server_groups"), False, True),
    Row("2.71", "server_groups are in updates", _has_updated("server_groups"), False, True),
    Row("2.73", "locked_reason is shown", _has("locked_reason"), False, True),
    Row("2.73", "locked filters", _filter("locked=true"), "dropped", "counts"),
    Row("2.74", "host is asked for", lambda w: w.create(True, host="host1"), 400, 202),
    Row(
        "2.74",
        "node is asked for",
        lambda w: w.create(True, hypervisor_hostname="host1.example"),
        400,
        202,
    ),
    Row("2.75", "unknown filters", lambda w: w.names("odd=1") == ["400"], False, True),
    Row("2.75", "odd sort keys", lambda w: w.names("sort_key=vcpus") == ["400"], False, True),
    *(
        Row(
            "2.75",
            f"{path} is strict",
            lambda w, path=path: w.status("GET", path, admin=True),
            200,
            400,
        )
        for path in (
            "/flavors?odd=1",
            "/limits?odd=1",
            "/os-services?odd=1",
            "/os-keypairs?odd=1",
            f"/os-quota-sets/{PROJECT}?odd=1",
            f"/os-simple-tenant-usage/{PROJECT}?start=2000-01-01T00:00:00&odd=1",
        )
    ),
    *(
        Row("2.75", f"{name} is in updates", _has_updated(name), False, True)
        for name in (
            "OS-EXT-STS:vm_state",
            "OS-EXT-AZ:availability_zone",
            "OS-SRV-USG:launched_at",
            "config_drive",
            "key_name",
            "security_groups",
            "os-extended-volumes:volumes_attached",
        )
    ),
    Row(
        "2.75",
        "no swap is 0",
        lambda w: w.rest.get("/flavors/1").json["flavor"]["swap"],
        "",
        0,
    ),
    Row(
        "2.75",
        "servers of hypervisors are a list",
        lambda w: (
            w.admin.get("/os-hypervisors?with_servers=1").json["hypervisors"][1].get("servers")
        ),
        None,
        [],
    ),
    *(
        Row("2.83", f"{query} filters for all", _filter(query), "dropped", "counts")
        for query in OWN_FILTERS
    ),
    Row(
        "2.84",
        "events have details",
        lambda w: "details" in w.action(admin=True)["events"][0],
        False,
        True,
    ),
    Row(
        "2.86",
        "extra specs are checked",
        lambda w: w.status(
            "POST", "/flavors/1/os-extra_specs", {"extra_specs": {"hw:odd": "1"}}, admin=True
        ),
        200,
        400,
    ),
    Row("2.88", "hypervisors lose numbers", lambda w: "vcpus" in w.hypervisor(), True, False),
    Row("2.88", "hypervisors lose cpu_info", lambda w: "cpu_info" in w.hypervisor(), True, False),
    Row("2.88", "hypervisors have uptime", lambda w: "uptime" in w.hypervisor(), False, True),
    Row(
        "2.88",
        "statistics end",
        lambda w: w.status("GET", "/os-hypervisors/statistics", admin=True),
        200,
        404,
    ),
    Row("2.90", "hostname is for all", _has(f"{ATTRIBUTE}:hostname"), False, True),
    Row("2.90", "hostname is given", lambda w: w.create(hostname="inner"), 400, 202),
    Row("2.90", "hostname filters for all", _filter("hostname=other"), "dropped", "counts"),
    Row(
        "2.90",
        "hostname is changed",
        lambda w: w.status("PUT", f"/servers/{w.server}", {"server": {"hostname": "inner"}}),
        400,
        200,
    ),
    Row(
        "2.92",
        "keys are not made",
        lambda w: w.status("POST", "/os-keypairs", {"keypair": {"name": "n"}}),
        201,
        400,
    ),
    Row("2.92", "names of keys", lambda w: w.make_key(name="a@b.c"), 400, 201),
    Row("2.94", "hostname with dots", lambda w: w.create(hostname="a.example"), 400, 202),
    Row("2.96", "the pin is shown", _has("pinned_availability_zone"), False, True),
    Row("2.97", "shares", lambda w: w.status("GET", f"/servers/{w.server}/shares"), 404, 200),
    Row(
        "2.98", "images have properties", lambda w: "properties" in w.shown()["image"], False, True
    ),
    Row(
        "2.98",
        "images have properties in updates",
        lambda w: "properties" in w.updated()["image"],
        False,
        True,
    ),
    Row("2.100", "hints are shown", _has("scheduler_hints"), False, True),
    Row("2.100", "hints are in updates", _has_updated("scheduler_hints"), False, True),
    Row(
        "2.102",
        "flavors are found by name",
        lambda w: [f["name"] for f in w.rest.get("/flavors?name=MAL").json.get("flavors", [])],
        [],
        ["small"],
    ),
    Row(
        "2.102",
        "flavors are not sorted by rxtx_factor",
        lambda w: w.status("GET", "/flavors?sort_key=rxtx_factor"),
        200,
        400,
    ),
    Row(
        "2.102",
        "flavors are made without rxtx_factor",
        lambda w: w.status("POST", "/flavors", _flavor(rxtx_factor=1.0), admin=True),
        200,
        400,
    ),
    *(
        Row(
            "2.102",
            f"{name} ends",
            lambda w, name=name: [
                name in flavor
                for flavor in (
                    w.rest.get("/flavors/1").json["flavor"],
                    w.rest.get("/flavors/detail").json["flavors"][0],
                    w.admin.put("/flavors/1", {"flavor": {"description": None}}).json["flavor"],
                )
            ],
            [True] * 3,
            [False] * 3,
        )
        for name in ("rxtx_factor", "OS-FLV-DISABLED:disabled")
    ),
    *(
        Row(
            "2.102",
            f"{path} is strict",
            lambda w, path=path: w.status("GET", path.format(w.server), admin=True),
            200,
            400,
        )
        for path in (
            "/extensions?odd=1",
            "/flavors/1?odd=1",
            "/flavors/1/os-extra_specs?odd=1",
            "/servers/{}?odd=1",
            "/servers/{}/metadata?odd=1",
            "/servers/{}/tags?odd=1",
            "/servers/{}/ips?odd=1",
            "/servers/{}/shares?odd=1",
            "/os-quota-class-sets/default?odd=1",
            "/os-availability-zone?odd=1",
        )
    ),
    Row(
        "2.103",
        "os-volumes_boot ends",
        lambda w: w.status("GET", "/os-volumes_boot"),
        200,
        404,
    ),
    Row("2.13", "groups tell their owners", lambda w: "user_id" in _group(w), False, True),
    Row("2.15", "soft policies", lambda w: _group_of(w, policies=["soft-affinity"]), 400, 200),
    Row("2.41", "aggregates have a uuid", lambda w: "uuid" in _aggregate(w), False, True),
    Row("2.64", "one policy", lambda w: _group_of(w, policy="affinity"), 400, 200),
    Row("2.64", "a list of policies", lambda w: _group_of(w, policies=["affinity"]), 200, 400),
    Row("2.81", "images are fetched ahead", lambda w: _fetch(w), 404, 202),
    Row("2.104", "a pin is taken away", lambda w: _pin(w, None), 400, 200),
    Row("2.104", "a server is pinned where it is", lambda w: _pin(w, "nova"), 400, 200),
    Row("2.104", "a server is not pinned elsewhere", lambda w: _pin(w, "other"), 400, 409),
]


@pytest.fixture
def world(cloud: RestSite) -> World:
    seed_host(cloud.conductor, cpu_info="{}", uptime="up")
    seed_flavor(cloud.conductor, flavorid="x", name="x")
    cloud.rest.post("/os-keypairs", {"keypair": {"name": "k", "public_key": KEY}})
    server = cloud.boot(version="2.52", networks=[], tags=["t"])
    deleted = cloud.boot(name="gone")
    cloud.clock.advance(100)  # the hosts are silent by now: the conductor deletes by itself
    assert cloud.rest.delete(f"/servers/{deleted}").status_int == 204
    cloud.bus.run_until_idle()
    for host in ("host1", "host2"):
        seed_host(cloud.conductor, host)
    return World(cloud, server, deleted, cloud.rest, cloud.admin)


def _before(version: str) -> str:
    return f"2.{int(version.partition('.')[2]) - 1}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.version}-{row.name}")
def test_difference(world: World, row: Row) -> None:
    assert row.ask(world.at(_before(row.version))) == row.before
    assert row.ask(world.at(row.version)) == row.after
