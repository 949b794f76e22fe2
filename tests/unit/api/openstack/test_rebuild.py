"""Action rebuild over REST: bodies and answers of each version."""

import base64

import pytest

from tests.fixtures.rest_site import IMAGE_ID, RestSite

TEXT = base64.b64encode(b"#!/bin/sh").decode()
FILE = {"path": "/etc/motd", "contents": TEXT}
OPTIONAL = {
    "description": ("first", "2.19", None),
    "key_name": (None, "2.54", None),
    "user_data": (TEXT, "2.57", None),
    "trusted_image_certificates": (None, "2.63", None),
    "hostname": ("db1", "2.90", None),
    "personality": ([FILE], "2.1", "2.56"),
}


def rebuild(cloud: RestSite, server: str, version: str = "2.1", **body: object):
    wanted = {"rebuild": {"imageRef": IMAGE_ID, **body}}
    return cloud.rest.at(version).post(f"/servers/{server}/action", wanted)


def previous(version: str) -> str:
    return f"2.{int(version.partition('.')[2]) - 1}"


def test_the_answer_is_the_server_with_a_location_and_a_password(cloud: RestSite) -> None:
    server = cloud.boot(name="first")
    answer = rebuild(cloud, server, name="second", metadata={"k": "v"})
    assert answer.status_int == 202
    assert answer.headers["Location"] == f"http://cloud.example:8774/v2.1/servers/{server}"
    found = answer.json["server"]
    assert (found["id"], found["name"], found["status"]) == (server, "second", "REBUILD")
    assert found["metadata"] == {"k": "v"}
    assert len(found["adminPass"]) == 12
    assert not set(found) & {"user_data", "key_name", "config_drive", "OS-EXT-STS:vm_state"}


def test_the_password_is_left_out_where_the_operator_wants_that(cloud: RestSite) -> None:
    site = cloud.with_settings(enable_instance_password=False)
    answer = rebuild(site, site.boot())
    assert "adminPass" not in answer.json["server"]


@pytest.mark.parametrize(
    ("version", "present", "absent"),
    [
        ("2.53", set(), {"key_name", "user_data"}),
        ("2.54", {"key_name"}, {"user_data"}),
        ("2.57", {"key_name", "user_data"}, {"OS-EXT-STS:vm_state"}),
        ("2.71", {"server_groups"}, {"config_drive"}),
        ("2.75", {"key_name", "user_data", "config_drive", "OS-EXT-STS:vm_state"}, set()),
    ],
)
def test_each_version_has_its_fields(
    cloud: RestSite, version: str, present: set[str], absent: set[str]
) -> None:
    found = rebuild(cloud, cloud.boot(), version).json["server"]
    assert present <= set(found)
    assert not absent & set(found)


@pytest.mark.parametrize("name", OPTIONAL)
def test_each_key_has_its_versions(cloud: RestSite, name: str) -> None:
    value, since, until = OPTIONAL[name]
    server = cloud.boot()
    body = {name: value}
    if since != "2.1":
        assert rebuild(cloud, server, previous(since), **body).status_int == 400
    if until is not None:
        assert rebuild(cloud, server, "2.57", **body).status_int == 400
    assert rebuild(cloud, server, until or since, **body).status_int == 202


@pytest.mark.parametrize(
    ("version", "hostname", "status"),
    [
        ("2.90", "db1.example", 400),
        ("2.90", "db1", 202),
        ("2.94", "db1.example", 202),
    ],
)
def test_hostnames_are_full_names_from_2_94(
    cloud: RestSite, version: str, hostname: str, status: int
) -> None:
    assert rebuild(cloud, cloud.boot(), version, hostname=hostname).status_int == status


