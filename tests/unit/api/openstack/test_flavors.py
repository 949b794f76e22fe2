"""Flavors over the real conductor."""

import pytest

from tests.fixtures.conductor import seed_flavor
from tests.fixtures.rest_site import RestSite

BASE = {
    "id", "name", "ram", "vcpus", "disk", "swap", "links", "OS-FLV-EXT-DATA:ephemeral",
    "OS-FLV-DISABLED:disabled", "os-flavor-access:is_public", "rxtx_factor",
}  # fmt: skip


def _ids(cloud: RestSite, query: str = "", admin: bool = False, version: str = "2.1") -> list[str]:
    rest = (cloud.admin if admin else cloud.rest).at(version)
    answer = rest.get(f"/flavors{query}")
    assert answer.status_int == 200, answer.text
    return [flavor["id"] for flavor in answer.json["flavors"]]


def _create(cloud: RestSite, version: str = "2.1", **changes: object):
    body = {"name": "new", "id": "n", "ram": 64, "vcpus": 1, "disk": 0, **changes}
    return cloud.admin.at(version).post("/flavors", {"flavor": body})


@pytest.mark.parametrize(
    ("version", "more"),
    [
        ("2.1", set()),
        ("2.54", set()),
        ("2.55", {"description"}),
        ("2.60", {"description"}),
        ("2.61", {"description", "extra_specs"}),
        ("2.96", {"description", "extra_specs"}),
    ],
)
def test_fields_by_version(cloud: RestSite, version: str, more: set[str]) -> None:
    rest = cloud.rest.at(version)
    assert set(rest.get("/flavors/1").json["flavor"]) == BASE | more
    assert set(rest.get("/flavors/detail").json["flavors"][0]) == BASE | more
    listed = rest.get("/flavors").json["flavors"][0]
    assert set(listed) == {"id", "name", "links"} | (more & {"description"})
    assert set(_create(cloud, version).json["flavor"]) == BASE | more


def test_values_and_links(cloud: RestSite) -> None:
    found = cloud.rest.get("/flavors/1").json["flavor"]
    assert found == {
        "id": "1",
        "name": "small",
        "ram": 512,
        "vcpus": 1,
        "disk": 2,
        "swap": "",
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.0,
        "links": [
            {"rel": "self", "href": "http://cloud.example:8774/v2.1/flavors/1"},
            {"rel": "bookmark", "href": "http://cloud.example:8774/flavors/1"},
        ],
    }


@pytest.mark.parametrize(("version", "swap"), [("2.74", ""), ("2.75", 0)])
def test_no_swap_is_an_empty_text_before_2_75(cloud: RestSite, version: str, swap: object) -> None:
    assert cloud.rest.at(version).get("/flavors/1").json["flavor"]["swap"] == swap
    assert _create(cloud, version, swap="512").json["flavor"]["swap"] == 512


def test_order_filters_and_pages(cloud: RestSite) -> None:
    for number, ram in enumerate((900, 100, 500)):
        seed_flavor(
            cloud.conductor, flavorid=f"b{number}", name=f"n{2 - number}", memory_mb=ram, root_gb=0
        )
    assert _ids(cloud) == ["1", "b0", "b1", "b2"]
    assert _ids(cloud, "?sort_key=memory_mb&sort_dir=desc") == ["b0", "1", "b2", "b1"]
    assert _ids(cloud, "?sort_key=name") == ["b2", "b1", "b0", "1"]
    assert _ids(cloud, "?minRam=500") == ["1", "b0", "b2"]
    assert _ids(cloud, "?minDisk=1") == ["1"]
    assert _ids(cloud, "?marker=b0") == ["b1", "b2"]
    assert _ids(cloud, "?limit=0") == []
    page = cloud.rest.get("/flavors?limit=2&minRam=1").json
    assert page["flavors_links"] == [
        {
            "rel": "next",
            "href": "http://cloud.example:8774/v2.1/flavors?limit=2&marker=b0&minRam=1",
        }
    ]
    assert "flavors_links" not in cloud.rest.get("/flavors?limit=9").json


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(
    "key",
    [
        "created_at", "description", "disabled", "ephemeral_gb", "flavorid", "id", "is_public",
        "memory_mb", "name", "root_gb", "rxtx_factor", "swap", "updated_at", "vcpu_weight",
        "vcpus",
    ],
)  # fmt: skip
def test_every_sort_key_pages_through_all(cloud: RestSite, key: str, direction: str) -> None:
    for number in range(3):
        assert _create(cloud, "2.55", id=f"f{number}", name=f"f{number}").status_int == 200
    cloud.admin.at("2.55").put("/flavors/f1", {"flavor": {"description": "d"}})
    query = f"?sort_key={key}&sort_dir={direction}&limit=1"
    seen: list[str] = []
    while page := _ids(cloud, query + (f"&marker={seen[-1]}" if seen else "")):
        seen += page
    assert sorted(seen) == ["1", "f0", "f1", "f2"]


