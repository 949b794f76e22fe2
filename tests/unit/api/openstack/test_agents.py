"""os-agents: builds of guest agents."""

from typing import Any

import pytest

from tests.fixtures.rest_site import RestSite

BUILD = {
    "hypervisor": "kvm",
    "os": "win",
    "architecture": "x86",
    "version": "7.0",
    "url": "http://example.com/agent",
    "md5hash": "add6bb58e139be103324d04d82d8f545",
}
PARA = {"version": "8.0", "url": "http://example.com/8", "md5hash": "ab"}


def _create(cloud: RestSite, **changes: Any) -> Any:
    return cloud.admin.post("/os-agents", {"agent": BUILD | changes})


def test_builds_are_made_listed_changed_and_deleted(cloud: RestSite) -> None:
    made = _create(cloud)
    assert (made.status_int, made.json) == (200, {"agent": {"agent_id": 1, **BUILD}})
    _create(cloud, hypervisor="xen")
    listed = cloud.admin.get("/os-agents").json["agents"]
    assert [(build["agent_id"], build["hypervisor"]) for build in listed] == [
        (1, "kvm"),
        (2, "xen"),
    ]
    assert cloud.admin.get("/os-agents?hypervisor=xen").json["agents"] == listed[1:]
    changed = cloud.admin.put("/os-agents/1", {"para": PARA})
    assert (changed.status_int, changed.json) == (200, {"agent": {"agent_id": "1", **PARA}})
    assert cloud.admin.get("/os-agents").json["agents"][0] == {"agent_id": 1, **BUILD, **PARA}
    deleted = cloud.admin.delete("/os-agents/1")
    assert (deleted.status_int, deleted.body) == (200, b"")
    assert cloud.admin.delete("/os-agents/1").status_int == 404


def test_one_build_per_kind_of_guest(cloud: RestSite) -> None:
    _create(cloud)
    again = _create(cloud, version="9")
    assert (again.status_int, list(again.json)) == (409, ["conflictingRequest"])
    assert _create(cloud, os="linux").status_int == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"odd": "x"},
        {"version": "7/0"},
        {"url": "no address"},
        {"md5hash": "xyz"},
        {"os": None},
        {"architecture": "x" * 256},
    ],
)
def test_in_04_bad_builds_are_refused(cloud: RestSite, changes: dict[str, Any]) -> None:
    assert _create(cloud, **changes).status_int == 400
    assert cloud.admin.get("/os-agents").json["agents"] == []


@pytest.mark.parametrize("key", sorted(BUILD))
def test_in_04_every_key_is_needed(cloud: RestSite, key: str) -> None:
    body = {name: value for name, value in BUILD.items() if name != key}
    assert cloud.admin.post("/os-agents", {"agent": body}).status_int == 400


@pytest.mark.parametrize(
    ("build", "status"), [("x", 400), ("-1", 400), ("9", 404), ("9" * 30, 404)]
)
def test_what_names_no_build(cloud: RestSite, build: str, status: int) -> None:
    assert cloud.admin.put(f"/os-agents/{build}", {"para": PARA}).status_int == status
    assert cloud.admin.delete(f"/os-agents/{build}").status_int == status


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", {"agent": BUILD}),
        ("PUT", "/1", {"para": PARA}),
        ("DELETE", "/1", None),
    ],
)
def test_az_07_builds_are_for_administrators(
    cloud: RestSite, method: str, path: str, body: Any
) -> None:
    assert cloud.rest.request(method, f"/os-agents{path}", body).status_int == 403
