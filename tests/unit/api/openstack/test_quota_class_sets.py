"""Quota class sets over the real conductor."""

import pytest

from tests.fixtures.rest import PROJECT
from tests.fixtures.rest_site import RestSite

CORE = {"instances", "cores", "ram", "metadata_items", "key_pairs"}
FILES = {"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"}
NETWORK = {"floating_ips", "fixed_ips", "security_groups", "security_group_rules"}
GROUPS = {"server_groups", "server_group_members"}
PATH = "/os-quota-class-sets/default"


@pytest.mark.parametrize(
    ("version", "shown", "settable"),
    [
        ("2.1", CORE | FILES | NETWORK, CORE | FILES | NETWORK | GROUPS),
        ("2.49", CORE | FILES | NETWORK, CORE | FILES | NETWORK | GROUPS),
        ("2.50", CORE | FILES | GROUPS, CORE | FILES | GROUPS),
        ("2.56", CORE | FILES | GROUPS, CORE | FILES | GROUPS),
        ("2.57", CORE | GROUPS, CORE | GROUPS),
        ("2.96", CORE | GROUPS, CORE | GROUPS),
    ],
)
def test_resources_by_version(
    cloud: RestSite, version: str, shown: set[str], settable: set[str]
) -> None:
    admin = cloud.admin.at(version)
    found = admin.get(PATH).json["quota_class_set"]
    assert set(found) == shown | {"id"} and found["id"] == "default"
    answer = admin.put(PATH, {"quota_class_set": {"cores": 7}})
    assert set(answer.json["quota_class_set"]) == shown
    for name in CORE | FILES | NETWORK | GROUPS:
        answer = admin.put(PATH, {"quota_class_set": {name: 9}})
        assert answer.status_int == (200 if name in settable else 400), name


def test_the_default_class_changes_the_defaults(cloud: RestSite) -> None:
    cloud.admin.put(PATH, {"quota_class_set": {"instances": "3"}})
    assert cloud.admin.get(PATH).json["quota_class_set"]["instances"] == 3
    for path in (f"/os-quota-sets/{PROJECT}",):
        assert cloud.rest.get(path).json["quota_set"]["instances"] == 3
        assert cloud.rest.get(f"{path}/defaults").json["quota_set"]["instances"] == 3


def test_another_class_has_no_effect(cloud: RestSite) -> None:
    path = "/os-quota-class-sets/gold"
    cloud.admin.put(path, {"quota_class_set": {"instances": 3}})
    assert cloud.admin.get(path).json["quota_class_set"]["instances"] == 3
    assert cloud.rest.get(f"/os-quota-sets/{PROJECT}").json["quota_set"]["instances"] == 10


@pytest.mark.parametrize("limits", [{"instances": -2}, {"x": 1}, {"force": True}, None])
def test_in_04_bad_bodies_are_400(cloud: RestSite, limits: object) -> None:
    assert cloud.admin.put(PATH, {"quota_class_set": limits}).status_int == 400


def test_az_07_classes_are_for_administrators(cloud: RestSite) -> None:
    assert cloud.rest.get(PATH).status_int == 403
    assert cloud.rest.put(PATH, {"quota_class_set": {"cores": 1}}).status_int == 403
