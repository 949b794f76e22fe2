"""os-networks over the real conductor."""

import uuid

import pytest

from tests.fixtures.conductor import seed_network
from tests.fixtures.rest import OTHER_PROJECT, PROJECT
from tests.fixtures.rest_site import RestSite

ALL = {
    "id", "cidr", "netmask", "gateway", "broadcast", "dns1", "dns2", "cidr_v6", "gateway_v6",
    "label", "netmask_v6",
}  # fmt: skip
ADMIN = {
    "created_at", "updated_at", "deleted_at", "deleted", "injected", "bridge", "vlan",
    "vpn_public_address", "vpn_public_port", "vpn_private_address", "dhcp_start", "project_id",
    "host", "bridge_interface", "multi_host", "priority", "rxtx_base", "mtu", "dhcp_server",
    "enable_dhcp", "share_address",
}  # fmt: skip


@pytest.mark.parametrize("version", ["2.1", "2.35"])
def test_fields_are_those_of_the_caller(cloud: RestSite, version: str) -> None:
    path = f"/os-networks/{cloud.site.network.uuid}"
    for rest, fields in ((cloud.rest, ALL), (cloud.admin, ALL | ADMIN)):
        (listed,) = rest.at(version).get("/os-networks").json["networks"]
        assert set(listed) == fields
        assert rest.at(version).get(path).json == {"network": listed}


def test_values(cloud: RestSite) -> None:
    (found,) = cloud.admin.get("/os-networks").json["networks"]
    assert uuid.UUID(found["id"])
    assert (found["label"], found["cidr"]) == ("private", "10.0.0.0/24")
    assert (found["netmask"], found["broadcast"]) == ("255.255.255.0", "10.0.0.255")
    assert found["cidr_v6"] is found["gateway_v6"] is found["netmask_v6"] is None
    assert found["multi_host"] is True and found["bridge"] == "br100"
    assert found["deleted"] is False and found["deleted_at"] is None
    assert found["created_at"] == cloud.clock.now.isoformat(timespec="microseconds")
    for name in ("injected", "enable_dhcp", "share_address"):
        assert type(found[name]) is bool
    for name in ("vlan", "vpn_public_port", "priority", "rxtx_base", "mtu"):
        assert found[name] is None or type(found[name]) is int


def test_proxies_end_with_2_35(cloud: RestSite) -> None:
    rest = cloud.rest.at("2.36")
    assert rest.get("/os-networks").status_int == 404
    assert rest.get(f"/os-networks/{cloud.site.network.uuid}").status_int == 404


@pytest.mark.parametrize(
    "name", ["private", "1", "x" * 300, "99999999-2222-4333-8444-555555555555"]
)
def test_names_where_ids_are_expected_are_404(cloud: RestSite, name: str) -> None:
    assert cloud.rest.get(f"/os-networks/{name}").status_int == 404
    assert cloud.admin.get(f"/os-networks/{name}").status_int == 404


def test_az_06_networks_of_other_projects_are_hidden(cloud: RestSite) -> None:
    theirs = seed_network(
        cloud.conductor, label="theirs", cidr="10.1.0.0/24", project_id=OTHER_PROJECT
    )
    seed_network(cloud.conductor, label="ours", cidr="10.2.0.0/24", project_id=PROJECT)

    def labels(rest) -> list[str]:
        return [entry["label"] for entry in rest.get("/os-networks").json["networks"]]

    assert labels(cloud.rest) == ["private", "ours"]
    assert labels(cloud.admin) == ["private", "theirs", "ours"]
    assert cloud.rest.get(f"/os-networks/{theirs.uuid}").status_int == 404
    assert cloud.admin.get(f"/os-networks/{theirs.uuid}").status_int == 200
    body = {"name": "x", "flavorRef": "1", "imageRef": "11111111-2222-3333-4444-555555555555"}
    body["networks"] = [{"uuid": theirs.uuid}]
    assert cloud.rest.post("/servers", {"server": body}).status_int == 400
