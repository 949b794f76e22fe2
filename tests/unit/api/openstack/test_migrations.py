"""os-migrations and the migrations of one server over REST."""

import pytest

from nova.context import get_admin_context
from nova.objects.flavor import FlavorQuery, NewFlavor
from tests.fixtures.rest import PROJECT
from tests.fixtures.rest_site import RestSite

UNKNOWN = "99999999-0000-0000-0000-000000000000"


def resize(cloud: RestSite) -> str:
    """Begin to resize a new server; return its uuid."""
    server = cloud.boot()
    if all(flavor.flavorid != "big" for flavor in flavors_of(cloud)):
        new = NewFlavor(flavorid="big", name="big", memory_mb=1024, vcpus=1, root_gb=3)
        cloud.conductor.flavors.create(get_admin_context(), new)
    body = {"resize": {"flavorRef": "http://cloud.example/flavors/big"}}
    answer = cloud.rest.post(f"/servers/{server}/action", body)
    assert answer.status_int == 202, answer.text
    cloud.clock.advance(10)
    return server


def flavors_of(cloud: RestSite):
    return cloud.conductor.flavors.page(get_admin_context(), FlavorQuery(is_public=None))


def listed(cloud: RestSite, query: str = "", version: str = "2.80"):
    answer = cloud.admin.at(version).get(f"/os-migrations{query}")
    assert answer.status_int == 200, answer.text
    return answer.json["migrations"]


def test_a_resize_is_listed_with_all_its_fields(cloud: RestSite) -> None:
    server = resize(cloud)
    (found,) = listed(cloud)
    assert found["instance_uuid"] == server
    assert (found["status"], found["migration_type"]) == ("pre-migrating", "resize")
    assert (found["source_compute"], found["dest_compute"]) == ("host1", "host1")
    assert (found["source_node"], found["dest_node"]) == ("host1.example", "host1.example")
    assert (found["user_id"], found["project_id"]) == ("alice", PROJECT)
    assert found["old_instance_type_id"] != found["new_instance_type_id"]
    assert found["created_at"].endswith(".000000")
    assert "links" not in found


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("2.22", set()),
        ("2.23", {"migration_type"}),
        ("2.59", {"migration_type", "uuid"}),
        ("2.80", {"migration_type", "uuid", "user_id", "project_id"}),
    ],
)
def test_each_version_has_its_fields(cloud: RestSite, version: str, fields: set[str]) -> None:
    resize(cloud)
    (found,) = listed(cloud, version=version)
    assert set(found) & {"migration_type", "uuid", "user_id", "project_id"} == fields


def test_filters(cloud: RestSite) -> None:
    first, second = resize(cloud), resize(cloud)
    assert [item["instance_uuid"] for item in listed(cloud)] == [second, first]
    for query, count in {
        "?status=pre-migrating": 2,
        "?status=finished": 0,
        "?status=unheard-of": 0,
        "?host=host1": 2,
        "?host=other": 0,
        "?source_compute=host1": 2,
        "?migration_type=resize": 2,
        "?migration_type=evacuation": 0,
        "?hidden=false": 2,
        "?hidden=1": 0,
        f"?instance_uuid={first}": 1,
        f"?project_id={PROJECT}": 2,
        "?project_id=other": 0,
        "?user_id=alice": 2,
        "?user_id=bob": 0,
        "?changes-since=2100-01-01T00:00:00": 0,
        "?changes-before=2000-01-01T00:00:00": 0,
    }.items():
        assert len(listed(cloud, query)) == count, query


def test_pages(cloud: RestSite) -> None:
    first, second, third = resize(cloud), resize(cloud), resize(cloud)
    answer = cloud.admin.at("2.59").get("/os-migrations?limit=2")
    assert [item["instance_uuid"] for item in answer.json["migrations"]] == [third, second]
    (link,) = answer.json["migrations_links"]
    rest = cloud.admin.at("2.59").get("/os-migrations?" + link["href"].partition("?")[2])
    assert [item["instance_uuid"] for item in rest.json["migrations"]] == [first]
    assert "migrations_links" not in rest.json
    assert cloud.admin.at("2.59").get(f"/os-migrations?marker={UNKNOWN}").status_int == 400


@pytest.mark.parametrize(
    ("version", "query", "status"),
    [
        ("2.58", "?unknown=1&limit=x", 200),
        ("2.59", "?unknown=1", 400),
        ("2.59", "?limit=x", 400),
        ("2.59", "?limit=1&limit=2", 400),
        ("2.59", "?changes-since=x", 400),
        ("2.65", "?changes-before=2020-01-01", 400),
        ("2.66", "?changes-before=2020-01-01", 200),
        ("2.66", "?changes-since=2020-02-01&changes-before=2020-01-01", 400),
        ("2.79", "?user_id=x", 400),
        ("2.80", "?user_id=x", 200),
        ("2.80", "?hidden=maybe", 400),
    ],
)
def test_queries(cloud: RestSite, version: str, query: str, status: int) -> None:
    assert cloud.admin.at(version).get(f"/os-migrations{query}").status_int == status


def test_az_members_may_not_list(cloud: RestSite) -> None:
    assert cloud.rest.get("/os-migrations").status_int == 403


@pytest.mark.parametrize("version", ["2.23", "2.80"])
def test_a_server_has_no_live_migrations(cloud: RestSite, version: str) -> None:
    server, rest = cloud.boot(), cloud.admin.at(version)
    assert rest.get(f"/servers/{server}/migrations").json == {"migrations": []}
    assert rest.get(f"/servers/{UNKNOWN}/migrations").status_int == 404
    assert rest.get(f"/servers/{server}/migrations/1").status_int == 404


def test_what_is_not_under_way_can_neither_be_ended_nor_forced(cloud: RestSite) -> None:
    server, rest = cloud.boot(), cloud.admin.at("2.24")
    path = f"/servers/{server}/migrations/1"
    assert rest.delete(path).status_int == 409
    assert rest.post(f"{path}/action", {"force_complete": None}).status_int == 409
    assert rest.post(f"{path}/action", {"force_complete": {}}).status_int == 400
    assert rest.delete(f"/servers/{UNKNOWN}/migrations/1").status_int == 404
    assert cloud.admin.at("2.23").delete(path).status_int in (404, 405)