@pytest.mark.parametrize(
    "body",
    [
        {"imageRef": ""},
        {"imageRef": "x"},
        {"imageRef": None},
        {"imageRef": "99999999-0000-0000-0000-000000000000"},
        {"name": ""},
        {"name": " x"},
        {"adminPass": 5},
        {"metadata": {"k": None}},
        {"accessIPv4": "x"},
        {"accessIPv4": ""},
        {"preserve_ephemeral": "maybe"},
        {"OS-DCF:diskConfig": "maybe"},
        {"flavorRef": "1"},
        {"personality": [{"path": "/x"}]},
        {"personality": [{"path": "/x", "contents": "?"}]},
    ],
)
def test_wrong_bodies_are_refused(cloud: RestSite, body: dict[str, object]) -> None:
    server = cloud.boot()
    assert rebuild(cloud, server, **body).status_int == 400
    assert cloud.rest.get(f"/servers/{server}").json["server"]["status"] == "ACTIVE"


@pytest.mark.parametrize("action", ["rebuild", "rescue"])
def test_any_text_is_a_password(cloud: RestSite, action: str) -> None:
    long = "\u00fc " * 200
    arguments = {"adminPass": long} | ({"imageRef": IMAGE_ID} if action == "rebuild" else {})
    answer = cloud.rest.post(f"/servers/{cloud.boot()}/action", {action: arguments})
    assert answer.status_int in (200, 202), answer.text
    assert answer.json.get("server", answer.json)["adminPass"] == long


def test_what_is_given_is_stored(cloud: RestSite) -> None:
    server = cloud.boot(metadata={"old": "1"})
    cloud.rest.at("2.2").post("/os-keypairs", {"keypair": {"name": "mine", "type": "ssh"}})
    answer = rebuild(
        cloud,
        server,
        "2.94",
        name="n",
        description="d",
        hostname="h.example",
        accessIPv4="1.2.3.4",
        accessIPv6="fe80::1",
        metadata={"new": "2"},
        key_name="mine",
        user_data=TEXT,
        **{"OS-DCF:diskConfig": "MANUAL"},
    )
    assert answer.status_int == 202, answer.text
    stored = cloud.conductor.get(server)
    assert (stored.display_name, stored.display_description, stored.hostname) == (
        "n",
        "d",
        "h.example",
    )
    assert (stored.access_ip_v4, stored.access_ip_v6) == ("1.2.3.4", "fe80::1")
    assert (stored.metadata, stored.key_name, stored.user_data) == ({"new": "2"}, "mine", TEXT)
    assert stored.auto_disk_config is False
    assert stored.key_data is not None and stored.key_data.startswith("ssh-rsa ")
    found = answer.json["server"]
    assert (found["key_name"], found["user_data"]) == ("mine", TEXT)
    assert found["metadata"] == {"new": "2"}


def test_what_is_not_given_stays_and_null_clears(cloud: RestSite) -> None:
    cloud.rest.at("2.2").post("/os-keypairs", {"keypair": {"name": "mine", "type": "ssh"}})
    server = cloud.boot(metadata={"k": "v"}, key_name="mine", user_data=TEXT)
    assert rebuild(cloud, server, "2.57").json["server"]["key_name"] == "mine"
    stored = cloud.conductor.get(server)
    assert (stored.metadata, stored.user_data) == ({"k": "v"}, TEXT)
    other = cloud.boot(key_name="mine", user_data=TEXT)
    found = rebuild(cloud, other, "2.57", key_name=None, user_data=None).json["server"]
    assert (found["key_name"], found["user_data"]) == (None, None)
    assert cloud.conductor.get(other).key_data is None


def test_an_unknown_key_pair_is_a_fault_of_the_request(cloud: RestSite) -> None:
    answer = rebuild(cloud, cloud.boot(), "2.54", key_name="unknown")
    assert answer.status_int == 400
    assert "Keypair unknown not found" in answer.text


def test_a_server_that_is_busy_or_locked_is_refused(cloud: RestSite) -> None:
    server = cloud.boot()
    assert rebuild(cloud, server).status_int == 202
    assert rebuild(cloud, server).status_int == 409
    locked = cloud.boot()
    cloud.admin.post(f"/servers/{locked}/action", {"lock": None})
    assert rebuild(cloud, locked).status_int == 409
