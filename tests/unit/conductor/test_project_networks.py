"""Networks that projects own, with VlanManager and without."""

import pytest

from nova.conductor.network_plan import ManagerKind, NetworkDefaults
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.exception import (
    FixedIpNotFound,
    FlavorNotFound,
    NetworkChoiceForbidden,
    NetworkHasProject,
    NetworkInUse,
    NetworkNotFound,
    NetworkNotOwned,
    NoMoreNetworks,
    NotSupported,
    QuotaExceeded,
)
from nova.objects.instance import EVERYBODY, Scope
from nova.objects.network import NetworkMode, NewNetwork, RequestedNetwork
from tests.fixtures.conductor import PROJECT, make_conductor, make_site, seed_network

ADMIN = get_admin_context()
P1 = Scope(project_id="p1")
UNKNOWN = "99999999-2222-4333-8444-555555555555"


def vlan_settings(**changes):
    defaults = NetworkDefaults(manager=ManagerKind.VLAN, vlan_interface="eth1", **changes)
    return ConductorSettings(network=defaults)


@pytest.fixture
def site():
    """Return a site with VlanManager and two VLANs of nobody."""
    site = make_site(settings=vlan_settings(), bridge=None)
    seed_network(site.conductor, label="second", cidr="10.1.0.0/24", bridge=None)
    return site


def networks_of(site, project):
    found = site.conductor.networks.list_networks(ADMIN)
    return [network.label for network in found if network.project_id == project]


def boot(site, project=PROJECT):
    (uuid,) = site.conductor.create(project_id=project)
    return site.conductor.get(uuid)


def test_first_server_of_a_project_brings_it_a_network(site):
    assert networks_of(site, PROJECT) == []
    assert [vif.network.label for vif in boot(site).vifs] == ["private"]
    assert [vif.network.label for vif in boot(site).vifs] == ["private"]
    assert networks_of(site, PROJECT) == ["private"]


def test_net_13_no_network_is_given_to_two_projects(site):
    for project, label in (("p1", "private"), ("p2", "second")):
        assert [vif.network.label for vif in boot(site, project).vifs] == [label]
    with pytest.raises(NoMoreNetworks):
        site.conductor.create(project_id="p3")
    assert boot(site, "p1").vifs[0].network.project_id == "p1"


def test_refused_request_leaves_the_network_to_others(site):
    with pytest.raises(FlavorNotFound):
        site.conductor.create(project_id="p1", flavorid="missing")
    assert networks_of(site, "p1") == []


def test_net_13_network_with_servers_is_not_given_away_when_its_project_lost_it(site):
    server = boot(site, "p1")
    network = server.vifs[0].network
    site.conductor.networks.disassociate(ADMIN, EVERYBODY, network.uuid)
    assert [vif.network.label for vif in boot(site, "p2").vifs] == ["second"]
    with pytest.raises(NoMoreNetworks):
        site.conductor.networks.associate(ADMIN, "p3", network.uuid)
    with pytest.raises(NetworkInUse):
        site.conductor.networks.set_project(ADMIN, EVERYBODY, network.uuid, "p3")
    site.conductor.networks.set_project(ADMIN, EVERYBODY, network.uuid, "p1")
    assert networks_of(site, "p1") == ["private"]


def test_net_13_vlan_of_nobody_is_not_used_without_being_given(site):
    wish = (RequestedNetwork(network_uuid=site.network.uuid),)
    with pytest.raises(NetworkNotFound):
        site.conductor.create(network_mode=NetworkMode.EXPLICIT, networks=wish)


def test_server_without_networks_takes_none_from_the_pool(site):
    site.conductor.create(network_mode=NetworkMode.NONE)
    assert networks_of(site, PROJECT) == []


def test_networks_come_in_order_of_their_priority(site):
    for label, cidr, priority in (("b", "10.5.0.0/24", 7), ("a", "10.6.0.0/24", 3)):
        seed_network(
            site.conductor,
            label=label,
            cidr=cidr,
            bridge=None,
            project_id=PROJECT,
            priority=priority,
        )
    assert [vif.network.label for vif in boot(site).vifs] == ["a", "b"]


