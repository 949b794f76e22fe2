"""Microversions of what belongs to servers, of actions on them, and of sets of hosts.

As in test_microversions: a row asks the same question one version before and at the version.
"""

from typing import Any

import pytest

from nova.api.openstack.versions import MAXIMUM
from tests.fixtures.rest_site import IMAGE_ID
from tests.unit.api.openstack import test_microversions
from tests.unit.api.openstack.test_microversions import Probe, Row, World, world

__all__ = ["world"]

OTHER = "22222222-2222-4333-8444-555555555555"


def _verdict(action: dict[str, Any], admin: bool = True) -> Probe:
    """Tell whether the body of an action is one that the version knows."""

    def ask(world: World) -> str:
        server = world.cloud.boot()
        rest = world.admin if admin else world.rest
        answer = rest.post(f"/servers/{server}/action", action)
        if answer.status_int != 400:
            return "taken"
        message = answer.json["badRequest"]["message"]
        return "unknown" if message.startswith(("Invalid input for", "Malformed")) else "taken"

    return ask


def _status(method: str, path: str, body: object = None) -> Probe:
    """Ask an administrator's question about the server {}, or about something else."""
    return lambda world: world.status(method, path.format(world.server), body, admin=True)


def _group(**group: object) -> Probe:
    body = {"server_group": {"name": "g", **group}}
    return lambda world: world.status("POST", "/os-server-groups", body)


def _old_group(world: World) -> dict[str, Any]:
    """Return a group that was made before the version was asked for."""
    body = {"server_group": {"name": "g", "policies": ["affinity"]}}
    made = world.rest.at("2.1").post("/os-server-groups", body).json["server_group"]
    found: dict[str, Any] = world.rest.get(f"/os-server-groups/{made['id']}").json["server_group"]
    return found


def _aggregate(world: World) -> dict[str, Any]:
    body = {"aggregate": {"name": f"a{world.rest.version}"}}
    made: dict[str, Any] = world.admin.post("/os-aggregates", body).json["aggregate"]
    return made


def _image_answer(action: str, **more: object) -> Probe:
    """Tell in which way the id of a new image is told."""

    def ask(world: World) -> list[str]:
        server = world.cloud.boot()
        body = {action: {"name": "image", **more}}
        answer = world.rest.post(f"/servers/{server}/action", body)
        assert answer.status_int == 202, answer.text
        body_keys = sorted(answer.json) if answer.body else []
        return [*body_keys, *(["Location"] if "Location" in answer.headers else [])]

    return ask


def _interface(world: World) -> dict[str, Any]:
    path = f"/servers/{world.server}/os-interface"
    found: dict[str, Any] = world.rest.get(path).json["interfaceAttachments"][0]
    return found


def _rebuild(**more: object) -> Probe:
    return _verdict({"rebuild": {"imageRef": IMAGE_ID, **more}}, admin=False)


def _live(**more: object) -> Probe:
    given = {"host": None, "block_migration": False, **more}
    return _verdict({"os-migrateLive": given})


ATTACHMENT = {"volumeId": OTHER}
_ATTACH = "/servers/{}/os-volume_attachments"

