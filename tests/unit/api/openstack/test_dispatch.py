import uuid

import pytest

from nova.api.openstack.router import Router
from nova.api.openstack.servers import servers
from tests.fixtures.rest import OTHER_PROJECT
from tests.unit.api.openstack.conftest import Api


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/none"),
        ("PATCH", "/servers"),
        ("HEAD", "/servers"),
        ("DELETE", "/servers"),
        ("GET", "/servers/a/b/c/d"),
        ("GET", "/not-hex/servers"),
    ],
)
def test_unknown_paths_and_methods_are_404_without_fault(api: Api, method: str, path: str) -> None:
    answer = api.rest.request(method, path)
    assert answer.status_int == 404
    assert answer.content_type == "text/plain"


def test_a_path_that_is_no_utf_8_is_404(api: Api) -> None:
    assert api.rest.get("/servers/%ff").status_int == 404


def test_a_query_that_is_no_utf_8_is_400(api: Api) -> None:
    assert api.rest.get("/servers?name=%ff").status_int == 400


def test_a_route_outside_its_versions_is_404_with_fault(api: Api) -> None:
    server = api.instances.add(api.rest.project)
    answer = api.rest.at("2.25").get(f"/servers/{server.uuid}/tags")
    assert (answer.status_int, list(answer.json)) == (404, ["itemNotFound"])
    assert api.rest.at("2.26").get(f"/servers/{server.uuid}/tags").status_int == 200


def test_paths_work_with_and_without_project(api: Api) -> None:
    assert api.rest.get(f"/{api.rest.project}/servers").status_int == 200
    assert api.rest.get("/servers").status_int == 200
    assert api.rest.get("/servers/").status_int == 200


def test_az_01_a_foreign_project_in_the_path_is_400_on_every_route(api: Api) -> None:
    for route in servers.routes:
        path = route.path.replace("{id}", str(uuid.uuid4()))
        body = {} if route.body is not None else None
        answer = api.rest.request(route.method, f"/{OTHER_PROJECT}{path}", body)
        assert answer.status_int == 400, route.path
        assert "Malformed request URL" in answer.json["badRequest"]["message"]


def test_az_01_administrators_are_held_to_their_project_too(api: Api) -> None:
    assert api.rest.as_admin().get(f"/{api.rest.project}/servers").status_int == 400


@pytest.mark.parametrize("kind", ["application/xml", "text/html", "application/octet-stream"])
def test_other_content_types_are_415(api: Api, kind: str) -> None:
    answer = api.rest.post("/servers", b"<server/>", Content_Type=kind)
    assert (answer.status_int, list(answer.json)) == (415, ["badMediaType"])


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "application/vnd.openstack.compute+json",
    ],
)
def test_json_content_types_are_read(api: Api, kind: str) -> None:
    answer = api.rest.post("/os-keypairs", b'{"keypair": {"name": "k"}}', Content_Type=kind)
    assert answer.status_int == 200


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b"null", b'"x"', b"[" * 50000])
def test_bad_bodies_are_400(api: Api, body: bytes) -> None:
    answer = api.rest.post("/servers", body)
    assert (answer.status_int, list(answer.json)) == (400, ["badRequest"])


@pytest.mark.parametrize(
    "body", [{}, {"a": 1, "b": 2}, {"no-such-action": None}, [], None, {"os-start": None, "x": 1}]
)
def test_bad_action_bodies_are_400(api: Api, body: object) -> None:
    server = api.instances.add(api.rest.project)
    answer = api.rest.post(f"/servers/{server.uuid}/action", b"null" if body is None else body)
    assert answer.status_int == 400


def test_an_unknown_action_is_named(api: Api) -> None:
    answer = api.rest.post(f"/servers/{uuid.uuid4()}/action", {"fly": None})
    assert "fly" in answer.json["badRequest"]["message"]


def test_schema_comes_before_lookup_and_lookup_before_nothing(api: Api) -> None:
    rest = api.rest
    missing = f"/servers/{uuid.uuid4()}"
    assert rest.put(missing, {"server": {"nme": "x"}}).status_int == 400
    assert rest.put(missing, {"server": {"name": "x"}}).status_int == 404


def test_nul_in_a_path_is_404(api: Api) -> None:
    assert api.rest.get("/os-keypairs/%00").status_int == 404


def test_literal_parts_of_a_path_go_before_variable_ones(api: Api) -> None:
    router = Router(servers.routes)
    match = router.find("GET", "/v2.1/servers/detail")
    assert match is not None and match.routes[0].path == "/servers/detail"


def test_bodies_of_get_and_delete_are_ignored(api: Api) -> None:
    server = api.instances.add(api.rest.project)
    assert api.rest.request("GET", f"/servers/{server.uuid}", b"{{{").status_int == 200
    assert api.rest.request("DELETE", f"/servers/{server.uuid}", b"{{{").status_int == 204


def test_empty_answers_have_the_right_headers(api: Api) -> None:
    server = api.instances.add(api.rest.project)
    answer = api.rest.post(f"/servers/{server.uuid}/action", {"os-stop": None})
    assert (answer.status_int, answer.body) == (202, b"")
    assert answer.headers["Content-Length"] == "0"
    assert answer.content_type == "application/json"
    answer = api.rest.delete(f"/servers/{server.uuid}")
    assert (answer.status_int, answer.body) == (204, b"")
    assert "Content-Type" not in answer.headers