@pytest.mark.parametrize(
    "query",
    [
        "?minRam=x", "?minDisk=1.5", "?marker=none", "?limit=-1", "?limit=x", "?sort_key=secret",
        "?sort_dir=up", "?minRam=99999999999",
    ],
)  # fmt: skip
def test_bad_queries_are_400(cloud: RestSite, query: str) -> None:
    for path in ("/flavors", "/flavors/detail"):
        assert cloud.rest.get(path + query).status_int == 400


def test_in_04_unknown_parameters_are_refused_from_2_75(cloud: RestSite) -> None:
    assert cloud.rest.at("2.74").get("/flavors?x=1").status_int == 200
    assert cloud.rest.at("2.75").get("/flavors?x=1").status_int == 400


def test_az_05_private_flavors_are_for_those_with_access(cloud: RestSite) -> None:
    seed_flavor(cloud.conductor, flavorid="p", name="private", is_public=False)
    assert _ids(cloud) == ["1"]
    assert _ids(cloud, "?is_public=false") == _ids(cloud, "?is_public=None") == ["1"]
    assert cloud.rest.get("/flavors/p").status_int == 404
    assert cloud.rest.get("/flavors/p/os-extra_specs").status_int == 404
    for marker in ("p", "unknown"):
        answer = cloud.rest.get(f"/flavors?marker={marker}")
        assert answer.status_int == 400
        assert answer.json["badRequest"]["message"] == f"Marker {marker} could not be found."
    body = {"addTenantAccess": {"tenant": cloud.rest.project}}
    assert cloud.admin.post("/flavors/p/action", body).status_int == 200
    assert _ids(cloud) == ["1", "p"]
    assert cloud.rest.get("/flavors/p").status_int == 200


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["1"]),
        ("?is_public=None", ["1", "p"]),
        ("?is_public=NONE", ["1", "p"]),
        ("?is_public=false", ["p"]),
        ("?is_public=True", ["1"]),
    ],
)
def test_administrators_choose_what_is_public(cloud: RestSite, query: str, ids: list[str]) -> None:
    seed_flavor(cloud.conductor, flavorid="p", name="private", is_public=False)
    assert _ids(cloud, query, admin=True) == ids


def test_a_bad_is_public_is_400_for_administrators(cloud: RestSite) -> None:
    assert cloud.admin.get("/flavors?is_public=maybe").status_int == 400
    assert cloud.rest.get("/flavors?is_public=maybe").status_int == 200


def test_names_where_ids_are_expected_are_404(cloud: RestSite) -> None:
    assert cloud.rest.get("/flavors/small").status_int == 404
    assert cloud.admin.delete("/flavors/small").status_int == 404


def test_create_fills_in_defaults(cloud: RestSite) -> None:
    body = {"flavor": {"name": "x", "ram": "64", "vcpus": "2", "disk": "0"}}
    made = cloud.admin.post("/flavors", body).json["flavor"]
    assert len(made.pop("id")) == 36
    assert made["ram"] == 64 and made["vcpus"] == 2 and made["disk"] == 0
    assert made["OS-FLV-EXT-DATA:ephemeral"] == 0 and made["rxtx_factor"] == 1.0
    assert made["os-flavor-access:is_public"] is True and made["swap"] == ""


@pytest.mark.parametrize("given", [None, "auto"])
def test_an_id_is_made(cloud: RestSite, given: object) -> None:
    assert len(_create(cloud, id=given).json["flavor"]["id"]) == 36