ROWS = [
    Row("2.13", "groups have projects", lambda w: "project_id" in _old_group(w), False, True),
    Row("2.13", "groups have users", lambda w: "user_id" in _old_group(w), False, True),
    Row(
        "2.14", "evacuation without shared storage", _verdict({"evacuate": {}}), "unknown", "taken"
    ),
    Row("2.15", "soft policies", _group(policies=["soft-affinity"]), 400, 200),
    Row(
        "2.17",
        "crash dumps",
        _status("POST", "/servers/{}/action", {"trigger_crash_dump": None}),
        404,
        202,
    ),
    Row("2.23", "migrations of servers", _status("GET", "/servers/{}/migrations"), 404, 200),
    Row("2.25", "block_migration auto", _live(block_migration="auto"), "unknown", "taken"),
    Row("2.25", "disk_over_commit", _live(disk_over_commit=False), "taken", "unknown"),
    Row("2.29", "forced evacuation", _verdict({"evacuate": {"force": True}}), "unknown", "taken"),
    Row("2.30", "forced migration", _live(force=True), "unknown", "taken"),
    Row("2.41", "aggregates have uuids", lambda w: "uuid" in _aggregate(w), False, True),
    Row("2.45", "new images", _image_answer("createImage"), ["Location"], ["image_id"]),
    Row(
        "2.45",
        "new backups",
        _image_answer("createBackup", backup_type="daily", rotation=1),
        ["Location"],
        ["image_id"],
    ),
    Row(
        "2.49",
        "tags of new volumes",
        _status("POST", _ATTACH, {"volumeAttachment": {**ATTACHMENT, "tag": "t"}}),
        400,
        501,
    ),
    Row("2.54", "rebuild with another key", _rebuild(key_name=None), "unknown", "taken"),
    Row("2.56", "migration to a host", _verdict({"migrate": {"odd": 1}}), "taken", "unknown"),
    Row("2.57", "rebuild with user data", _rebuild(user_data=None), "unknown", "taken"),
    Row("2.57", "rebuild with files", _rebuild(personality=[]), "taken", "unknown"),
    Row("2.59", "migrations have pages", _status("GET", "/os-migrations?limit=x"), 200, 400),
    Row("2.59", "odd filters of migrations", _status("GET", "/os-migrations?odd=1"), 200, 400),
    Row(
        "2.63",
        "rebuild with certificates",
        _rebuild(trusted_image_certificates=None),
        "unknown",
        "taken",
    ),
    Row("2.64", "one policy", _group(policy="affinity"), 400, 200),
    Row("2.64", "policies", _group(policies=["affinity"]), 200, 400),
    Row("2.64", "rules are shown", lambda w: "rules" in _old_group(w), False, True),
    Row("2.64", "metadata ends", lambda w: "metadata" in _old_group(w), True, False),
    Row(
        "2.66",
        "changes-before of migrations",
        _status("GET", "/os-migrations?changes-before=2999-01-01T00:00:00Z"),
        400,
        200,
    ),
    Row(
        "2.68", "no forced evacuation", _verdict({"evacuate": {"force": True}}), "taken", "unknown"
    ),
    Row(
        "2.68",
        "no forced migration",
        _live(block_migration="auto", force=True),
        "taken",
        "unknown",
    ),
    Row("2.70", "interfaces have tags", lambda w: "tag" in _interface(w), False, True),
    Row("2.73", "lock without reason", _verdict({"lock": {"odd": 1}}), "taken", "unknown"),
    Row("2.77", "unshelve to a zone", _verdict({"unshelve": {}}), "taken", "unknown"),
    Row("2.78", "topologies", _status("GET", "/servers/{}/topology"), 404, 200),
    Row(
        "2.79",
        "volumes that go with the server",
        _status(
            "POST", _ATTACH, {"volumeAttachment": {**ATTACHMENT, "delete_on_termination": True}}
        ),
        400,
        501,
    ),
    Row("2.80", "migrations of a user", _status("GET", "/os-migrations?user_id=u"), 400, 200),
    Row("2.80", "migrations of a project", _status("GET", "/os-migrations?project_id=u"), 400, 200),
    Row(
        "2.81",
        "images of aggregates",
        lambda w: (
            w.status("POST", "/os-aggregates/9/images", {"cache": [{"id": IMAGE_ID}]}, admin=True)
            == 404
            and "Aggregate"
            in w.admin.post("/os-aggregates/9/images", {"cache": [{"id": IMAGE_ID}]}).text
        ),
        False,
        True,
    ),
    Row(
        "2.85",
        "volumes are updated",
        _status(
            "PUT",
            f"{_ATTACH}/{OTHER}",
            {"volumeAttachment": {**ATTACHMENT, "delete_on_termination": True}},
        ),
        400,
        404,
    ),
    Row("2.90", "rebuild with a hostname", _rebuild(hostname="inner"), "unknown", "taken"),
    Row("2.91", "unshelve to a host", _verdict({"unshelve": {"host": "h"}}), "unknown", "taken"),
    Row("2.94", "rebuild with dots", _rebuild(hostname="a.example"), "unknown", "taken"),
]

# What these versions change is not built, is the same at all versions, or is told by a host.
NO_DIFFERENCE = {
    "2.4": "os-fixed-ips", "2.6": "consoles", "2.8": "consoles", "2.12": "os-virtual-interfaces",
    "2.18": "both forms of URLs are served at all versions", "2.20": "volumes",
    "2.22": "live migrations", "2.24": "live migrations",
    "2.27": "both headers are read at all versions", "2.31": "consoles",
    "2.34": "live migrations", "2.44": "address actions",
    "2.46": "ids are sent at all versions", "2.48": "diagnostics are read from the host",
    "2.60": "volumes", "2.65": "live migrations",
    "2.69": "there is one cell, and it is never down", "2.72": "ports",
    "2.87": "servers that boot from volumes", "2.89": "volumes", "2.95": "evacuations",
    "2.99": "consoles", "2.101": "volumes",
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.version}-{row.name}")
def test_difference(world: World, row: Row) -> None:
    before = f"2.{int(row.version.partition('.')[2]) - 1}"
    assert row.ask(world.at(before)) == row.before
    assert row.ask(world.at(row.version)) == row.after


def test_every_version_is_accounted_for() -> None:
    shown = {row.version for row in (*ROWS, *test_microversions.ROWS)}
    assert shown.isdisjoint(NO_DIFFERENCE)
    assert shown | set(NO_DIFFERENCE) == {f"2.{minor}" for minor in range(2, MAXIMUM.minor + 1)}
