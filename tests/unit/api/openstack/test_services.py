"""Services over the real conductor."""

import uuid

import pytest

from nova import clock
from nova.db import server_migrations
from nova.objects.lifecycle import VmState
from nova.objects.migration import Migration, MigrationStatus, MigrationType
from tests.fixtures.conductor import seed_network_host
from tests.fixtures.rest_site import RestSite

BASE = {"id", "binary", "host", "zone", "status", "state", "updated_at", "disabled_reason"}
NAMED = {"host": "host1", "binary": "nova-compute"}


def _list(cloud: RestSite, version: str = "2.1", query: str = "") -> list[dict[str, object]]:
    answer = cloud.admin.at(version).get(f"/os-services{query}")
    assert answer.status_int == 200, answer.text
    found: list[dict[str, object]] = answer.json["services"]
    return found


def _put(cloud: RestSite, verb: str, version: str = "2.1", **body: object):
    return cloud.admin.at(version).put(f"/os-services/{verb}", {**NAMED, **body})


def _uuid(cloud: RestSite, number: int = 0) -> str:
    return str(_list(cloud, "2.53")[number]["id"])


@pytest.mark.parametrize(
    ("version", "more"),
    [("2.1", set()), ("2.10", set()), ("2.11", {"forced_down"}), ("2.96", {"forced_down"})],
)
def test_fields_by_version(cloud: RestSite, version: str, more: set[str]) -> None:
    assert all(set(service) == BASE | more for service in _list(cloud, version))


def test_values(cloud: RestSite) -> None:
    first, second = _list(cloud, "2.11")
    assert first == {
        "id": 1,
        "binary": "nova-compute",
        "host": "host1",
        "zone": "nova",
        "status": "enabled",
        "state": "up",
        "updated_at": cloud.clock.now.isoformat(timespec="microseconds"),
        "disabled_reason": None,
        "forced_down": False,
    }
    assert (second["id"], second["host"]) == (2, "host2")


def test_ids_are_uuids_from_2_53(cloud: RestSite) -> None:
    assert [service["id"] for service in _list(cloud, "2.52")] == [1, 2]
    assert all(uuid.UUID(str(service["id"])) for service in _list(cloud, "2.53"))


def test_filters(cloud: RestSite) -> None:
    seed_network_host(cloud.conductor, "net1")
    assert [entry["host"] for entry in _list(cloud)] == ["host1", "host2", "net1"]
    assert [entry["host"] for entry in _list(cloud, query="?host=host2")] == ["host2"]
    (found,) = _list(cloud, query="?binary=nova-network")
    assert (found["host"], found["zone"]) == ("net1", "internal")
    assert _list(cloud, query="?host=host1&binary=nova-network") == []


def test_a_silent_service_is_down(cloud: RestSite) -> None:
    cloud.clock.advance(61)
    assert [service["state"] for service in _list(cloud)] == ["down", "down"]
    assert _list(cloud)[0]["updated_at"] != cloud.clock.now.isoformat(timespec="microseconds")


def test_changes_by_verb_until_2_52(cloud: RestSite) -> None:
    answer = _put(cloud, "disable")
    assert answer.json == {"service": {**NAMED, "status": "disabled"}}
    assert _list(cloud)[0]["status"] == "disabled"
    answer = _put(cloud, "disable-log-reason", disabled_reason="broken")
    assert answer.json == {"service": {**NAMED, "status": "disabled", "disabled_reason": "broken"}}
    assert _list(cloud)[0]["disabled_reason"] == "broken"
    assert _put(cloud, "enable").json == {"service": {**NAMED, "status": "enabled"}}
    assert _list(cloud)[0]["disabled_reason"] is None
    answer = _put(cloud, "force-down", "2.11", forced_down="True")
    assert answer.json == {"service": {**NAMED, "forced_down": True}}
    (first, _) = _list(cloud, "2.11")
    assert (first["state"], first["forced_down"]) == ("down", True)
    assert _put(cloud, "force-down", "2.11", forced_down=False).status_int == 200
    assert _list(cloud)[0]["state"] == "up"


@pytest.mark.parametrize(
    ("verb", "version", "body", "status"),
    [
        ("destroy", "2.1", {}, 404),
        ("force-down", "2.10", {}, 404),
        ("force-down", "2.11", {}, 400),
        ("force-down", "2.11", {"forced_down": "maybe"}, 400),
        ("disable", "2.10", {"forced_down": True}, 400),
        ("disable-log-reason", "2.1", {}, 400),
        ("disable-log-reason", "2.1", {"disabled_reason": ""}, 400),
        ("disable-log-reason", "2.1", {"disabled_reason": "x" * 256}, 400),
        ("enable", "2.1", {"host": "unknown"}, 404),
        ("enable", "2.1", {"host": "a/b"}, 400),
        ("enable", "2.1", {"binary": "nova-network"}, 400),
        ("enable", "2.1", {"status": "enabled"}, 400),
        ("enable", "2.53", {}, 400),
    ],
)
def test_bad_changes_by_verb(
    cloud: RestSite, verb: str, version: str, body: dict[str, object], status: int
) -> None:
    assert _put(cloud, verb, version, **body).status_int == status


