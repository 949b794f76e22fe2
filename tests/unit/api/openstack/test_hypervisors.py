"""Hypervisors over the real conductor."""

import uuid

import pytest

from nova.context import get_admin_context
from nova.objects.lifecycle import PowerState
from nova.objects.service import ServiceChange
from tests.fixtures.conductor import seed_host
from tests.fixtures.rest_site import RestSite

BRIEF = {"id", "hypervisor_hostname", "state", "status"}
FIXED = {"hypervisor_type", "hypervisor_version", "host_ip", "service"}
NUMBERS = {
    "vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used",
    "free_ram_mb", "free_disk_gb", "current_workload", "running_vms", "disk_available_least",
}  # fmt: skip
CPU = {"cpu_info"}


def _list(cloud: RestSite, version: str = "2.1", path: str = "") -> list[dict[str, object]]:
    answer = cloud.admin.at(version).get(f"/os-hypervisors{path}")
    assert answer.status_int == 200, answer.text
    found: list[dict[str, object]] = answer.json["hypervisors"]
    return found


def _uuid(cloud: RestSite, number: int = 0) -> str:
    return str(_list(cloud, "2.53")[number]["id"])


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("2.1", BRIEF | FIXED | NUMBERS | CPU),
        ("2.53", BRIEF | FIXED | NUMBERS | CPU),
        ("2.87", BRIEF | FIXED | NUMBERS | CPU),
        ("2.88", BRIEF | FIXED | {"uptime"}),
        ("2.96", BRIEF | FIXED | {"uptime"}),
    ],
)
def test_fields_by_version(cloud: RestSite, version: str, fields: set[str]) -> None:
    assert all(set(entry) == BRIEF for entry in _list(cloud, version))
    assert all(set(entry) == fields for entry in _list(cloud, version, "/detail"))
    one = _list(cloud, version)[0]["id"]
    shown = cloud.admin.at(version).get(f"/os-hypervisors/{one}").json["hypervisor"]
    assert set(shown) == fields


def test_values(cloud: RestSite) -> None:
    server = cloud.boot()
    seed_host(
        cloud.conductor,
        power_states={server: PowerState.RUNNING},
        cpu_info='{"model": "q"}',
        disk_available_least=7,
        uptime="up 3 days",
    )
    first = _list(cloud, path="/detail")[0]
    assert first == {
        "id": 1,
        "hypervisor_hostname": "host1.example",
        "state": "up",
        "status": "enabled",
        "vcpus": 8,
        "vcpus_used": 1,
        "memory_mb": 16384,
        "memory_mb_used": 512,
        "free_ram_mb": 15872,
        "local_gb": 200,
        "local_gb_used": 2,
        "free_disk_gb": 198,
        "disk_available_least": 7,
        "current_workload": 0,
        "running_vms": 1,
        "cpu_info": '{"model": "q"}',
        "hypervisor_type": "fake",
        "hypervisor_version": 1000,
        "host_ip": None,
        "service": {"id": 1, "host": "host1", "disabled_reason": None},
    }
    assert _list(cloud, "2.28", "/detail")[0]["cpu_info"] == {"model": "q"}
    assert _list(cloud, "2.88", "/detail")[0]["uptime"] == "up 3 days"
    assert _list(cloud, "2.28", "/detail")[1]["cpu_info"] == {}


def test_ids_are_uuids_from_2_53(cloud: RestSite) -> None:
    assert [entry["id"] for entry in _list(cloud, "2.52")] == [1, 2]
    first = _list(cloud, "2.53", "/detail")[0]
    assert uuid.UUID(str(first["id"]))
    service = first["service"]
    assert isinstance(service, dict) and uuid.UUID(service["id"])
    admin = cloud.admin.at("2.53")
    assert admin.get(f"/os-hypervisors/{first['id']}").status_int == 200
    for name in ("1", "host1"):
        assert admin.get(f"/os-hypervisors/{name}").status_int == 404
    assert admin.get(f"/os-hypervisors/{uuid.uuid4()}").status_int == 404
    for wrong in ("host1", "99", "1.5", "%C2%B2"):
        assert cloud.admin.at("2.52").get(f"/os-hypervisors/{wrong}").status_int == 404


def test_state_and_status(cloud: RestSite) -> None:
    cloud.admin.put(
        "/os-services/disable-log-reason",
        {"host": "host1", "binary": "nova-compute", "disabled_reason": "broken"},
    )
    first = _list(cloud, path="/detail")[0]
    assert (first["state"], first["status"]) == ("up", "disabled")
    assert first["service"] == {"id": 1, "host": "host1", "disabled_reason": "broken"}
    cloud.clock.advance(100)
    assert _list(cloud)[1]["state"] == "down"
    assert _list(cloud, "2.88", "/detail")[1]["uptime"] is None


def test_paging_begins_with_2_33(cloud: RestSite) -> None:
    assert len(cloud.admin.at("2.32").get("/os-hypervisors?limit=1").json["hypervisors"]) == 2
    page = cloud.admin.at("2.33").get("/os-hypervisors?limit=1").json
    assert [entry["id"] for entry in page["hypervisors"]] == [1]
    assert page["hypervisors_links"][0]["href"].endswith("/os-hypervisors?limit=1&marker=1")
    assert [entry["id"] for entry in _list(cloud, "2.33", "?limit=1&marker=1")] == [2]
    assert _list(cloud, "2.33", "/detail?marker=2") == []
    first = _uuid(cloud)
    page = cloud.admin.at("2.53").get("/os-hypervisors/detail?limit=1").json
    assert page["hypervisors_links"][0]["href"].endswith(f"/detail?limit=1&marker={first}")
    assert len(_list(cloud, "2.53", f"?marker={first}")) == 1
    for bad in ("?marker=none", "?limit=-1", "?limit=x"):
        assert cloud.admin.at("2.33").get(f"/os-hypervisors{bad}").status_int == 400


