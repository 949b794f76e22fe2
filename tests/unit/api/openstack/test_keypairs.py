import pytest

from nova.api.core import keys
from tests.unit.api.openstack.conftest import Api

KEY = keys.generate_ssh().public_key
COMMON = {"name", "public_key", "fingerprint"}


def _import(api: Api, name: str = "k1", version: str = "2.1") -> dict[str, object]:
    answer = api.rest.at(version).post(
        "/os-keypairs", {"keypair": {"name": name, "public_key": KEY}}
    )
    assert answer.status_int in (200, 201)
    body: dict[str, object] = answer.json["keypair"]
    return body


@pytest.mark.parametrize(
    ("version", "status", "fields"),
    [
        ("2.1", 200, COMMON | {"user_id"}),
        ("2.2", 201, COMMON | {"user_id", "type"}),
        ("2.92", 201, COMMON | {"user_id", "type"}),
    ],
)
def test_import_by_version(api: Api, version: str, status: int, fields: set[str]) -> None:
    answer = api.rest.at(version).post(
        "/os-keypairs", {"keypair": {"name": "k", "public_key": KEY}}
    )
    assert answer.status_int == status
    assert set(answer.json["keypair"]) == fields


def test_a_generated_key_is_returned_once_until_2_91(api: Api) -> None:
    answer = api.rest.at("2.91").post("/os-keypairs", {"keypair": {"name": "k"}})
    assert "PRIVATE KEY" in answer.json["keypair"]["private_key"]
    assert "private_key" not in api.rest.at("2.91").get("/os-keypairs/k").json["keypair"]
    assert api.rest.at("2.92").post("/os-keypairs", {"keypair": {"name": "l"}}).status_int == 400


def test_private_keys_never_reach_the_conductor(api: Api) -> None:
    api.rest.post("/os-keypairs", {"keypair": {"name": "k"}})
    assert api.keypairs.keypairs["alice", "k"].private_key is None


def test_x509_keys_are_generated_and_imported(api: Api) -> None:
    rest = api.rest.at("2.2")
    made = rest.post("/os-keypairs", {"keypair": {"name": "w", "type": "x509"}}).json["keypair"]
    assert made["type"] == "x509" and "PRIVATE KEY" in made["private_key"]
    body = {"keypair": {"name": "v", "type": "x509", "public_key": made["public_key"]}}
    assert rest.post("/os-keypairs", body).status_int == 201
    assert api.rest.post("/os-keypairs", body).status_int == 400


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a@b.c", 400, 201),
        ("a/b", 400, 400),
        (" a", 400, 400),
        ("a\n", 400, 400),
        ("ok_1 -", 201, 201),
    ],
)
def test_names_by_version(api: Api, name: str, before: int, after: int) -> None:
    body = {"keypair": {"name": name, "public_key": KEY}}
    assert api.rest.at("2.91").post("/os-keypairs", body).status_int == before
    api.keypairs.keypairs.clear()
    assert api.rest.at("2.92").post("/os-keypairs", body).status_int == after


def test_inj_04_two_lines_are_no_key(api: Api) -> None:
    body = {"keypair": {"name": "k", "public_key": f"{KEY}\n{KEY}"}}
    assert api.rest.post("/os-keypairs", body).status_int == 400


def test_doubles_are_409(api: Api) -> None:
    _import(api)
    body = {"keypair": {"name": "k1", "public_key": KEY}}
    assert api.rest.post("/os-keypairs", body).status_int == 409


def test_list_wraps_each_key(api: Api) -> None:
    _import(api)
    assert set(api.rest.get("/os-keypairs").json["keypairs"][0]["keypair"]) == COMMON
    found = api.rest.at("2.2").get("/os-keypairs").json["keypairs"][0]["keypair"]
    assert set(found) == COMMON | {"type"}


def test_show_has_the_row_besides(api: Api) -> None:
    _import(api)
    found = api.rest.get("/os-keypairs/k1").json["keypair"]
    assert set(found) == COMMON | {
        "user_id",
        "id",
        "created_at",
        "updated_at",
        "deleted",
        "deleted_at",
    }
    assert (found["deleted"], found["deleted_at"], found["updated_at"]) == (False, None, None)
    assert found["created_at"] == "2026-01-02T03:04:05.678901"


def test_paging_begins_with_2_35(api: Api) -> None:
    for name in ("c", "a", "b"):
        _import(api, name)
    rest = api.rest.at("2.35")
    first = rest.get("/os-keypairs?limit=2").json
    assert [entry["keypair"]["name"] for entry in first["keypairs"]] == ["a", "b"]
    assert first["keypairs_links"][0]["href"].endswith("/v2.1/os-keypairs?limit=2&marker=b")
    second = rest.get("/os-keypairs?limit=2&marker=b").json
    assert [entry["keypair"]["name"] for entry in second["keypairs"]] == ["c"]
    assert "keypairs_links" not in second
    assert rest.get("/os-keypairs?marker=none").status_int == 400
    assert len(api.rest.get("/os-keypairs?limit=1").json["keypairs"]) == 3


def test_delete_by_version(api: Api) -> None:
    _import(api, "a")
    _import(api, "b")
    assert api.rest.delete("/os-keypairs/a").status_int == 202
    assert api.rest.at("2.2").delete("/os-keypairs/b").status_int == 204
    assert api.rest.delete("/os-keypairs/b").status_int == 404


def test_az_02_keys_of_others_are_for_administrators(api: Api) -> None:
    _import(api)
    bob, admin = api.rest.at("2.10").as_user("bob"), api.rest.at("2.10").as_admin()
    for path in ("/os-keypairs?user_id=alice", "/os-keypairs/k1?user_id=alice"):
        assert bob.get(path).status_int == 403
        assert admin.get(path).status_int == 200
    assert bob.get("/os-keypairs/k1").status_int == 404
    assert bob.delete("/os-keypairs/k1?user_id=alice").status_int == 403
    body = {"keypair": {"name": "evil", "public_key": KEY, "user_id": "alice"}}
    assert bob.post("/os-keypairs", body).status_int == 403
    assert admin.post("/os-keypairs", body).status_int == 201


def test_in_04_unknown_query_keys_are_refused_from_2_75(api: Api) -> None:
    assert api.rest.at("2.74").get("/os-keypairs?x=1").status_int == 200
    assert api.rest.at("2.75").get("/os-keypairs?x=1").status_int == 400


def test_one_conductor_call_per_request(api: Api) -> None:
    _import(api)
    api.bus.calls.clear()
    api.rest.get("/os-keypairs")
    api.rest.get("/os-keypairs/k1")
    api.rest.delete("/os-keypairs/k1")
    assert [call.method for call in api.bus.calls] == ["page", "get", "delete"]
