"""The old mounts: the same routes at version 2.0, without microversions, forgiving.

Source: api-conventions section 10.
"""

from typing import Any

import pytest

from nova.api.openstack import legacy
from nova.api.openstack.schema import Json
from nova.api.openstack.schema_types import NAME
from tests.fixtures.rest import PROJECT
from tests.fixtures.rest_site import IMAGE_ID, RestSite
from tests.unit.api.openstack.conftest import Api

OLD = {
    "id": "v2.0",
    "status": "DEPRECATED",
    "version": "",
    "min_version": "",
    "updated": "2025-07-04T12:00:00Z",
}


@pytest.mark.parametrize("mount", ["/v2", "/v1.1"])
@pytest.mark.parametrize(
    "path", ["", "/", f"/{PROJECT}", f"/{PROJECT}/", "/versions/v2.0", "/versions/v2.1"]
)
def test_old_mounts_have_the_old_document(api: Api, mount: str, path: str) -> None:
    answer = api.rest.get(f"/{mount}{path}", X_Auth_Token="")
    assert answer.status_int == 200
    assert answer.json["version"].items() >= OLD.items()
    assert answer.json["version"]["links"][0]["href"] == "http://cloud.example:8774/v2/"


def test_the_old_version_is_listed_first_and_found_by_id(api: Api) -> None:
    listed = api.rest.get("//").json["versions"]
    assert [document["id"] for document in listed] == ["v2.0", "v2.1"]
    assert listed[0].items() >= OLD.items()
    assert api.rest.get("/versions/v2.0").json["version"].items() >= OLD.items()


@pytest.mark.parametrize("mount", ["/v2", "/v1.1"])
def test_versions_asked_for_are_ignored_and_none_is_told(api: Api, mount: str) -> None:
    for version in ("2.30", "9.9", "nonsense"):
        answer = api.rest.at(version).get(f"/{mount}/extensions")
        assert answer.status_int == 200
        assert not {"OpenStack-API-Version", "X-OpenStack-Nova-API-Version", "Vary"} & set(
            answer.headers
        )


def test_extensions_are_one_more(api: Api) -> None:
    listed = [entry["alias"] for entry in api.rest.get("//v2/extensions").json["extensions"]]
    assert len(listed) == 100 and "OS-EXT-VIF-NET" in listed
    assert len(api.rest.get("/extensions").json["extensions"]) == 99
    assert api.rest.get("//v2/extensions/OS-EXT-VIF-NET").status_int == 200
    assert api.rest.get("/extensions/OS-EXT-VIF-NET").status_int == 404


def test_the_project_in_the_path_must_be_that_of_the_token(api: Api) -> None:
    assert api.rest.get(f"//v2/{PROJECT}/extensions").status_int == 200
    assert api.rest.get(f"//v2/{'b' * 32}/extensions").status_int == 400


def test_routes_of_later_versions_are_not_there(cloud: RestSite) -> None:
    server = cloud.boot()
    assert cloud.rest.get(f"//v2/servers/{server}/tags").status_int == 404
    assert cloud.rest.get("//v2/os-networks").status_int == 200


def test_a_server_looks_as_in_the_base_version_but_for_its_links(cloud: RestSite) -> None:
    server = cloud.boot()
    old = cloud.rest.get(f"//v2/{PROJECT}/servers/{server}").json["server"]
    new = cloud.rest.get(f"/{PROJECT}/servers/{server}").json["server"]
    links, new_links = old.pop("links"), new.pop("links")
    assert old == new
    assert links[0]["href"] == new_links[0]["href"].replace("/v2.1/", "/v2/")
    assert links[1] == new_links[1]


def _create(cloud: RestSite, mount: str, more: dict[str, Any] | None = None, **server: Any) -> Any:
    body = {"name": "web", "flavorRef": "1", "imageRef": IMAGE_ID, **server}
    return cloud.rest.post(f"/{mount}/servers", {"server": body, **(more or {})})


@pytest.mark.parametrize(
    ("server", "current"),
    [({"odd": 1}, 400), ({"name": "  web "}, 400), ({"user_data": None}, 400), ({}, 202)],
)
def test_creation_is_forgiving_at_the_old_mount_only(
    cloud: RestSite, server: dict[str, Any], current: int
) -> None:
    assert _create(cloud, "/v2.1", **server).status_int == current
    answer = _create(cloud, "/v2", **server)
    assert answer.status_int == 202, answer.text
    shown = cloud.rest.get(f"/servers/{answer.json['server']['id']}").json["server"]
    assert shown["name"] == "web"


def test_unknown_keys_beside_the_server_are_dropped(cloud: RestSite) -> None:
    assert _create(cloud, "/v2", {"odd": {}}).status_int == 202
    assert _create(cloud, "/v2.1", {"odd": {}}).status_int == 400


def test_a_body_of_unknown_keys_only_is_refused(cloud: RestSite) -> None:
    assert cloud.rest.post("//v2/servers", {"odd": 1}).status_int == 400
    server = cloud.boot()
    answer = cloud.rest.put(f"//v2/servers/{server}", {"server": {"odd": 1}})
    assert answer.status_int == 400


def test_later_fields_are_unknown_keys(cloud: RestSite) -> None:
    answer = _create(cloud, "/v2", description="d", tags=["t"])
    assert answer.status_int == 202
    shown = cloud.rest.at("2.26").get(f"/servers/{answer.json['server']['id']}").json["server"]
    assert (shown["description"], shown["tags"]) == ("web", [])


def test_names_that_are_only_spaces_are_refused(cloud: RestSite) -> None:
    assert _create(cloud, "/v2", name="   ").status_int == 400


def test_names_of_keys_may_be_any_and_codes_are_old(cloud: RestSite) -> None:
    body = {"keypair": {"name": " a/b@c "}}
    assert cloud.rest.post("/os-keypairs", body).status_int == 400
    answer = cloud.rest.post("//v2/os-keypairs", body)
    assert (answer.status_int, answer.json["keypair"]["name"]) == (200, "a/b@c")
    cloud.rest.post("//v2/os-keypairs", {"keypair": {"name": "k"}})
    assert cloud.rest.delete("//v2/os-keypairs/k").status_int == 202


def test_next_pages_stay_at_the_mount(cloud: RestSite) -> None:
    cloud.boot()
    cloud.boot()
    page = cloud.rest.get("//v1.1/servers?limit=1").json
    assert page["servers_links"][0]["href"].startswith("http://cloud.example:8774/v1.1/servers?")


SCHEMA: Json = {
    "type": "object",
    "properties": {
        "name": NAME,
        "list": {"type": "array", "items": {"anyOf": [{"type": "null"}, {
            "type": "object", "properties": {"a": NAME}, "additionalProperties": False}]}},
        "maybe": {"anyOf": [NAME, {"type": "null"}]},
        "open": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"name": " n ", "odd": 1}, {"name": "n"}),
        ({"odd": 1}, {"odd": 1}),
        ({}, {}),
        ({"x-a": " y ", "odd": 1}, {"x-a": " y "}),
        ({"open": {"any": " s "}}, {"open": {"any": " s "}}),
        ({"maybe": " z "}, {"maybe": "z"}),
        ({"maybe": None}, {"maybe": None}),
        ({"list": [{"a": " b ", "odd": 1}, None]}, {"list": [{"a": "b"}, None]}),
        ("text", "text"),
        (None, None),
    ],
)
def test_what_is_left_of_a_body(given: object, left: object) -> None:
    assert legacy.forgiven(SCHEMA, given) == left