def test_patterns_begin_with_2_53(cloud: RestSite) -> None:
    path = "?hypervisor_hostname_pattern="
    assert len(_list(cloud, "2.52", f"{path}host2")) == 2
    assert len(_list(cloud, "2.53", f"{path}host2")) == 1
    assert len(_list(cloud, "2.53", f"/detail{path}.example")) == 2
    admin = cloud.admin.at("2.53")
    assert admin.get(f"/os-hypervisors{path}none").status_int == 404
    for more in ("limit=1", f"marker={_uuid(cloud)}"):
        assert admin.get(f"/os-hypervisors{path}host&{more}").status_int == 400
    assert admin.get(f"/os-hypervisors{path}a%20b").status_int == 400


def test_servers_on_wish_from_2_53(cloud: RestSite) -> None:
    server = cloud.boot()
    entry = {"uuid": server, "name": "instance-00000001"}
    for path in ("", "/detail"):
        first, second = _list(cloud, "2.53", f"{path}?with_servers=True")
        assert first["servers"] == [entry] and "servers" not in second
        first, second = _list(cloud, "2.75", f"{path}?with_servers=1")
        assert first["servers"] == [entry] and second["servers"] == []
        assert all("servers" not in entry for entry in _list(cloud, "2.75", path))
    admin = cloud.admin.at("2.75")
    shown = admin.get(f"/os-hypervisors/{_uuid(cloud, 1)}?with_servers=true").json["hypervisor"]
    assert shown["servers"] == []
    for bad in ("maybe", ""):
        assert admin.get(f"/os-hypervisors?with_servers={bad}").status_int == 400
    assert admin.get("/os-hypervisors?with_servers=1&with_servers=1").status_int == 400


def test_search_and_servers_end_with_2_52(cloud: RestSite) -> None:
    server = cloud.boot()
    (found,) = _list(cloud, "2.52", "/host1/search")
    assert set(found) == BRIEF and found["hypervisor_hostname"] == "host1.example"
    first, second = _list(cloud, "2.52", "/host/servers")
    assert first["servers"] == [{"uuid": server, "name": "instance-00000001"}]
    assert "servers" not in second
    for kind in ("search", "servers"):
        assert cloud.admin.at("2.52").get(f"/os-hypervisors/none/{kind}").status_int == 404
        assert cloud.admin.at("2.53").get(f"/os-hypervisors/host1/{kind}").status_int == 404


def test_uptime_is_read_live_and_ends_with_2_87(cloud: RestSite) -> None:
    seed_host(cloud.conductor, uptime="reported long ago")
    cloud.site.computes["host2"].uptime = None
    found = cloud.admin.get("/os-hypervisors/1/uptime").json["hypervisor"]
    assert set(found) == BRIEF | {"uptime"} and found["uptime"] == "up 3 days"
    assert cloud.admin.get("/os-hypervisors/2/uptime").status_int == 501
    assert cloud.admin.get("/os-hypervisors/9/uptime").status_int == 404
    path = f"/os-hypervisors/{_uuid(cloud)}/uptime"
    assert cloud.admin.at("2.87").get(path).status_int == 200
    assert cloud.admin.at("2.88").get(path).status_int == 404
    cloud.clock.advance(100)
    assert cloud.admin.get("/os-hypervisors/1/uptime").status_int == 400


def test_statistics_leave_out_disabled_hosts(cloud: RestSite) -> None:
    cloud.boot()
    found = cloud.admin.get("/os-hypervisors/statistics").json["hypervisor_statistics"]
    assert set(found) == NUMBERS | {"count"}
    assert found["count"] == 2 and found["vcpus"] == 16 and found["running_vms"] == 1
    cloud.conductor.hosts.update_service(
        get_admin_context(), "host2/nova-compute", ServiceChange(disabled=True)
    )
    found = cloud.admin.get("/os-hypervisors/statistics").json["hypervisor_statistics"]
    assert found["count"] == 1 and found["vcpus"] == 8
    assert cloud.admin.at("2.87").get("/os-hypervisors/statistics").status_int == 200
    answer = cloud.admin.at("2.88").get("/os-hypervisors/statistics")
    assert answer.status_int in (400, 404)


def test_statistics_sum_over_all_pages(cloud: RestSite) -> None:
    admin = cloud.with_settings(max_limit=1).admin
    assert admin.get("/os-hypervisors/statistics").json["hypervisor_statistics"]["count"] == 2


@pytest.mark.parametrize(
    "path",
    ["", "/detail", "/statistics", "/1", "/1/uptime", "/host/search", "/host/servers"],
)
def test_az_07_hypervisors_are_for_administrators(cloud: RestSite, path: str) -> None:
    assert cloud.rest.get(f"/os-hypervisors{path}").status_int == 403


def test_in_04_unknown_parameters_are_refused_from_2_53(cloud: RestSite) -> None:
    assert cloud.admin.at("2.52").get("/os-hypervisors?x=1").status_int == 200
    assert cloud.admin.at("2.53").get("/os-hypervisors?x=1").status_int == 400
    assert cloud.admin.at("2.53").get(f"/os-hypervisors/{_uuid(cloud)}?x=1").status_int == 400