def test_changes_by_uuid_from_2_53(cloud: RestSite) -> None:
    path, admin = f"/os-services/{_uuid(cloud)}", cloud.admin.at("2.53")
    body = {"status": "disabled", "disabled_reason": "broken", "forced_down": "yes"}
    changed = admin.put(path, body).json["service"]
    assert set(changed) == BASE | {"forced_down"}
    assert (changed["status"], changed["disabled_reason"]) == ("disabled", "broken")
    assert (changed["state"], changed["forced_down"]) == ("down", True)
    changed = admin.put(path, {"status": "enabled"}).json["service"]
    assert (changed["status"], changed["disabled_reason"]) == ("enabled", None)
    assert changed["forced_down"] is True
    assert admin.put(path, {"forced_down": False}).json["service"]["state"] == "up"
    assert _list(cloud, "2.53")[0]["state"] == "up"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "enabled", "disabled_reason": "x"},
        {"disabled_reason": "x"},
        {"status": "sleeping"},
        {"forced_down": "maybe"},
        {"host": "host1", "binary": "nova-compute"},
        {"status": "disabled", "disabled_reason": ""},
    ],
)
def test_bad_changes_by_uuid_are_400(cloud: RestSite, body: object) -> None:
    path = f"/os-services/{_uuid(cloud)}"
    assert cloud.admin.at("2.53").put(path, body).status_int == 400


def test_only_compute_services_change(cloud: RestSite) -> None:
    seed_network_host(cloud.conductor, "net1")
    answer = cloud.admin.at("2.53").put(f"/os-services/{_uuid(cloud, 2)}", {"status": "disabled"})
    assert answer.status_int == 400 and "nova-network" in answer.text
    assert _list(cloud)[2]["status"] == "enabled"


def test_ids_by_version(cloud: RestSite) -> None:
    admin = cloud.admin.at("2.53")
    assert admin.put("/os-services/1", {"status": "enabled"}).status_int == 400
    assert admin.put(f"/os-services/{uuid.uuid4()}", {"status": "enabled"}).status_int == 404
    assert admin.delete("/os-services/1").status_int == 400
    assert admin.delete(f"/os-services/{uuid.uuid4()}").status_int == 404
    assert cloud.admin.delete(f"/os-services/{_uuid(cloud)}").status_int == 400
    assert cloud.admin.delete("/os-services/99").status_int == 404


def test_delete(cloud: RestSite) -> None:
    answer = cloud.admin.delete("/os-services/1")
    assert (answer.status_int, answer.body) == (204, b"")
    assert cloud.admin.at("2.53").delete(f"/os-services/{_uuid(cloud)}").status_int == 204
    assert _list(cloud) == []
    assert cloud.admin.get("/os-hypervisors").json == {"hypervisors": []}


def test_a_host_with_servers_is_not_forgotten(cloud: RestSite) -> None:
    cloud.boot()
    answer = cloud.admin.delete("/os-services/1")
    assert answer.status_int == 409
    assert len(_list(cloud)) == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (MigrationStatus.MIGRATING, 409),
        (MigrationStatus.FINISHED, 409),
        (MigrationStatus.CONFIRMED, 204),
        (MigrationStatus.ERROR, 204),
    ],
)
def test_a_host_of_unfinished_migrations_is_not_forgotten(
    cloud: RestSite, status: MigrationStatus, code: int
) -> None:
    flavor = cloud.site.flavor
    migration = Migration(
        id=0,
        uuid=str(uuid.uuid4()),
        instance_uuid=str(uuid.uuid4()),
        migration_type=MigrationType.RESIZE,
        status=status,
        old_vm_state=VmState.ACTIVE,
        old_flavor=flavor,
        new_flavor=flavor,
        source_compute="host1",
        dest_compute="host2",
    )
    with cloud.conductor.db.transaction() as tx:
        server_migrations.create(tx, migration, clock.utcnow())
    for service in (1, 2):
        assert cloud.admin.delete(f"/os-services/{service}").status_int == code


def test_az_07_services_are_for_administrators(cloud: RestSite) -> None:
    assert cloud.rest.get("/os-services").status_int == 403
    assert cloud.rest.put("/os-services/disable", NAMED).status_int == 403
    assert cloud.rest.delete("/os-services/1").status_int == 403


def test_in_04_unknown_parameters_are_refused_from_2_75(cloud: RestSite) -> None:
    assert cloud.admin.at("2.74").get("/os-services?x=1").status_int == 200
    assert cloud.admin.at("2.75").get("/os-services?x=1").status_int == 400
