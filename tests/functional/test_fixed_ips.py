"""Addresses that servers get and lose, from REST to the host, and what failed boots leave."""

import pytest

from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.network.rpcapi import NetworkAPI
from nova.objects.instance import EVERYBODY
from nova.objects.lifecycle import VmState
from nova.objects.quota import UNLIMITED
from tests.fixtures.conductor import make_site, result_of
from tests.fixtures.rest import OTHER_PROJECT
from tests.functional.test_interfaces import make_network

CONTEXT = get_admin_context()
UNKNOWN = "99999999-2222-4333-8444-555555555555"


def act(cloud, server, rest=None, **action):
    answer = (rest or cloud.rest).post(f"/servers/{server.uuid}/action", action)
    cloud.run_until_idle()
    return answer.status_int


def add(cloud, server, network_id=None):
    network_id = network_id or server.instance().vifs[0].network.uuid
    return act(cloud, server, addFixedIp={"networkId": network_id})


def remove(cloud, server, address):
    return act(cloud, server, removeFixedIp={"address": address})


def owner(cloud, address):
    networks = cloud.bus.client(ConductorNetworks).anyone()
    return networks.get_fixed_ip(CONTEXT, EVERYBODY, address).instance_uuid


def held(cloud):
    """Return the addresses that belong to servers."""
    networks = cloud.bus.client(ConductorNetworks).anyone()
    page = networks.list_fixed_ips(CONTEXT)
    return [one.address for one in page if one.instance_uuid is not None]


def test_address_comes_to_the_interface_and_goes_again(cloud):
    server = cloud.boot()
    first = server.instance().vifs[0].fixed_ip
    assert add(cloud, server) == 202
    (vif,) = server.instance().vifs
    (second,) = vif.more_fixed_ips
    assert vif.fixed_ip == first and owner(cloud, second) == server.uuid
    shown = [one["addr"] for one in server.show()["addresses"]["private"]]
    assert shown == [first, second]
    assert remove(cloud, server, second) == 202
    assert server.instance().vifs[0].fixed_ips == (first,)
    assert owner(cloud, second) is None
    records = {record.action: record.events[0].event for record in server.actions()}
    assert records["add_fixed_ip"] == "compute_add_fixed_ip_to_instance"
    assert records["remove_fixed_ip"] == "compute_remove_fixed_ip_from_instance"
    server.delete()
    cloud.assert_nothing_left()


def test_last_address_can_be_removed_and_another_added(cloud):
    server = cloud.boot()
    first = server.instance().vifs[0].fixed_ip
    assert remove(cloud, server, first) == 202
    assert server.instance().vifs[0].fixed_ips == ()
    assert cloud.dhcp_lines() == []
    assert add(cloud, server) == 202
    assert len(server.instance().vifs[0].fixed_ips) == 1
    assert len(cloud.dhcp_lines()) == 1


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ({"addFixedIp": {"networkId": UNKNOWN}}, 404),
        ({"addFixedIp": {"networkId": 1}}, 404),
        ({"addFixedIp": {"networkId": 2**70}}, 404),
        ({"addFixedIp": {"networkId": "x" * 37}}, 400),
        ({"addFixedIp": {}}, 400),
        ({"removeFixedIp": {"address": "10.0.0.99"}}, 400),
        ({"removeFixedIp": {"address": "nonsense"}}, 400),
        ({"removeFixedIp": {}}, 400),
    ],
)
def test_what_can_not_be_done_changes_nothing(cloud, action, status):
    server = cloud.boot()
    before = server.instance().vifs
    assert act(cloud, server, **action) == status
    assert server.instance().vifs == before


def test_network_that_the_server_is_not_in_gives_no_address(cloud):
    server, network = cloud.boot(), make_network(cloud)
    assert add(cloud, server, network.uuid) == 400
    foreign = make_network(cloud, "theirs", "10.2.0.0/24", project_id=OTHER_PROJECT)
    assert add(cloud, server, foreign.uuid) == 404


def test_az_03_servers_of_others_are_left_alone(cloud):
    server, other = cloud.boot(), cloud.boot()
    network_id = server.instance().vifs[0].network.uuid
    stranger = cloud.api("mallory", OTHER_PROJECT)
    assert act(cloud, server, stranger, addFixedIp={"networkId": network_id}) == 404
    address = server.instance().vifs[0].fixed_ip
    assert remove(cloud, other, address) == 400
    assert owner(cloud, address) == server.uuid


def test_locked_servers_keep_their_addresses(cloud):
    server = cloud.boot()
    server.act({"lock": None})
    assert add(cloud, server) == remove(cloud, server, server.instance().vifs[0].fixed_ip) == 409
    assert len(server.instance().vifs[0].fixed_ips) == 1


def test_add_fixed_ip_ends_with_2_43(cloud):
    server = cloud.boot()
    rest = cloud.rest.at("2.44")
    network_id = server.instance().vifs[0].network.uuid
    assert act(cloud, server, rest, addFixedIp={"networkId": network_id}) in (400, 404)


