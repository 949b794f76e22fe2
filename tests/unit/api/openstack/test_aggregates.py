"""os-aggregates over the real conductor, and the zones that follow."""

import uuid

import pytest

from nova.objects.image import Image
from tests.fixtures.rest_site import IMAGE_ID


def make(rest, name="rack1", **aggregate):
    return rest.post("/os-aggregates", {"aggregate": {"name": name, **aggregate}})


def made(cloud, name="rack1", **aggregate):
    answer = make(cloud.admin, name, **aggregate)
    assert answer.status_int == 200, answer.text
    return answer.json["aggregate"]["id"]


def act(rest, aggregate_id, action, **body):
    return rest.post(f"/os-aggregates/{aggregate_id}/action", {action: body})


def test_the_documents_of_each_version(cloud):
    answer = make(cloud.admin.at("2.40"), availability_zone="east")
    created = answer.json["aggregate"]
    now = "2026-01-01T00:00:00.000000"
    assert created == {
        "id": 1,
        "name": "rack1",
        "availability_zone": "east",
        "created_at": created["created_at"],
        "updated_at": None,
        "deleted": False,
        "deleted_at": None,
    }
    assert len(created["created_at"]) == len(now)
    whole = created | {"hosts": [], "metadata": {"availability_zone": "east"}}
    assert cloud.admin.at("2.40").get("/os-aggregates/1").json["aggregate"] == whole
    assert cloud.admin.at("2.40").get("/os-aggregates").json["aggregates"] == [whole]
    newer = cloud.admin.at("2.41").get("/os-aggregates/1").json["aggregate"]
    assert uuid.UUID(newer.pop("uuid"))
    assert newer == whole
    assert "uuid" in make(cloud.admin.at("2.41"), "rack2").json["aggregate"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a", "availability_zone": None}, 200),
        ({"name": ""}, 400),
        ({"name": " a"}, 400),
        ({"name": "x" * 256}, 400),
        ({}, 400),
        ({"name": "a", "availability_zone": ""}, 400),
        ({"name": "a", "availability_zone": "a:b"}, 400),
        ({"name": "a", "metadata": {}}, 400),
    ],
)
def test_bodies_of_creation(cloud, body, status):
    assert cloud.admin.post("/os-aggregates", {"aggregate": body}).status_int == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": "taken"}, 409),
        ({"name": " spaced "}, 200),
        ({"name": "  "}, 400),
        ({"availability_zone": "west"}, 200),
        ({"availability_zone": None}, 200),
        ({"availability_zone": "a:b"}, 400),
        ({"other": 1}, 400),
    ],
)
def test_bodies_of_changes(cloud, body, status):
    made(cloud, "taken")
    aggregate_id = made(cloud, availability_zone="east")
    answer = cloud.admin.put(f"/os-aggregates/{aggregate_id}", {"aggregate": body})
    assert answer.status_int == status, answer.text
    if status == 200:
        shown = answer.json["aggregate"]
        assert shown["name"] == body.get("name", "rack1").strip()
        assert shown["availability_zone"] == body.get("availability_zone", "east")


def test_a_name_is_taken_once(cloud):
    made(cloud)
    answer = make(cloud.admin)
    assert answer.status_int == 409
    assert "rack1" in answer.json["conflictingRequest"]["message"]


@pytest.mark.parametrize("aggregate_id", ["x", "rack1", "1.0", "-1", "7", "9" * 30])
def test_names_and_unknown_ids_are_not_found(cloud, aggregate_id):
    status = 404
    made(cloud)
    path = f"/os-aggregates/{aggregate_id}"
    body = {"aggregate": {"name": "b"}}
    assert cloud.admin.get(path).status_int == status
    assert cloud.admin.put(path, body).status_int == status
    assert cloud.admin.delete(path).status_int == status
    assert act(cloud.admin, aggregate_id, "add_host", host="host1").status_int == status
    assert act(cloud.admin, aggregate_id, "remove_host", host="host1").status_int == status
    assert act(cloud.admin, aggregate_id, "set_metadata", metadata={}).status_int == status
    images = {"cache": [{"id": IMAGE_ID}]}
    assert cloud.admin.at("2.81").post(f"{path}/images", images).status_int == status


def test_aggregates_are_for_administrators(cloud):
    aggregate_id = made(cloud)
    path = f"/os-aggregates/{aggregate_id}"
    rest = cloud.rest
    images = {"cache": [{"id": IMAGE_ID}]}
    answers = [
        rest.get("/os-aggregates"),
        make(rest, "rack2"),
        rest.get(path),
        rest.put(path, {"aggregate": {"name": "b"}}),
        rest.delete(path),
        act(rest, aggregate_id, "add_host", host="host1"),
        act(rest, aggregate_id, "remove_host", host="host1"),
        act(rest, aggregate_id, "set_metadata", metadata={"a": "b"}),
        rest.at("2.81").post(f"{path}/images", images),
    ]
    assert [answer.status_int for answer in answers] == [403] * len(answers)


