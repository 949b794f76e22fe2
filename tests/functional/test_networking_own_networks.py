"""Networks that projects make by the Networking API: the network first, then its subnets."""

import pytest

from nova.conductor.network_plan import ManagerKind, NetworkDefaults
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import get_admin_context
from nova.objects.instance import EVERYBODY
from nova.objects.network import NewNetwork
from tests.fixtures.networking import make_networking_site
from tests.fixtures.rest import OTHER_PROJECT, PROJECT

UNKNOWN = "99999999-2222-4333-8444-555555555555"
VLANS = NetworkDefaults(manager=ManagerKind.VLAN, vlan_interface="eth1", per_project=2)


@pytest.fixture
def site(new_cloud):
    return make_networking_site(new_cloud(conductor_settings={"network": VLANS}))


@pytest.fixture
def front(site):
    return site.front


def make_range(front, network, cidr="10.5.0.0/24", **wanted):
    return front.post(
        "/subnets", network_id=network["id"], **{"ip_version": 4, "cidr": cidr, **wanted}
    )


def served_by(site, host):
    client = site.cloud.bus.client(ConductorNetworks).anyone()
    return {one.network.label for one in client.host_networks(get_admin_context(), host)}


def boot_in(site, network):
    server = site.cloud.boot(networks=[{"uuid": network["id"]}])
    site.cloud.run_until_idle()
    return server


def test_project_makes_a_network_and_a_subnet_and_boots_in_it(site, front):
    network = front.post("/networks", name="x", admin_state_up=True)
    assert (network["project_id"], network["subnets"], network["shared"]) == (PROJECT, [], False)
    assert front.get(f"/networks/{network['id']}") == network
    subnet = make_range(front, network, name="y", enable_dhcp=True)
    assert (subnet["name"], subnet["gateway_ip"]) == ("y", "10.5.0.1")
    assert front.get("/subnets?name=y") == [subnet]
    assert front.get(f"/networks/{network['id']}")["subnets"] == [subnet["id"]]
    seen = front.as_admin().get(f"/networks/{network['id']}")
    assert (seen["provider:network_type"], seen["provider:segmentation_id"] >= 100) == (
        "vlan",
        True,
    )
    server = boot_in(site, network)
    (port,) = front.get(f"/ports?device_id={server.uuid}")
    assert port["fixed_ips"][0]["subnet_id"] == subnet["id"]


def test_network_without_a_subnet_is_not_served_and_nothing_is_put_in_it(site, front):
    network = front.post("/networks", name="empty")
    assert served_by(site, "node1") == {"private"}
    status, _, message = front.refused("POST", "/ports", network_id=network["id"])
    assert (status, message) == (400, f"Network {network['id']} has no subnet.")
    answer = site.cloud.rest.at("2.90").post(
        "/servers",
        {
            "server": {
                "name": "s",
                "imageRef": "70a599e0-31e7-49b7-b260-868f441e862b",
                "flavorRef": "1",
                "networks": [{"uuid": network["id"]}],
            }
        },
    )
    assert answer.status_int == 400


def test_deleted_subnet_takes_its_range_along(site, front):
    network = front.post("/networks", name="x")
    subnet = make_range(front, network)
    client = site.cloud.bus.client(ConductorNetworks).anyone()
    client.set_host(get_admin_context(), EVERYBODY, network["id"], "node1")
    assert "x" in served_by(site, "node1")
    port = front.post("/ports", network_id=network["id"])
    assert front.refused("DELETE", f"/subnets/{subnet['id']}")[:2] == (409, "NetworkInUse")
    assert front.refused("DELETE", f"/networks/{network['id']}")[:2] == (409, "NetworkInUse")
    front.delete(f"/ports/{port['id']}")
    front.delete(f"/subnets/{subnet['id']}")
    assert front.refused("GET", f"/subnets/{subnet['id']}")[0] == 404
    assert served_by(site, "node1") == {"private"}
    assert make_range(front, network, "10.6.0.0/24")["cidr"] == "10.6.0.0/24"
    front.delete(f"/networks/{network['id']}")
    assert front.refused("GET", f"/networks/{network['id']}")[0] == 404


def test_network_has_one_subnet_of_each_family_on_one_vlan(front):
    network = front.post("/networks", name="dual")
    six = make_range(front, network, "fd00:5::/64", ip_version=6, name="six")
    vlan = front.as_admin().get(f"/networks/{network['id']}")["provider:segmentation_id"]
    four = make_range(front, network, name="four", dns_nameservers=["192.0.2.1"])
    seen = front.as_admin().get(f"/networks/{network['id']}")
    assert seen["provider:segmentation_id"] == vlan
    assert seen["subnets"] == [four["id"], six["id"]]
    assert "192.0.2.1" in four["dns_nameservers"]
    for cidr, version in (("10.6.0.0/24", 4), ("fd00:6::/64", 6)):
        wanted = {"network_id": network["id"], "cidr": cidr, "ip_version": version}
        assert front.refused("POST", "/subnets", **wanted)[:2] == (409, "NetworkHasRange")
    front.delete(f"/subnets/{six['id']}")
    assert front.get("/subnets?name=four") == [four]


def test_pool_and_gateway_of_a_subnet_are_kept(front):
    network = front.post("/networks", name="x")
    pools = [{"start": "10.5.0.50", "end": "10.5.0.52"}]
    subnet = make_range(front, network, gateway_ip="10.5.0.9", allocation_pools=pools)
    assert subnet["gateway_ip"] == "10.5.0.9"
    port = front.post("/ports", network_id=network["id"])
    assert port["fixed_ips"][0]["ip_address"] in ("10.5.0.51", "10.5.0.52")


