"""Limits over the real conductor."""

import pytest

from tests.fixtures.rest import OTHER_PROJECT, PROJECT
from tests.fixtures.rest_site import RestSite

ALWAYS = {
    "maxServerMeta", "maxServerGroups", "maxServerGroupMembers", "maxTotalCores",
    "maxTotalInstances", "maxTotalKeypairs", "maxTotalRAMSize", "totalCoresUsed",
    "totalInstancesUsed", "totalRAMUsed", "totalServerGroupsUsed",
}  # fmt: skip
NETWORK = {
    "maxSecurityGroups", "maxSecurityGroupRules", "maxTotalFloatingIps", "totalFloatingIpsUsed",
    "totalSecurityGroupsUsed",
}  # fmt: skip
IMAGES = {"maxImageMeta"}
FILES = {"maxPersonality", "maxPersonalitySize"}


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("2.1", ALWAYS | NETWORK | IMAGES | FILES),
        ("2.35", ALWAYS | NETWORK | IMAGES | FILES),
        ("2.36", ALWAYS | IMAGES | FILES),
        ("2.38", ALWAYS | IMAGES | FILES),
        ("2.39", ALWAYS | FILES),
        ("2.56", ALWAYS | FILES),
        ("2.57", ALWAYS),
        ("2.96", ALWAYS),
    ],
)
def test_limits_by_version(cloud: RestSite, version: str, names: set[str]) -> None:
    found = cloud.rest.at(version).get("/limits").json["limits"]
    assert set(found) == {"rate", "absolute"}
    assert found["rate"] == []
    assert set(found["absolute"]) == names
    assert all(type(number) is int for number in found["absolute"].values())


def test_values(cloud: RestSite) -> None:
    cloud.boot()
    found = cloud.rest.get("/limits").json["limits"]["absolute"]
    assert found["maxTotalInstances"] == 10 and found["totalInstancesUsed"] == 1
    assert found["maxTotalRAMSize"] == 51200 and found["totalRAMUsed"] == 512
    assert found["maxTotalCores"] == 20 and found["totalCoresUsed"] == 1
    assert found["maxPersonality"] == 5 and found["maxPersonalitySize"] == 10240
    assert found["maxServerMeta"] == found["maxImageMeta"] == 128
    assert found["maxTotalFloatingIps"] == 10 and found["maxSecurityGroupRules"] == 20


def test_az_04_other_projects_are_for_administrators(cloud: RestSite) -> None:
    cloud.boot()
    assert cloud.rest.get(f"/limits?tenant_id={OTHER_PROJECT}").status_int == 403
    found = cloud.admin.get(f"/limits?tenant_id={PROJECT}").json["limits"]["absolute"]
    assert found["totalInstancesUsed"] == 1
    assert cloud.admin.get("/limits").json["limits"]["absolute"]["totalInstancesUsed"] == 0


def test_in_04_unknown_parameters_are_refused_from_2_75(cloud: RestSite) -> None:
    for query in ("?reserved=False", "?x=1"):
        assert cloud.rest.at("2.74").get(f"/limits{query}").status_int == 200
        assert cloud.rest.at("2.75").get(f"/limits{query}").status_int == 400