def test_hosts_come_and_go(cloud):
    aggregate_id = made(cloud)
    answer = act(cloud.admin, aggregate_id, "add_host", host="host1")
    assert answer.status_int == 200
    assert answer.json["aggregate"]["hosts"] == ["host1"]
    assert act(cloud.admin, aggregate_id, "add_host", host="host1").status_int == 409
    assert act(cloud.admin, aggregate_id, "add_host", host="nowhere").status_int == 404
    assert act(cloud.admin, aggregate_id, "add_host", host="a/b").status_int == 400
    assert act(cloud.admin, aggregate_id, "add_host").status_int == 400
    assert cloud.admin.delete(f"/os-aggregates/{aggregate_id}").status_int == 400
    answer = act(cloud.admin, aggregate_id, "remove_host", host="host1")
    assert answer.status_int == 200
    assert answer.json["aggregate"]["hosts"] == []
    assert act(cloud.admin, aggregate_id, "remove_host", host="host1").status_int == 404
    answer = cloud.admin.delete(f"/os-aggregates/{aggregate_id}")
    assert (answer.status_int, answer.body) == (200, b"")


def test_metadata_is_added_and_null_removes_it(cloud):
    aggregate_id = made(cloud)

    def changed(**items):
        answer = act(cloud.admin, aggregate_id, "set_metadata", metadata=items)
        assert answer.status_int == 200, answer.text
        return answer.json["aggregate"]

    assert changed(a="1", b="2")["metadata"] == {"a": "1", "b": "2"}
    assert changed(a=None, c="3", d=None)["metadata"] == {"b": "2", "c": "3"}
    zoned = changed(availability_zone="east")
    assert zoned["availability_zone"] == zoned["metadata"]["availability_zone"] == "east"
    assert changed(availability_zone=None)["availability_zone"] is None
    for metadata in ({"a": 1}, {"": "x"}, {"a": "x" * 256}, {"x" * 256: "a"}, None):
        answer = act(cloud.admin, aggregate_id, "set_metadata", metadata=metadata)
        assert answer.status_int == 400
    answer = act(cloud.admin, aggregate_id, "set_metadata", metadata={"availability_zone": ""})
    assert answer.status_int == 400


def test_a_host_has_one_zone(cloud):
    east, west = made(cloud, "e", availability_zone="east"), made(cloud, "w")
    assert act(cloud.admin, east, "add_host", host="host1").status_int == 200
    assert act(cloud.admin, west, "add_host", host="host1").status_int == 200
    zone = {"availability_zone": "west"}
    assert act(cloud.admin, west, "set_metadata", metadata=zone).status_int == 400
    assert cloud.admin.put(f"/os-aggregates/{west}", {"aggregate": zone}).status_int == 400
    other = made(cloud, "o", availability_zone="west")
    assert act(cloud.admin, other, "add_host", host="host1").status_int == 409


def test_servers_hold_the_zone_of_their_host(cloud):
    east = made(cloud, availability_zone="east")
    assert act(cloud.admin, east, "add_host", host="host1").status_int == 200
    server_id = cloud.boot()
    shown = cloud.rest.get(f"/servers/{server_id}").json["server"]
    assert shown["OS-EXT-AZ:availability_zone"] == "east"
    assert act(cloud.admin, east, "remove_host", host="host1").status_int == 409
    zone = {"availability_zone": None}
    assert act(cloud.admin, east, "set_metadata", metadata=zone).status_int == 400
    assert cloud.admin.put(f"/os-aggregates/{east}", {"aggregate": zone}).status_int == 400


def test_zones_are_listed_where_hosts_are(cloud):
    east = made(cloud, availability_zone="east")
    act(cloud.admin, east, "add_host", host="host1")
    zones = cloud.rest.get("/os-availability-zone").json["availabilityZoneInfo"]
    assert [zone["zoneName"] for zone in zones] == ["east", "nova"]
    detail = cloud.admin.get("/os-availability-zone/detail").json["availabilityZoneInfo"]
    hosts = {zone["zoneName"]: set(zone["hosts"] or ()) for zone in detail}
    assert hosts == {"east": {"host1"}, "nova": {"host2"}}
    services = cloud.admin.get("/os-services?binary=nova-compute").json["services"]
    assert {one["host"]: one["zone"] for one in services} == {"host1": "east", "host2": "nova"}


def test_an_unknown_zone_is_refused_at_boot(cloud):
    body = {"name": "web", "flavorRef": "1", "imageRef": IMAGE_ID, "availability_zone": "nowhere"}
    answer = cloud.rest.post("/servers", {"server": body})
    assert answer.status_int == 400
    assert "availability zone" in answer.json["badRequest"]["message"]


def test_images_are_fetched_ahead(cloud):
    aggregate_id = made(cloud)
    act(cloud.admin, aggregate_id, "add_host", host="host2")
    path = f"/os-aggregates/{aggregate_id}/images"
    other = str(uuid.uuid4())
    cloud.images.add(Image(id=other, name="other", visibility="public"), b"y")

    def cache(*ids, version="2.81"):
        body = {"cache": [{"id": image_id} for image_id in ids]}
        return cloud.admin.at(version).post(path, body).status_int

    assert cache(IMAGE_ID, other) == 202
    assert cache(IMAGE_ID, IMAGE_ID) == 400
    assert cache(other, other.upper()) == 400
    assert cache(str(uuid.uuid4())) == 400
    assert cache() == 400
    assert cache("x") == 400
    assert cache(IMAGE_ID, version="2.80") == 404
    cloud.bus.run_until_idle()
    assert cloud.site.computes["host2"].cached == [(IMAGE_ID, other)]
    assert cloud.site.computes["host1"].cached == []


def test_lists_cost_three_statements(cloud):
    for number in range(3):
        act(cloud.admin, made(cloud, f"rack{number}"), "add_host", host="host1")
    counter = cloud.conductor.counter
    counter.take()
    assert len(cloud.admin.get("/os-aggregates").json["aggregates"]) == 3
    assert len(counter.take()) == 3