def test_current_client_removes_a_fixed_address_by_the_newest_version(cloud):
    server = cloud.boot()
    address = server.instance().vifs[0].fixed_ip
    rest = cloud.rest.at("latest")
    assert act(cloud, server, rest, removeFixedIp={"address": address}) == 202
    assert server.instance().vifs[0].fixed_ips == ()


def test_exhausted_network_gives_no_address(new_cloud):
    cloud = new_cloud(hosts=1, cidr="10.0.0.0/29")
    server = cloud.boot()
    while add(cloud, server) == 202:
        pass
    assert add(cloud, server) == 400
    # Of 8 addresses one is the network's, one the gateway's, one the host's, one the broadcast.
    assert len(server.instance().vifs[0].fixed_ips) == 4
    server.delete()
    assert held(cloud) == []


def test_in_09_and_net_10_added_addresses_count_against_the_quota(new_cloud):
    cloud = new_cloud(quotas={"fixed_ips": 2})
    server = cloud.boot()
    assert add(cloud, server) == 202
    assert add(cloud, server) == 403
    assert remove(cloud, server, server.instance().vifs[0].more_fixed_ips[0]) == 202
    assert add(cloud, server) == 202


def test_in_09_every_interface_of_a_new_server_counts_against_the_quota(new_cloud):
    cloud = new_cloud(quotas={"fixed_ips": 2})
    wanted = [{"uuid": make_network(cloud, f"n{one}", f"10.{one}.0.0/24").uuid} for one in (1, 2)]
    wanted.append({"uuid": wanted[0]["uuid"]})
    body = {"name": "x", "flavorRef": "2", "imageRef": cloud.image_id, "networks": wanted}
    assert cloud.rest.at("2.37").post("/servers", {"server": body}).status_int == 403
    body["networks"] = wanted[:2]
    assert cloud.rest.at("2.37").post("/servers", {"server": body}).status_int == 202


def test_networks_come_in_the_order_of_the_request_and_may_repeat(cloud):
    ids = [make_network(cloud, f"n{one}", f"10.{one}.0.0/24").uuid for one in (1, 2)]
    server = cloud.boot(networks=[{"uuid": ids[1]}, {"uuid": ids[0]}, {"uuid": ids[1]}])
    vifs = server.instance().vifs
    assert [vif.network.uuid for vif in vifs] == [ids[1], ids[0], ids[1]]
    assert len({vif.fixed_ip for vif in vifs}) == 3


def test_one_address_is_not_wished_for_twice(cloud):
    network = make_network(cloud)
    wish = {"uuid": network.uuid, "fixed_ip": "10.1.0.77"}
    body = {"name": "x", "flavorRef": "2", "imageRef": cloud.image_id, "networks": [wish, wish]}
    assert cloud.rest.at("2.37").post("/servers", {"server": body}).status_int == 400


def test_net_10_a_thousand_failing_boots_leave_the_pool_unchanged():
    quotas = dict.fromkeys(ConductorSettings().quotas, UNLIMITED)
    settings = ConductorSettings(quotas=quotas)
    site = make_site(hosts=["host1"], settings=settings, cidr="10.0.0.0/25")
    networks, compute = site.conductor.networks, site.compute
    site.conductor.boot(compute)
    before = networks.list_fixed_ips(CONTEXT)
    for _ in range(25):
        compute.works.clear()
        uuids = site.conductor.create(min_count=40, max_count=40)
        assert len(uuids) == len(compute.works) == 40
        for work in compute.works:
            site.conductor.operations.finish(CONTEXT, result_of(work, succeeded=False))
    failed = site.conductor.get(uuids[-1])
    assert (failed.vm_state, failed.vifs) == (VmState.ERROR, ())
    assert networks.list_fixed_ips(CONTEXT) == before


def test_net_11_removed_address_is_not_given_before_its_lease_ends(cloud):
    server = cloud.boot()
    instance = server.instance()
    (vif,) = instance.vifs
    network = cloud.bus.client(NetworkAPI).on(instance.host)
    network.lease_fixed_ip(CONTEXT, vif.fixed_ip, vif.address)
    cloud.run_until_idle()
    assert remove(cloud, server, vif.fixed_ip) == 202
    assert owner(cloud, vif.fixed_ip) == server.uuid
    assert add(cloud, server) == 202
    assert vif.fixed_ip not in server.instance().vifs[0].fixed_ips
    network.release_fixed_ip(CONTEXT, vif.fixed_ip, vif.address)
    cloud.run_until_idle()
    assert owner(cloud, vif.fixed_ip) is None


def test_net_11_removed_address_stays_with_its_server_until_the_host_has_renewed_filters(cloud):
    server = cloud.boot()
    address, host = server.instance().vifs[0].fixed_ip, server.instance().host
    cloud.crash_compute(host)
    assert remove(cloud, server, address) == 202
    assert server.instance().vifs[0].fixed_ips == ()
    assert owner(cloud, address) == server.uuid
    cloud.restart_compute(host)
    assert owner(cloud, address) is None