def test_associate_gives_the_one_named_or_the_next(site):
    networks = site.conductor.networks
    second = next(one for one in networks.list_networks(ADMIN) if one.label == "second")
    assert networks.associate(ADMIN, "p1", second.uuid).project_id == "p1"
    assert networks.associate(ADMIN, "p1", second.uuid).label == "second"
    assert networks.associate(ADMIN, "p1").label == "private"
    for wish in (None, UNKNOWN, second.uuid):
        with pytest.raises(NoMoreNetworks):
            networks.associate(ADMIN, "p2", wish)
    assert [one.label for one in networks.disassociate_all(ADMIN, "p1")] == ["private", "second"]
    assert networks_of(site, "p1") == []


def test_only_vlans_are_given_to_projects():
    site = make_site()
    with pytest.raises(NotSupported):
        site.conductor.networks.associate(ADMIN, "p1")
    assert boot(site).vifs[0].network.project_id is None


def test_host_of_a_network_is_set_and_cleared(site):
    networks, uuid = site.conductor.networks, site.network.uuid
    networks.set_host(ADMIN, EVERYBODY, uuid, "net1")
    assert networks.get(ADMIN, uuid).host == "net1"
    networks.set_host(ADMIN, EVERYBODY, uuid, None)
    assert networks.get(ADMIN, uuid).host is None
    for change in (networks.set_host, networks.set_project):
        with pytest.raises(NetworkNotFound):
            change(ADMIN, EVERYBODY, UNKNOWN, "x")
    with pytest.raises(NetworkNotFound):
        networks.disassociate(ADMIN, EVERYBODY, UNKNOWN)


def test_network_with_a_project_is_deleted_on_demand_only(site):
    networks, uuid = site.conductor.networks, site.network.uuid
    networks.associate(ADMIN, "p1", uuid)
    with pytest.raises(NetworkHasProject):
        networks.delete(ADMIN, uuid)
    networks.delete(ADMIN, uuid, require_disassociated=False)
    with pytest.raises(NetworkNotFound):
        networks.get(ADMIN, uuid)


def test_project_deletes_its_own_networks_only():
    conductor = make_conductor()
    shared = seed_network(conductor, label="shared")
    own = seed_network(conductor, label="own", cidr="10.1.0.0/24", project_id="p1")
    with pytest.raises(NetworkNotOwned):
        conductor.networks.delete_of_project(ADMIN, "p1", shared.uuid)
    with pytest.raises(NetworkNotFound):
        conductor.networks.delete_of_project(ADMIN, "p2", own.uuid)
    conductor.networks.delete_of_project(ADMIN, "p1", own.uuid)
    assert [one.label for one in conductor.networks.list_networks(ADMIN)] == ["shared"]


@pytest.mark.parametrize(
    "change",
    [
        lambda networks, uuid: networks.disassociate(ADMIN, P1, uuid),
        lambda networks, uuid: networks.set_host(ADMIN, P1, uuid, "net9"),
        lambda networks, uuid: networks.set_project(ADMIN, P1, uuid, None),
        lambda networks, uuid: networks.delete_of_project(ADMIN, "p1", uuid),
    ],
    ids=["disassociate", "set_host", "set_project", "delete"],
)
def test_net_13_project_that_may_change_networks_reaches_its_own_only(change):
    conductor = make_conductor()
    shared = seed_network(conductor, label="shared")
    foreign = seed_network(conductor, label="foreign", cidr="10.1.0.0/24", project_id="p2")
    own = seed_network(conductor, label="own", cidr="10.2.0.0/24", project_id="p1")
    free = seed_network(conductor, label="free", cidr="10.3.0.0/24", vlan=9)
    networks = conductor.networks
    with pytest.raises(NetworkNotOwned):
        change(networks, shared.uuid)
    for uuid in (foreign.uuid, free.uuid, foreign.cidr):
        with pytest.raises(NetworkNotFound):
            change(networks, uuid)
    before = {shared, foreign, free}
    assert before <= set(networks.list_networks(ADMIN))
    change(networks, own.uuid)
    assert own not in networks.list_networks(ADMIN)


