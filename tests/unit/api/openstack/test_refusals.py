"""Routes without a back end: they check requests, then name what is missing."""

from typing import Any

import pytest

from tests.fixtures.rest_site import IMAGE_ID, RestSite

VOLUME = {"volume": {"size": 1}}
SNAPSHOT = {"snapshot": {"volume_id": "v"}}
CELL = {"cell": {"name": "child"}}
CLOUDPIPE = {"cloudpipe": {}}
VPN = {"configure_project": {"vpn_ip": "10.0.0.1", "vpn_port": 1000}}

NOT_IMPLEMENTED = [
    ("GET", "/os-volumes", None),
    ("GET", "/os-volumes/detail", None),
    ("POST", "/os-volumes", VOLUME),
    ("POST", "/os-volumes", {"volume": {"size": "1"}}),
    ("GET", "/os-volumes/1", None),
    ("DELETE", "/os-volumes/1", None),
    ("GET", "/os-snapshots", None),
    ("GET", "/os-snapshots/detail", None),
    ("POST", "/os-snapshots", SNAPSHOT),
    ("GET", "/os-snapshots/1", None),
    ("DELETE", "/os-snapshots/1", None),
]
NOT_IMPLEMENTED_FOR_ADMIN = [
    ("GET", "/os-baremetal-nodes", None),
    ("GET", "/os-baremetal-nodes/1", None),
    ("GET", "/os-cells", None),
    ("POST", "/os-cells", CELL),
    ("GET", "/os-cells/capacities", None),
    ("GET", "/os-cells/detail", None),
    ("GET", "/os-cells/info", None),
    ("POST", "/os-cells/sync_instances", {}),
    ("GET", "/os-cells/1", None),
    ("PUT", "/os-cells/1", {"cell": {}}),
    ("DELETE", "/os-cells/1", None),
    ("GET", "/os-cells/1/capacities", None),
    ("GET", "/os-cloudpipe", None),
    ("POST", "/os-cloudpipe", CLOUDPIPE),
    ("PUT", "/os-cloudpipe/configure-project", VPN),
]
BAD = [
    ("POST", "/os-volumes", {"volume": {}}),
    ("POST", "/os-volumes", {"volume": {"size": -1}}),
    ("POST", "/os-volumes", {"volume": {"size": ""}}),
    ("POST", "/os-volumes", {"volume": {"size": 1, "odd": 1}}),
    ("POST", "/os-snapshots", {"snapshot": {}}),
    ("POST", "/os-snapshots", {"snapshot": {"volume_id": "v", "force": "perhaps"}}),
    ("POST", "/os-cells", {"cell": {}}),
    ("POST", "/os-cells", {"cell": {"name": "a.b"}}),
    ("PUT", "/os-cells/1", {"cell": {"rpc_port": 65536}}),
    ("PUT", "/os-cells/1", {"cell": {"type": "aunt"}}),
    ("POST", "/os-cells/sync_instances", {"deleted": "perhaps"}),
    ("POST", "/os-cells/sync_instances", {"updated_since": "soon"}),
    ("POST", "/os-cloudpipe", {"cloudpipe": {"project_id": "a/b"}}),
    ("PUT", "/os-cloudpipe/configure-project", {"configure_project": {"vpn_ip": "10.0.0.1"}}),
    ("POST", "/os-baremetal-nodes", {"node": {}}),
    ("DELETE", "/os-baremetal-nodes/1", None),
    ("POST", "/os-baremetal-nodes/1/action", {"add_interface": {}}),
    ("POST", "/os-baremetal-nodes/1/action", {"remove_interface": {}}),
    ("GET", "/os-volumes?limit=-1", None),
    ("GET", "/os-snapshots?offset=x", None),
]
Request = tuple[str, str, Any]


@pytest.mark.parametrize("request_", NOT_IMPLEMENTED)
def test_members_are_told_that_there_are_no_volumes(cloud: RestSite, request_: Request) -> None:
    answer = cloud.rest.request(*request_)
    assert (answer.status_int, list(answer.json)) == (501, ["notImplemented"])
    assert "volume service" in answer.json["notImplemented"]["message"]


@pytest.mark.parametrize("request_", NOT_IMPLEMENTED_FOR_ADMIN)
def test_administrators_are_told_what_is_missing(cloud: RestSite, request_: Request) -> None:
    assert cloud.rest.request(*request_).status_int == 403
    answer = cloud.admin.request(*request_)
    assert (answer.status_int, list(answer.json)) == (501, ["notImplemented"])


@pytest.mark.parametrize("request_", BAD)
def test_in_04_bad_requests_are_refused_first(cloud: RestSite, request_: Request) -> None:
    answer = cloud.admin.request(*request_)
    assert (answer.status_int, list(answer.json)) == (400, ["badRequest"])


