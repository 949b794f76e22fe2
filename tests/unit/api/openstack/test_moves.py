"""Actions migrate, os-migrateLive and evacuate in a cloud where no server can move."""

from typing import Any

import pytest

from tests.fixtures.rest_site import RestSite

UNKNOWN = "99999999-0000-0000-0000-000000000000"
MIGRATE: dict[str, Any] = {"migrate": None}
LIVE: dict[str, Any] = {
    "os-migrateLive": {"host": None, "block_migration": False, "disk_over_commit": False}
}
LIVE_TO: dict[str, Any] = {
    "os-migrateLive": {"host": "nowhere", "block_migration": False, "disk_over_commit": False}
}
EVACUATE: dict[str, Any] = {"evacuate": {"onSharedStorage": False}}


def send(rest: Any, server: str, body: dict[str, Any]) -> Any:
    return rest.post(f"/servers/{server}/action", body)


@pytest.mark.parametrize("body", [MIGRATE, LIVE, LIVE_TO])
def test_there_is_no_valid_host(cloud: RestSite, body: dict[str, Any]) -> None:
    answer = send(cloud.admin, cloud.boot(), body)
    assert answer.status_int == 400
    assert "No valid host was found" in answer.json["badRequest"]["message"]


def test_no_host_is_read_from_migrate_before_2_56(cloud: RestSite) -> None:
    server, body = cloud.boot(), {"migrate": {"host": "nowhere"}}
    before, after = (send(cloud.admin.at(version), server, body) for version in ("2.55", "2.56"))
    assert (before.status_int, after.status_int) == (400, 400)
    assert "nowhere" not in before.text
    assert "nowhere" in after.text


@pytest.mark.parametrize("body", [MIGRATE, LIVE, EVACUATE])
def test_unknown_servers_are_not_found(cloud: RestSite, body: dict[str, Any]) -> None:
    assert send(cloud.admin, UNKNOWN, body).status_int == 404


@pytest.mark.parametrize("body", [MIGRATE, LIVE, EVACUATE])
def test_az_members_may_not_move_servers(cloud: RestSite, body: dict[str, Any]) -> None:
    assert send(cloud.rest, cloud.boot(), body).status_int == 403


@pytest.mark.parametrize("body", [MIGRATE, LIVE, EVACUATE])
def test_the_state_is_checked_first(cloud: RestSite, body: dict[str, Any]) -> None:
    assert send(cloud.admin, cloud.request(), body).status_int == 409


@pytest.mark.parametrize("body", [MIGRATE, LIVE])
def test_a_busy_server_is_refused(cloud: RestSite, body: dict[str, Any]) -> None:
    server = cloud.boot()
    send(cloud.rest, server, {"os-stop": None})
    assert send(cloud.admin, server, body).status_int == 409


def test_a_server_whose_host_is_down_can_not_migrate(cloud: RestSite) -> None:
    server = cloud.boot()
    cloud.clock.advance(120)
    assert send(cloud.admin, server, MIGRATE).status_int == 409
    answer = send(cloud.admin, server, EVACUATE)
    assert answer.status_int == 400
    assert "No valid host was found" in answer.text


@pytest.mark.parametrize(
    ("host", "status"), [("nowhere", 404), ("host1", 400), ("host2", 400), (None, 400)]
)
def test_evacuation_needs_a_dead_host_and_another_one(
    cloud: RestSite, host: str | None, status: int
) -> None:
    wanted = {"onSharedStorage": False, **({} if host is None else {"host": host})}
    assert send(cloud.admin, cloud.boot(), {"evacuate": wanted}).status_int == status


@pytest.mark.parametrize(
    ("version", "body", "words"),
    [
        ("2.56", {"migrate": {"host": "x" * 256}}, "host"),
        ("2.56", {"migrate": {"other": "x"}}, "migrate"),
        ("2.24", {"os-migrateLive": {"host": None, "block_migration": "auto"}}, "migrateLive"),
        ("2.25", {"os-migrateLive": {"host": None}}, "migrateLive"),
        ("2.68", {"os-migrateLive": {"host": None, "block_migration": "auto", "force": True}},
         "force"),
        ("2.13", {"evacuate": {}}, "onSharedStorage"),
        ("2.14", EVACUATE, "onSharedStorage"),
        ("2.28", {"evacuate": {"force": True}}, "force"),
        ("2.68", {"evacuate": {"force": True}}, "force"),
    ],
)  # fmt: skip
def test_each_version_has_its_bodies(
    cloud: RestSite, version: str, body: dict[str, Any], words: str
) -> None:
    answer = send(cloud.admin.at(version), cloud.boot(), body)
    assert answer.status_int == 400
    assert words in answer.text
