"""os-networks, os-tenant-networks, os-fixed-ips and os-fping over the real conductor."""

import dataclasses
import subprocess
from typing import Any

import pytest
import webob

from nova.conductor.network_plan import ManagerKind, NetworkDefaults
from nova.conductor.settings import ConductorSettings
from tests.fixtures.conductor import make_site, seed_network
from tests.fixtures.rest import OTHER_PROJECT, PROJECT, Rest, make_rest_app
from tests.fixtures.rest_site import RestSite

UNKNOWN = "99999999-2222-4333-8444-555555555555"
FULL = {
    "label": "full",
    "cidr": "10.9.0.0/24",
    "ipam": True,
    "project_id": PROJECT,
    "multi_host": "True",
    "gateway": "10.9.0.1",
    "bridge": "br9",
    "bridge_interface": "eth9",
    "dns1": "192.0.2.1",
    "dns2": "192.0.2.2",
    "dhcp_server": "10.9.0.2",
    "fixed_cidr": "10.9.0.0/25",
    "allowed_start": "10.9.0.10",
    "allowed_end": "10.9.0.100",
    "enable_dhcp": False,
    "share_address": "on",
    "mtu": "1400",
    "vlan": 9,
    "vpn_start": "1009",
}


def create(rest: Rest, **wanted: Any) -> webob.Response:
    return rest.post("/os-networks", {"network": {"bridge": "br9", **wanted}})


def act(rest: Rest, network_id: str, **action: Any) -> int:
    return rest.post(f"/os-networks/{network_id}/action", action).status_int


def vlan_site(**defaults: Any) -> Rest:
    """Return a member of a site with VlanManager and one VLAN of nobody."""
    network = NetworkDefaults(manager=ManagerKind.VLAN, vlan_interface="eth1", **defaults)
    site = make_site(settings=ConductorSettings(network=network), bridge=None)
    return Rest(make_rest_app(site.conductor.bus), project=PROJECT)


def test_network_is_made_with_everything_that_is_asked_for(cloud: RestSite) -> None:
    answer = create(cloud.admin, **FULL)
    assert answer.status_int == 200, answer.text
    found = answer.json["network"]
    for name in ("label", "cidr", "project_id", "bridge", "bridge_interface", "dns2", "vlan"):
        assert found[name] == FULL[name]
    assert (found["multi_host"], found["enable_dhcp"], found["share_address"]) == (
        True,
        False,
        True,
    )
    assert (found["mtu"], found["vpn_public_port"]) == (1400, 1009)
    assert (found["gateway"], found["dhcp_server"]) == ("10.9.0.1", "10.9.0.2")
    shown = cloud.admin.get(f"/os-networks/{found['id']}").json["network"]
    assert shown == found
    for address, reserved in (("10.9.0.9", True), ("10.9.0.11", False), ("10.9.0.101", True)):
        entry = cloud.admin.at("2.4").get(f"/os-fixed-ips/{address}").json["fixed_ip"]
        assert entry["reserved"] is reserved


def test_ipv6_network_is_made(cloud: RestSite) -> None:
    found = create(cloud.admin, label="six", cidr_v6="fd00::/64").json["network"]
    assert (found["cidr"], found["cidr_v6"], found["gateway_v6"]) == (None, "fd00::/64", "fd00::1")


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"label": "n"}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "cidr_v6": "fd00::/64"}, 400),
        ({"cidr": "10.9.0.0/24"}, 400),
        ({"label": "", "cidr": "10.9.0.0/24"}, 400),
        ({"label": "x" * 256, "cidr": "10.9.0.0/24"}, 400),
        ({"label": "n", "cidr": "10.9.0.0/99"}, 400),
        ({"label": "n", "cidr": "10.9.0.1/24"}, 400),
        ({"label": "n", "cidr": "10.0.0.0/24"}, 409),
        ({"label": "n", "cidr": "10.9.0.0/24", "vlan": 4095}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "vlan": 2**40}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "vlan_start": 2**31 - 1}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "vlan": 5, "vpn_start": "99999999999"}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "vlan": 5, "vpn_start": "2147483647"}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "mtu": 2**31 - 1}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "surprise": 1}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "allowed_start": "fd00::1"}, 400),
    ],
)
def test_network_that_can_not_be_made_is_refused(
    cloud: RestSite, wanted: dict[str, Any], status: int
) -> None:
    answer = create(cloud.admin, **wanted)
    assert answer.status_int == status, answer.text
    assert len(cloud.admin.get("/os-networks").json["networks"]) == 1