@pytest.mark.parametrize("path", ["/os-volumes", "/os-snapshots/1", "/os-baremetal-nodes"])
def test_proxies_end_with_2_35(cloud: RestSite, path: str) -> None:
    assert cloud.admin.at("2.35").get(path).status_int == 501
    assert cloud.admin.at("2.36").get(path).status_int == 404


ATTACHMENT = {"volumeAttachment": {"volumeId": IMAGE_ID}}
SHARE = {"share": {"share_id": IMAGE_ID}}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "os-volume_attachments", None, 200),
        ("GET", "os-volume_attachments?limit=1&offset=2", None, 200),
        ("POST", "os-volume_attachments", ATTACHMENT, 501),
        ("GET", f"os-volume_attachments/{IMAGE_ID}", None, 404),
        ("PUT", f"os-volume_attachments/{IMAGE_ID}", ATTACHMENT, 404),
        ("DELETE", f"os-volume_attachments/{IMAGE_ID}", None, 404),
        ("GET", "shares", None, 200),
        ("POST", "shares", SHARE, 501),
        ("GET", f"shares/{IMAGE_ID}", None, 404),
        ("DELETE", f"shares/{IMAGE_ID}", None, 404),
    ],
)
def test_parts_that_no_server_has(
    cloud: RestSite, method: str, path: str, body: Any, status: int
) -> None:
    server = cloud.boot()
    owner = cloud.rest.at("2.97")
    assert owner.request(method, f"/servers/{server}/{path}", body).status_int == status
    stranger = owner.as_user("mallory", "b" * 32)
    for rest, uuid in ((owner, IMAGE_ID), (owner, "odd"), (stranger, server)):
        answer = rest.request(method, f"/servers/{uuid}/{path}", body)
        assert (answer.status_int, list(answer.json)) == (404, ["itemNotFound"])


def test_lists_of_what_no_server_has_are_empty(cloud: RestSite) -> None:
    server, rest = cloud.boot(), cloud.rest.at("2.97")
    assert rest.get(f"/servers/{server}/os-volume_attachments").json == {"volumeAttachments": []}
    assert rest.get(f"/servers/{server}/shares").json == {"shares": []}


@pytest.mark.parametrize(
    ("version", "path", "body"),
    [
        ("2.1", "os-volume_attachments", {"volumeAttachment": {}}),
        ("2.1", "os-volume_attachments", {"volumeAttachment": {"volumeId": "v"}}),
        ("2.48", "os-volume_attachments", {"volumeAttachment": {"volumeId": IMAGE_ID, "tag": "t"}}),
        (
            "2.78",
            "os-volume_attachments",
            {"volumeAttachment": {"volumeId": IMAGE_ID, "delete_on_termination": True}},
        ),
        (
            "2.1",
            "os-volume_attachments",
            {"volumeAttachment": {"volumeId": IMAGE_ID, "device": "x"}},
        ),
        ("2.97", "shares", {"share": {}}),
        ("2.97", "shares", {"share": {"share_id": IMAGE_ID, "tag": "a b"}}),
    ],
)
def test_in_04_bad_bodies_of_parts(cloud: RestSite, version: str, path: str, body: Any) -> None:
    server = cloud.boot()
    assert cloud.rest.at(version).post(f"/servers/{server}/{path}", body).status_int == 400


def test_another_volume_is_for_the_volume_service_to_ask_for(cloud: RestSite) -> None:
    server, other = cloud.boot(), "22222222-2222-3333-4444-555555555555"
    path = f"/servers/{server}/os-volume_attachments/{other}"
    stranger = cloud.rest.as_user("mallory", "b" * 32)
    assert cloud.rest.at("2.85").put(path, ATTACHMENT).status_int == 403
    assert (
        cloud.rest.at("2.84").put(path, {"volumeAttachment": {"volumeId": other}}).status_int == 403
    )
    assert (
        stranger.at("2.85").put(path, {"volumeAttachment": {"volumeId": other}}).status_int == 404
    )
    assert cloud.admin.put(path, ATTACHMENT).status_int == 404


def test_the_other_name_of_servers(cloud: RestSite) -> None:
    body = {"server": {"name": "web", "flavorRef": "1", "imageRef": IMAGE_ID}}
    answer = cloud.rest.post("/os-volumes_boot", body)
    assert answer.status_int == 202
    server = cloud.boot()
    alias = f"/os-volumes_boot/{server}"
    assert cloud.rest.get(alias).json == cloud.rest.get(f"/servers/{server}").json
    for path in ("", "/detail"):
        assert (
            cloud.rest.get(f"/os-volumes_boot{path}").json == cloud.rest.get(f"/servers{path}").json
        )
    assert cloud.rest.put(alias, {"server": {"name": "new"}}).json["server"]["name"] == "new"
    assert cloud.rest.post(f"{alias}/action", {"os-stop": None}).status_int == 202
    assert cloud.rest.post(f"{alias}/action", {"os-getConsoleOutput": {}}).status_int == 400
    assert cloud.rest.delete(alias).status_int == 204
