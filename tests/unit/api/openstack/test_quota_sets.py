"""Quota sets over the real conductor."""

import pytest

from tests.fixtures.rest import OTHER_PROJECT, PROJECT
from tests.fixtures.rest_site import RestSite

ALWAYS = {
    "instances", "cores", "ram", "metadata_items", "key_pairs", "server_groups",
    "server_group_members",
}  # fmt: skip
FILES = {"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"}
NETWORK = {"floating_ips", "fixed_ips", "security_groups", "security_group_rules"}
OWN = f"/os-quota-sets/{PROJECT}"
BY_VERSION = [
    ("2.1", ALWAYS | FILES | NETWORK),
    ("2.35", ALWAYS | FILES | NETWORK),
    ("2.36", ALWAYS | FILES),
    ("2.56", ALWAYS | FILES),
    ("2.57", ALWAYS),
    ("2.96", ALWAYS),
]


def _put(cloud: RestSite, limits: object, version: str = "2.1", query: str = ""):
    return cloud.admin.at(version).put(f"{OWN}{query}", {"quota_set": limits})


@pytest.mark.parametrize(("version", "names"), BY_VERSION)
def test_resources_by_version(cloud: RestSite, version: str, names: set[str]) -> None:
    rest = cloud.rest.at(version)
    for path in (OWN, f"{OWN}/defaults", f"{OWN}/detail"):
        found = rest.get(path).json["quota_set"]
        assert set(found) == names | {"id"} and found["id"] == PROJECT
    assert set(_put(cloud, {"cores": 30}, version).json["quota_set"]) == names
    for name in ALWAYS | FILES | NETWORK:
        expected = 200 if name in names else 400
        assert _put(cloud, {name: 50000}, version).status_int == expected, name


def test_default_values(cloud: RestSite) -> None:
    assert cloud.rest.get(OWN).json["quota_set"] == {
        "id": PROJECT,
        "instances": 10,
        "cores": 20,
        "ram": 51200,
        "metadata_items": 128,
        "key_pairs": 100,
        "injected_files": 5,
        "injected_file_content_bytes": 10240,
        "injected_file_path_bytes": 255,
        "floating_ips": 10,
        "fixed_ips": -1,
        "security_groups": 10,
        "security_group_rules": 20,
        "server_groups": 10,
        "server_group_members": 10,
    }


def test_detail_shows_what_is_used(cloud: RestSite) -> None:
    cloud.boot()
    found = cloud.rest.get(f"{OWN}/detail").json["quota_set"]
    assert found["instances"] == {"limit": 10, "in_use": 1, "reserved": 0}
    assert found["ram"] == {"limit": 51200, "in_use": 512, "reserved": 0}


def test_limits_are_set_and_forgotten(cloud: RestSite) -> None:
    answer = _put(cloud, {"instances": "3", "cores": -1})
    assert (answer.json["quota_set"]["instances"], answer.json["quota_set"]["cores"]) == (3, -1)
    assert cloud.rest.get(OWN).json["quota_set"]["instances"] == 3
    assert cloud.rest.get(f"{OWN}/defaults").json["quota_set"]["instances"] == 10
    answer = cloud.admin.delete(OWN)
    assert (answer.status_int, answer.body) == (202, b"")
    assert cloud.rest.get(OWN).json["quota_set"]["instances"] == 10


def test_users_have_limits_of_their_own(cloud: RestSite) -> None:
    assert _put(cloud, {"instances": 3}, query="?user_id=alice").status_int == 200
    assert cloud.rest.get(f"{OWN}?user_id=alice").json["quota_set"]["instances"] == 3
    assert cloud.rest.get(f"{OWN}?user_id=bob").json["quota_set"]["instances"] == 10
    assert cloud.rest.get(OWN).json["quota_set"]["instances"] == 10
    assert cloud.admin.delete(f"{OWN}?user_id=alice").status_int == 202
    assert cloud.rest.get(f"{OWN}?user_id=alice").json["quota_set"]["instances"] == 10


def test_limits_below_use_need_force(cloud: RestSite) -> None:
    cloud.boot()
    answer = _put(cloud, {"ram": 511})
    assert answer.status_int == 400 and "512" in answer.text
    assert _put(cloud, {"ram": 511, "force": "true"}).json["quota_set"]["ram"] == 511
    assert _put(cloud, {"ram": 512}).status_int == 200


def test_user_limits_above_those_of_the_project_need_force(cloud: RestSite) -> None:
    for limit in (11, -1):
        assert _put(cloud, {"instances": limit}, query="?user_id=alice").status_int == 400
    body = {"instances": 11, "force": True}
    assert _put(cloud, body, query="?user_id=alice").json["quota_set"]["instances"] == 11


@pytest.mark.parametrize(
    "limits",
    [
        {"instances": -2}, {"instances": "-2"}, {"instances": 2**31}, {"instances": str(2**31)},
        {"instances": "x"}, {"instances": 1.5}, {"instances": None}, {"instances": True},
        {"unknown": 1}, {"force": "maybe"}, None, [],
    ],
)  # fmt: skip
def test_in_04_bad_limits_are_400(cloud: RestSite, limits: object) -> None:
    assert _put(cloud, limits).status_int == 400


def test_az_02_other_projects_are_for_administrators(cloud: RestSite) -> None:
    other = f"/os-quota-sets/{OTHER_PROJECT}"
    assert cloud.rest.get(other).status_int == 403
    assert cloud.rest.get(f"{other}/detail").status_int == 403
    assert cloud.rest.get(f"{other}/defaults").status_int == 200
    assert cloud.admin.get(other).status_int == 200
    assert cloud.rest.put(OWN, {"quota_set": {"instances": 99}}).status_int == 403
    assert cloud.rest.delete(OWN).status_int == 403


def test_in_04_unknown_parameters_are_refused_from_2_75(cloud: RestSite) -> None:
    assert cloud.rest.at("2.74").get(f"{OWN}?x=1").status_int == 200
    assert cloud.rest.at("2.75").get(f"{OWN}?x=1").status_int == 400
    assert _put(cloud, {}, "2.75", "?x=1").status_int == 400


def test_in_09_quota_messages_tell_the_numbers(cloud: RestSite) -> None:
    cloud.boot()
    _put(cloud, {"instances": 1})
    body = {"name": "b", "flavorRef": "1", "imageRef": "11111111-2222-3333-4444-555555555555"}
    answer = cloud.rest.post("/servers", {"server": body})
    assert answer.status_int == 403
    assert answer.json["forbidden"]["message"] == (
        "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances"
    )


def test_whole_numbers_may_have_a_point(cloud: RestSite) -> None:
    answer = cloud.admin.put(
        f"/os-quota-sets/{PROJECT}", {"quota_set": {"cores": 30.0, "ram": "7"}}
    )
    assert (answer.status_int, answer.json["quota_set"]["cores"]) == (200, 30)
    assert answer.json["quota_set"]["ram"] == 7
    half = cloud.admin.put(f"/os-quota-sets/{PROJECT}", {"quota_set": {"cores": 30.5}})
    assert half.status_int == 400