def test_vlan_is_taken_once(cloud: RestSite) -> None:
    assert create(cloud.admin, label="a", cidr="10.9.0.0/24", vlan=7).status_int == 200
    assert create(cloud.admin, label="b", cidr="10.8.0.0/24", vlan=7).status_int == 409


def test_network_is_deleted_unless_servers_are_in_it(cloud: RestSite) -> None:
    path = f"/os-networks/{cloud.site.network.uuid}"
    cloud.boot()
    assert cloud.admin.delete(path).status_int == 409
    made = create(cloud.admin, label="a", cidr="10.9.0.0/24", project_id=PROJECT).json["network"]
    assert cloud.admin.delete(f"/os-networks/{made['id']}").status_int == 202
    for missing in (made["id"], UNKNOWN, "private", "1", str(2**70)):
        assert cloud.admin.delete(f"/os-networks/{missing}").status_int == 404


def test_projects_and_hosts_of_networks_are_changed(cloud: RestSite) -> None:
    made = create(cloud.admin, label="a", cidr="10.9.0.0/24", project_id=PROJECT).json["network"]

    def shown() -> tuple[str | None, str | None]:
        found = cloud.admin.get(f"/os-networks/{made['id']}").json["network"]
        return found["project_id"], found["host"]

    assert act(cloud.admin, made["id"], associate_host="net1") == 202
    assert shown() == (PROJECT, "net1")
    assert act(cloud.admin, made["id"], disassociate_project=None) == 202
    assert shown() == (None, "net1")
    assert act(cloud.admin, made["id"], disassociate_host=None) == 202
    assert act(cloud.admin, made["id"], associate_host="net2") == 202
    assert act(cloud.admin, made["id"], disassociate=None) == 202
    assert shown() == (None, None)
    for action in ({"disassociate": None}, {"associate_host": "x"}, {"disassociate_host": None}):
        assert act(cloud.admin, UNKNOWN, **action) == 404
    assert act(cloud.admin, made["id"], associate_host="two words") == 400
    assert act(cloud.admin, made["id"], disassociate="x") == 400


def test_members_change_no_networks(cloud: RestSite) -> None:
    uuid = cloud.site.network.uuid
    assert create(cloud.rest, label="a", cidr="10.9.0.0/24").status_int == 403
    assert cloud.rest.delete(f"/os-networks/{uuid}").status_int == 403
    assert cloud.rest.post("/os-networks/add", {"id": None}).status_int == 403
    for action in ({"disassociate": None}, {"associate_host": "net1"}):
        assert act(cloud.rest, uuid, **action) == 403


def test_vlan_of_nobody_is_added_to_the_callers_project() -> None:
    admin = dataclasses.replace(vlan_site(), user="admin")
    for wish in (UNKNOWN, "private", "1"):
        assert admin.post("/os-networks/add", {"id": wish}).status_int == 400
    assert admin.post("/os-networks/add", {"id": None}).status_int == 202
    (network,) = admin.get("/os-networks").json["networks"]
    assert network["project_id"] == PROJECT
    other = dataclasses.replace(admin, project=OTHER_PROJECT)
    assert other.post("/os-networks/add", {"id": None}).status_int == 400


def test_without_vlans_nothing_is_added_to_projects(cloud: RestSite) -> None:
    assert cloud.admin.post("/os-networks/add", {"id": None}).status_int == 501


# --- os-tenant-networks