@pytest.mark.parametrize(
    "chosen", [{"bridge": "br1"}, {"bridge_interface": "eth1"}, {"vlan": 9}, {"project_id": "p2"}]
)
def test_net_13_project_that_makes_a_network_does_not_choose_its_segment(chosen):
    networks = make_conductor(settings=vlan_settings()).networks
    new = NewNetwork(label="own", cidr="10.0.0.0/24", **chosen)
    with pytest.raises(NetworkChoiceForbidden, match=next(iter(chosen))):
        networks.create_for_project(ADMIN, "p1", new)
    assert networks.list_networks(ADMIN) == ()


def test_project_sees_addresses_of_its_own_networks_only():
    conductor = make_conductor()
    seed_network(conductor, label="foreign", cidr="10.1.0.0/24", project_id="p2")
    seed_network(conductor, label="own", cidr="10.2.0.0/24", project_id="p1")
    networks = conductor.networks
    for ask in (networks.get_fixed_ip, lambda *named: networks.set_reserved(*named, True)):
        with pytest.raises(FixedIpNotFound):
            ask(ADMIN, P1, "10.1.0.5")
    assert not networks.get_fixed_ip(ADMIN, EVERYBODY, "10.1.0.5").reserved
    networks.set_reserved(ADMIN, P1, "10.2.0.5", True)
    assert networks.get_fixed_ip(ADMIN, P1, "10.2.0.5").reserved


def test_networks_that_a_project_makes_end_at_the_quota():
    conductor = make_conductor(settings=vlan_settings(per_project=2))
    networks = conductor.networks
    new = NewNetwork(label="own", cidr="10.0.0.0/23", num_networks=2)
    assert len(networks.create_for_project(ADMIN, "p1", new)) == 2
    more = NewNetwork(label="more", cidr="10.8.0.0/24")
    with pytest.raises(QuotaExceeded):
        networks.create_for_project(ADMIN, "p1", more)
    (made,) = networks.create_for_project(ADMIN, "p2", more)
    assert made.project_id == "p2"


def test_reserved_address_is_given_to_no_server():
    site = make_site()
    networks = site.conductor.networks
    networks.set_reserved(ADMIN, EVERYBODY, "10.0.0.3", True)
    assert networks.get_fixed_ip(ADMIN, EVERYBODY, "10.0.0.3").reserved
    assert boot(site).vifs[0].fixed_ip != "10.0.0.3"
    networks.set_reserved(ADMIN, EVERYBODY, "10.0.0.3", False)
    server = boot(site)
    assert server.vifs[0].fixed_ip == "10.0.0.3"
    found = networks.get_fixed_ip(ADMIN, EVERYBODY, "10.0.0.3")
    assert (found.instance_uuid, found.hostname, found.host) == (server.uuid, "web", "host1")
    assert (found.network_label, found.cidr, found.lost) == ("private", "10.0.0.0/24", False)
    with pytest.raises(FixedIpNotFound):
        networks.set_reserved(ADMIN, EVERYBODY, "192.0.2.1", True)
    with pytest.raises(FixedIpNotFound):
        networks.get_fixed_ip(ADMIN, EVERYBODY, "192.0.2.1")


def test_addresses_are_listed_in_pages_and_by_host():
    site = make_site()
    seed_network(site.conductor, label="large", cidr="10.16.0.0/21", network_size=2048)
    server = boot(site)
    networks = site.conductor.networks
    own = networks.list_fixed_ips(ADMIN, host="host1")
    assert [one.address for one in own] == [vif.fixed_ip for vif in server.vifs]
    found, page = 0, networks.list_fixed_ips(ADMIN)
    while page:
        found += len(page)
        page = networks.list_fixed_ips(ADMIN, after=page[-1].address)
    assert found == 256 + 2048