def test_names_of_networks_and_subnets_are_changed(front):
    network = front.post("/networks", name="x")
    subnet = make_range(front, network)
    assert subnet["name"] == "x"
    assert front.put(f"/networks/{network['id']}", name="z")["name"] == "z"
    assert front.put(f"/subnets/{subnet['id']}", name="s")["name"] == "s"
    assert front.get(f"/subnets/{subnet['id']}")["name"] == "s"
    assert front.refused("PUT", f"/subnets/{subnet['id']}", gateway_ip="10.5.0.2")[0] == 400


def test_networks_of_a_project_have_a_quota(front):
    for name in ("a", "b"):
        front.post("/networks", name=name)
    assert front.refused("POST", "/networks", name="c")[:2] == (409, "QuotaExceeded")


def test_az_01_networks_of_others_are_not_there(front):
    network = front.post("/networks", name="x")
    subnet = make_range(front, network)
    other = front.as_user("bob", OTHER_PROJECT)
    for path in (f"/networks/{network['id']}", f"/subnets/{subnet['id']}"):
        assert other.refused("GET", path)[0] == 404
        assert other.refused("PUT", path, name="mine")[0] == 404
        assert other.refused("DELETE", path)[0] == 404
    wanted = {"network_id": network["id"], "cidr": "fd00:5::/64", "ip_version": 6}
    assert other.refused("POST", "/subnets", **wanted)[:2] == (404, "NetworkNotFound")
    assert other.refused("POST", "/ports", network_id=network["id"])[0] == 404
    assert other.refused("POST", "/networks", name="n", project_id=PROJECT)[0] == 403


def test_no_vlan_is_shared(front):
    status, kind, _ = front.as_admin().refused("POST", "/networks", name="n", shared=True)
    assert (status, kind) == (400, "NetworkNotCreated")


def test_members_make_no_shared_networks_and_change_none(cloud):
    front = make_networking_site(cloud).front
    assert front.refused("POST", "/networks", name="n", shared=True)[0] == 403
    (shared,) = front.get("/networks?name=private")
    assert front.refused("PUT", f"/networks/{shared['id']}", name="mine")[0] == 403
    assert front.refused("DELETE", f"/networks/{shared['id']}")[0] == 403
    (subnet,) = front.get(f"/subnets?network_id={shared['id']}")
    assert front.refused("DELETE", f"/subnets/{subnet['id']}")[0] == 403


def test_net_13_vlan_of_nobody_takes_no_ports(site, front):
    client = site.cloud.bus.client(ConductorNetworks).anyone()
    (free,) = client.create(get_admin_context(), NewNetwork(label="free", cidr="10.9.0.0/24"))
    assert front.refused("POST", "/ports", network_id=free.uuid)[:2] == (404, "NetworkNotFound")
    assert front.refused("GET", f"/networks/{free.uuid}")[0] == 404


def test_networks_that_share_a_bridge_are_for_administrators(new_cloud):
    defaults = NetworkDefaults(bridge="br100")
    front = make_networking_site(new_cloud(conductor_settings={"network": defaults})).front
    status, kind, message = front.refused("POST", "/networks", name="x")
    assert (status, kind) == (403, "NetworksNotIsolated")
    assert "FlatDHCPManager" in message
    admin = front.as_admin()
    network = admin.post("/networks", name="x", shared=True)
    assert network["shared"] is True
    assert make_range(admin, network)["cidr"] == "10.5.0.0/24"
    assert "x" in [one["name"] for one in front.get("/networks")]


@pytest.mark.parametrize(
    "wanted",
    [
        {"router:external": True},
        {"admin_state_up": False},
        {"provider:segmentation_id": 7},
        {"qos_policy_id": UNKNOWN},
        {"port_security_enabled": False},
        {"mtu": -1},
        {"name": "x" * 256},
    ],
)
def test_networks_that_can_not_be_had(front, wanted):
    assert front.refused("POST", "/networks", **{"name": "n", **wanted})[0] == 400


@pytest.mark.parametrize(
    "wanted",
    [
        {"cidr": "10.5.0.0/8"},
        {"cidr": "10.0.0.0/8"},
        {"cidr": "10.5.0.0/31"},
        {"cidr": "fd00::/64"},
        {"cidr": "x" * 9000},
        {"ip_version": 5},
        {"gateway_ip": None},
        {"gateway_ip": "10.6.0.1"},
        {"host_routes": [{"destination": "10.0.0.0/8", "nexthop": "10.5.0.9"}]},
        {"allocation_pools": [{"start": "10.5.0.9"}, {"start": "10.5.0.19"}]},
        {"allocation_pools": [{"start": "nowhere", "end": "10.5.0.20"}]},
        {"dns_nameservers": ["a", "b", "c"]},
        {"dns_nameservers": ["name"]},
        {"subnetpool_id": UNKNOWN},
        {"ipv6_ra_mode": "slaac"},
    ],
)
def test_in_01_subnets_that_can_not_be_had(front, wanted):
    network = front.post("/networks", name="x")
    usual = {"network_id": network["id"], "ip_version": 4, "cidr": "10.5.0.0/24"}
    assert front.refused("POST", "/subnets", **{**usual, **wanted})[0] == 400
    assert front.get("/subnets?network_id=" + network["id"]) == []


def test_ranges_do_not_overlap(front):
    network = front.post("/networks", name="x")
    wanted = {"network_id": network["id"], "cidr": "10.0.0.0/25", "ip_version": 4}
    assert front.refused("POST", "/subnets", **wanted)[:2] == (409, "CidrConflict")