def test_project_makes_shows_and_deletes_its_network() -> None:
    rest = vlan_site()
    wanted = {"label": "mine", "cidr": "10.9.0.0/24", "vlan_start": "200"}
    made = rest.post("/os-tenant-networks", {"network": wanted})
    assert made.status_int == 200, made.text
    network = made.json["network"]
    assert set(network) == {"id", "label", "cidr"}
    path = f"/os-tenant-networks/{network['id']}"
    assert rest.get(path).json == {"network": network}
    assert rest.get("/os-tenant-networks").json == {"networks": [network]}
    foreign = dataclasses.replace(rest, project=OTHER_PROJECT)
    assert foreign.get(path).status_int == foreign.delete(path).status_int == 404
    assert rest.delete(path).status_int == 202
    assert rest.get(path).status_int == rest.delete(path).status_int == 404


@pytest.mark.parametrize("number", [1, 1.0, "1"])
def test_whole_number_may_be_written_in_each_way_of_json(number: object) -> None:
    rest = vlan_site()
    wanted = {"label": "x", "cidr": "10.9.0.0/24", "num_networks": number, "vlan_start": number}
    assert rest.post("/os-tenant-networks", {"network": wanted}).status_int == 200


def test_shared_networks_are_not_the_projects_to_delete(cloud: RestSite) -> None:
    path = f"/os-tenant-networks/{cloud.site.network.uuid}"
    assert cloud.rest.get(path).status_int == 200
    assert cloud.rest.delete(path).status_int == 403
    assert cloud.admin.delete(path).status_int == 202


def test_own_network_with_servers_stays(cloud: RestSite) -> None:
    own = seed_network(cloud.conductor, label="own", cidr="10.9.0.0/24", project_id=PROJECT)
    cloud.boot()
    assert cloud.rest.delete(f"/os-tenant-networks/{own.uuid}").status_int == 409


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"label": "n"}, 400),
        ({"label": "n", "cidr": "10.9.0.0/31"}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "network_size": 2}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "num_networks": 2**31 - 1}, 400),
        ({"label": "n", "cidr": "10.9.0.0/24", "num_networks": 2**80}, 400),
        ({"label": "n", "cidr": "10.0.0.0/24"}, 409),
    ],
)
def test_tenant_network_that_can_not_be_made_is_refused(
    wanted: dict[str, Any], status: int
) -> None:
    rest = vlan_site()
    answer = rest.post("/os-tenant-networks", {"network": wanted})
    assert answer.status_int == status, answer.text


def test_in_09_networks_of_a_project_end_at_the_quota() -> None:
    rest = vlan_site(per_project=1)
    for number, status in ((1, 200), (2, 403)):
        wanted = {"label": "n", "cidr": f"10.{number}.0.0/24"}
        answer = rest.post("/os-tenant-networks", {"network": wanted})
        assert answer.status_int == status, answer.text


# --- os-fixed-ips


def test_address_is_shown_and_reserved(cloud: RestSite) -> None:
    uuid = cloud.boot()
    address = cloud.conductor.get(uuid).vifs[0].fixed_ip
    path = f"/os-fixed-ips/{address}"
    shown = {"cidr": "10.0.0.0/24", "address": address, "hostname": "web", "host": "host1"}
    assert cloud.admin.get(path).json == {"fixed_ip": shown}
    assert cloud.admin.at("2.4").get(path).json == {"fixed_ip": shown | {"reserved": False}}
    for action, reserved in (("reserve", True), ("unreserve", False)):
        assert cloud.admin.post(f"{path}/action", {action: None}).status_int == 202
        assert cloud.admin.at("2.4").get(path).json["fixed_ip"]["reserved"] is reserved
    assert cloud.rest.get(path).status_int == 403
    assert cloud.admin.at("2.36").get(path).status_int == 404


