"""The life of an address between nova-network and the real conductor."""

from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import get_admin_context
from nova.network.rpcapi import NetworkAPI
from nova.objects.instance import Instance
from tests.fixtures.cloud import Cloud

CONTEXT = get_admin_context()


def held(cloud: Cloud, host: str) -> list[str]:
    """Return the addresses that nova-dhcpbridge init would print on a host."""
    network = cloud.hosts[host].network_manager
    assert network is not None
    [served] = cloud.bus.client(ConductorNetworks).anyone().host_networks(CONTEXT, host)
    return [one.address for one in network.get_leases(CONTEXT, served.network.id)]


def tell(cloud: Cloud, instance: Instance, *, leased: bool) -> None:
    """Do what nova-dhcpbridge does when a guest takes or gives back its address."""
    [vif] = instance.vifs
    network = cloud.bus.client(NetworkAPI).on(instance.host or "")
    send = network.lease_fixed_ip if leased else network.release_fixed_ip
    send(CONTEXT, vif.fixed_ip or "", vif.address)
    cloud.run_until_idle()


def test_lease_of_a_guest_is_known_until_it_is_given_back(cloud: Cloud) -> None:
    server = cloud.boot()
    instance = server.instance()
    assert instance.host and held(cloud, instance.host) == []
    tell(cloud, instance, leased=True)
    assert held(cloud, instance.host) == [instance.vifs[0].fixed_ip]
    server.delete()
    tell(cloud, instance, leased=False)
    assert held(cloud, instance.host) == []
    cloud.assert_nothing_left()


def test_lease_survives_restarts_of_both_sides(cloud: Cloud) -> None:
    instance = cloud.boot().instance()
    assert instance.host
    tell(cloud, instance, leased=True)
    cloud.crash_network(instance.host)
    cloud.restart_conductor()
    cloud.start_network(instance.host)
    assert held(cloud, instance.host) == [instance.vifs[0].fixed_ip]
    assert len(cloud.dhcp_lines()) == 1


def test_lease_that_comes_while_the_conductor_is_away_is_told_later(cloud: Cloud) -> None:
    instance = cloud.boot().instance()
    assert instance.host
    cloud.stop_conductor()
    tell(cloud, instance, leased=True)
    cloud.start_conductor()
    network = cloud.hosts[instance.host].network_manager
    assert network is not None
    network.heal()
    assert held(cloud, instance.host) == [instance.vifs[0].fixed_ip]


def test_net_11_address_is_not_given_again_before_its_lease_ended(cloud: Cloud) -> None:
    first = cloud.boot()
    instance = first.instance()
    tell(cloud, instance, leased=True)
    first.delete()
    second = cloud.boot().instance()
    assert second.vifs[0].fixed_ip != instance.vifs[0].fixed_ip
    network = cloud.hosts[instance.host or ""].network_manager
    assert network is not None
    cloud.advance(650)
    network.disassociate_stale()
    addresses = {cloud.boot().instance().vifs[0].fixed_ip for _ in range(3)}
    assert instance.vifs[0].fixed_ip in addresses