@pytest.mark.parametrize(("given", "stored"), [(42, "42"), ("a b.C_-", "a b.C_-"), (1.5, "1.5")])
def test_ids_are_texts(cloud: RestSite, given: object, stored: str) -> None:
    assert _create(cloud, id=given).json["flavor"]["id"] == stored
    assert cloud.rest.get(f"/flavors/{stored}").status_int == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""}, {"name": " x"}, {"name": "x" * 256}, {"name": 1}, {"name": "a\nb"},
        {"id": ""}, {"id": " a"}, {"id": "a/b"}, {"id": True}, {"id": 10**300}, {"id": 1e308},
        {"ram": 0}, {"ram": 2**31}, {"ram": "2147483648"}, {"ram": 1.5}, {"ram": None},
        {"vcpus": 0}, {"vcpus": "x"}, {"disk": -1}, {"swap": -1},
        {"OS-FLV-EXT-DATA:ephemeral": "-1"}, {"rxtx_factor": 0}, {"rxtx_factor": "0"},
        {"rxtx_factor": -1}, {"rxtx_factor": "x"}, {"rxtx_factor": "9" * 40},
        {"os-flavor-access:is_public": "maybe"}, {"unknown": 1}, {"description": "early"},
    ],
)  # fmt: skip
def test_in_04_bad_bodies_are_400(cloud: RestSite, changes: dict[str, object]) -> None:
    assert _create(cloud, **changes).status_int == 400
    assert _ids(cloud, "?is_public=None", admin=True) == ["1"]


@pytest.mark.parametrize("missing", ["name", "ram", "vcpus", "disk"])
def test_required_keys(cloud: RestSite, missing: str) -> None:
    body = {"name": "x", "ram": 1, "vcpus": 1, "disk": 1}
    del body[missing]
    answer = cloud.admin.post("/flavors", {"flavor": body})
    assert answer.status_int == 400 and missing in answer.text


def test_doubles_are_409(cloud: RestSite) -> None:
    assert _create(cloud, name="small").status_int == 409
    assert _create(cloud, id="1").status_int == 409


def test_only_the_description_changes_from_2_55(cloud: RestSite) -> None:
    body = {"flavor": {"description": "large"}}
    assert cloud.admin.at("2.54").put("/flavors/1", body).status_int == 404
    shown = cloud.admin.at("2.55").put("/flavors/1", body).json["flavor"]
    assert set(shown) == BASE | {"description"} and shown["description"] == "large"
    rest = cloud.admin.at("2.61")
    assert "extra_specs" in rest.put("/flavors/1", body).json["flavor"]
    assert rest.put("/flavors/1", {"flavor": {"description": None}}).status_int == 200
    assert rest.get("/flavors/1").json["flavor"]["description"] is None
    assert rest.put("/flavors/none", body).status_int == 404
    for bad in ({"name": "x"}, {}, {"description": "x" * 65536}, {"description": 1}):
        assert rest.put("/flavors/1", {"flavor": bad}).status_int == 400


def test_delete(cloud: RestSite) -> None:
    server = cloud.boot()
    answer = cloud.admin.delete("/flavors/1")
    assert answer.status_int == 202 and answer.body == b""
    assert cloud.admin.delete("/flavors/1").status_int == 404
    shown = cloud.rest.at("2.47").get(f"/servers/{server}").json["server"]["flavor"]
    assert shown["original_name"] == "small" and shown["ram"] == 512


def test_az_07_writing_is_for_administrators(cloud: RestSite) -> None:
    rest = cloud.rest.at("2.55")
    body = {"flavor": {"name": "x", "ram": 1, "vcpus": 1, "disk": 1}}
    assert rest.post("/flavors", body).status_int == 403
    assert rest.put("/flavors/1", {"flavor": {"description": "x"}}).status_int == 403
    assert rest.delete("/flavors/1").status_int == 403


def test_one_conductor_call_each(cloud: RestSite) -> None:
    cloud.bus.calls.clear()
    for path in ("/flavors", "/flavors/detail", "/flavors/1"):
        cloud.rest.get(path)
    assert len(cloud.bus.calls) == 3
