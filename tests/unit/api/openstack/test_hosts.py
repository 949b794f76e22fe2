"""os-hosts: compute hosts as administrators see them, up to 2.42."""

from typing import Any

import pytest

from tests.fixtures.conductor import seed_network_host
from tests.fixtures.rest import PROJECT
from tests.fixtures.rest_site import RestSite


def _resource(project: str, cpu: int, memory_mb: int, disk_gb: int) -> dict[str, Any]:
    return {
        "resource": {
            "host": "host1",
            "project": project,
            "cpu": cpu,
            "memory_mb": memory_mb,
            "disk_gb": disk_gb,
        }
    }


def test_services_are_listed_by_host_and_zone(cloud: RestSite) -> None:
    seed_network_host(cloud.conductor)
    expected = [
        {"host_name": "host1", "service": "compute", "zone": "nova"},
        {"host_name": "host2", "service": "compute", "zone": "nova"},
        {"host_name": "net1", "service": "network", "zone": "internal"},
    ]
    assert cloud.admin.get("/os-hosts").json["hosts"] == expected
    assert cloud.admin.get("/os-hosts?zone=internal").json["hosts"] == expected[2:]
    assert cloud.admin.get("/os-hosts?zone=none").json["hosts"] == []


def test_a_host_shows_its_resources_in_total_and_by_project(cloud: RestSite) -> None:
    cloud.boot()
    cloud.boot(rest=cloud.rest.as_user("bob", "b" * 32))
    assert cloud.admin.get("/os-hosts/host1").json["host"] == [
        _resource("(total)", 8, 16384, 200),
        _resource("(used_now)", 2, 1024, 4),
        _resource("(used_max)", 2, 1024, 4),
        _resource(PROJECT, 1, 512, 2),
        _resource("b" * 32, 1, 512, 2),
    ]
    assert len(cloud.admin.get("/os-hosts/host2").json["host"]) == 3


def test_a_host_is_disabled_and_enabled(cloud: RestSite) -> None:
    for word, status in (("Disable", "disabled"), ("enable", "enabled")):
        answer = cloud.admin.put("/os-hosts/host1", {"status": word})
        assert (answer.status_int, answer.json) == (200, {"host": "host1", "status": status})
        listed = cloud.admin.get("/os-services?host=host1").json["services"]
        assert [service["status"] for service in listed] == [status]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"maintenance_mode": "enable"}),
        ("PUT", "", {"maintenance_mode": "disable", "status": "disable"}),
        ("GET", "/reboot", None),
        ("GET", "/shutdown", None),
        ("GET", "/startup", None),
    ],
)
def test_what_no_hypervisor_has_is_501(cloud: RestSite, method: str, path: str, body: Any) -> None:
    answer = cloud.admin.request(method, f"/os-hosts/host1{path}", body)
    assert (answer.status_int, list(answer.json)) == (501, ["notImplemented"])
    listed = cloud.admin.get("/os-services?host=host1").json["services"]
    assert listed[0]["status"] == "enabled"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"status": "enable"}),
        ("PUT", "", {"maintenance_mode": "enable"}),
        ("GET", "/reboot", None),
        ("GET", "/shutdown", None),
        ("GET", "/startup", None),
    ],
)
@pytest.mark.parametrize("host", ["unknown", "net1"])
def test_what_is_no_compute_host_is_404(
    cloud: RestSite, host: str, method: str, path: str, body: Any
) -> None:
    seed_network_host(cloud.conductor)
    answer = cloud.admin.request(method, f"/os-hosts/{host}{path}", body)
    assert (answer.status_int, list(answer.json)) == (404, ["itemNotFound"])


@pytest.mark.parametrize(
    "body", [{}, {"status": "on"}, {"status": None}, {"odd": "enable"}, {"maintenance_mode": 1}]
)
def test_in_04_bad_changes_are_refused(cloud: RestSite, body: Any) -> None:
    assert cloud.admin.put("/os-hosts/host1", body).status_int == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/host1", None),
        ("PUT", "/host1", {"status": "disable"}),
        ("GET", "/host1/reboot", None),
        ("GET", "/host1/shutdown", None),
        ("GET", "/host1/startup", None),
    ],
)
def test_az_07_hosts_are_for_administrators_up_to_2_42(
    cloud: RestSite, method: str, path: str, body: Any
) -> None:
    assert cloud.rest.request(method, f"/os-hosts{path}", body).status_int == 403
    assert cloud.admin.at("2.42").request(method, f"/os-hosts{path}", body).status_int in (200, 501)
    assert cloud.admin.at("2.43").request(method, f"/os-hosts{path}", body).status_int == 404


def test_the_questions_of_a_host_are_few(cloud: RestSite) -> None:
    for _ in range(3):
        cloud.boot()
    cloud.conductor.counter.take()
    cloud.admin.get("/os-hosts/host1")
    assert len(cloud.conductor.counter.take()) == 2