@pytest.mark.parametrize("action", ["reserve", "unreserve"])
def test_fixed_address_is_reserved_by_a_client_that_says_none_as_text(
    cloud: RestSite, action: str
) -> None:
    address = cloud.conductor.get(cloud.boot()).vifs[0].fixed_ip
    path = f"/os-fixed-ips/{address}/action"
    assert cloud.admin.post(path, {action: "None"}).status_int == 202
    assert cloud.admin.post(path, {action: "yes"}).status_int == 400


@pytest.mark.parametrize(
    ("address", "status"), [("10.77.0.1", 404), ("nonsense", 400), ("1", 400), ("fd00::1", 404)]
)
def test_addresses_that_are_none_are_refused(cloud: RestSite, address: str, status: int) -> None:
    path = f"/os-fixed-ips/{address}"
    assert cloud.admin.get(path).status_int == status
    assert cloud.admin.post(f"{path}/action", {"reserve": None}).status_int == status


# --- os-fping


class Fping:
    """Stands for the process: of all addresses that it is given, some answer."""

    def __init__(self, *answering: str) -> None:
        self.answering = answering
        self.asked: list[str] = []

    def __call__(self, command: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        self.asked = command[3:]
        lines = [
            f"{one} is {'alive' if one in self.answering else 'unreachable'}" for one in self.asked
        ]
        return subprocess.CompletedProcess(command, 1, "\n".join(lines), "")


@pytest.fixture
def pinged(cloud: RestSite) -> RestSite:
    """Return the site with a program that stands for fping."""
    return cloud.with_settings(fping_path="/bin/true")


def test_servers_that_answer_are_alive(pinged: RestSite, monkeypatch: Any) -> None:
    first, second = pinged.boot(), pinged.boot()
    address = pinged.conductor.get(first).vifs[0].fixed_ip
    program = Fping(str(address))
    monkeypatch.setattr(subprocess, "run", program)
    found = pinged.rest.get("/os-fping").json["servers"]
    assert {one["id"]: one["alive"] for one in found} == {first: True, second: False}
    assert {one["project_id"] for one in found} == {PROJECT}
    (only,) = pinged.rest.get(f"/os-fping?include={second},x&exclude={second}").json["servers"]
    assert only["id"] == second
    (other,) = pinged.rest.get(f"/os-fping?exclude={second}").json["servers"]
    assert other["id"] == first
    shown = pinged.rest.get(f"/os-fping/{first}").json["server"]
    assert shown == {"id": first, "project_id": PROJECT, "alive": True}
    assert pinged.rest.get(f"/os-fping/{UNKNOWN}").status_int == 404
    assert pinged.admin.get("/os-fping").json["servers"] == []
    assert len(pinged.admin.get("/os-fping?all_tenants=1").json["servers"]) == 2
    assert pinged.rest.get("/os-fping?all_tenants=1").status_int == 403


def test_without_the_program_the_answer_is_503(cloud: RestSite) -> None:
    cloud = cloud.with_settings(fping_path="/nonexistent/fping")
    assert cloud.rest.get("/os-fping").status_int == 503
    assert cloud.rest.get(f"/os-fping/{cloud.boot()}").status_int == 503


# --- os-virtual-interfaces


def test_interfaces_are_listed_up_to_2_43(cloud: RestSite) -> None:
    uuid = cloud.boot()
    (vif,) = cloud.conductor.get(uuid).vifs
    path = f"/servers/{uuid}/os-virtual-interfaces"
    shown = {"id": vif.id, "mac_address": vif.address}
    assert cloud.rest.get(path).json == {"virtual_interfaces": [shown]}
    newer = cloud.rest.at("2.12").get(path).json
    assert newer == {"virtual_interfaces": [shown | {"net_id": vif.network.uuid}]}
    assert cloud.rest.get(f"{path}?offset=1").json == {"virtual_interfaces": []}
    assert cloud.rest.get(f"{path}?limit=x").status_int == 400
    assert cloud.rest.at("2.44").get(path).status_int == 404
    foreign = dataclasses.replace(cloud.rest, project=OTHER_PROJECT)
    assert foreign.get(path).status_int == 404
