"""nova-network with a host in memory, over the in-process bus."""

import dataclasses
import functools
from typing import Any

import pytest

from nova.context import get_admin_context
from nova.exception import (
    CommandFailed,
    ConfigurationError,
    MessagingUnavailable,
    NetworkHostUnavailable,
)
from nova.network.bridges import Vlan
from nova.network.iptables import NO_RULES
from nova.network.manager import (
    FlatDHCPManager,
    FlatManager,
    NetworkManager,
    VlanManager,
    manager_class,
)
from nova.network.memory import MemoryHost
from nova.network.rpcapi import NetworkAPI
from nova.objects.floating_ip import HostFloatingIp
from nova.objects.network import HostNetwork
from nova.rpc.local import LocalBus
from tests.fixtures.crash import Killed
from tests.fixtures.floating import SettledAddresses
from tests.fixtures.networks import (
    HOST,
    NetworksConductor,
    make_binding,
    make_network,
    make_served,
    make_settings,
    make_vif,
    make_vlan,
)

CONTEXT = get_admin_context()
MAC, ADDRESS = "fa:16:3e:00:00:05", "10.0.1.5"


class Daemon:
    """A nova-network on the bus with everything around it."""

    def __init__(
        self,
        *served: HostNetwork,
        manager: type[NetworkManager] = FlatDHCPManager,
        **settings: Any,
    ) -> None:
        self.bus = LocalBus()
        self.conductor = NetworksConductor(*served)
        self.settled = SettledAddresses()
        self.bus.serve("conductor", "conductor1", [self.conductor, self.settled]).start()
        self.host = MemoryHost()
        self._make = functools.partial(
            manager, settings=make_settings(**settings), bus=self.bus, host=self.host
        )
        self.manager = self._make()
        self.bus.serve("network", HOST, [self.manager]).start()
        self.api = self.bus.client(NetworkAPI).on(HOST)

    def started(self) -> "Daemon":
        """Do what happens at the start of the daemon, and forget the log."""
        self.manager.init_host()
        self.manager.heal()
        self.host.log.clear()
        return self

    def restarted(self) -> "Daemon":
        """End the daemon without warning and start another on the same host."""
        self.manager = self._make()
        self.manager.init_host()
        return self

    def setup(self, number: int = 5, network: Any = None) -> None:
        """Set a server up over the bus."""
        vif = make_vif(number, network)
        self.api.setup_instance(CONTEXT, f"guest-{number}", f"vm{number}", (vif,), HOST)

    def hosts_file(self, bridge: str = "br1") -> list[str]:
        """Return the addresses that the DHCP server of a bridge hands out."""
        content = self.host.servers[bridge].files[0][1]
        return [line.split(",")[2] for line in content.splitlines()]


def test_start_makes_rules_then_bridges_but_leaves_dnsmasq_for_later() -> None:
    daemon = Daemon(make_served(), make_served(make_network(2)))
    daemon.manager.init_host()
    assert daemon.host.log == [
        ("forwarding", "169.254.169.254"),
        ("rules",),
        ("bridge", "br1"),
        ("bridge", "br2"),
    ]
    daemon.manager.heal()
    assert daemon.host.log[4:] == [("start dhcp", "br1"), ("start dhcp", "br2")]


def test_healing_a_sound_host_changes_nothing() -> None:
    daemon = Daemon(make_served()).started()
    daemon.manager.heal()
    daemon.api.networks_changed(CONTEXT)
    assert daemon.host.log == []


def test_healing_repairs() -> None:
    daemon = Daemon(make_served()).started()
    daemon.host.rules = ()
    daemon.host.bridges.clear()
    daemon.host.servers.clear()
    daemon.manager.heal()
    assert daemon.host.log == [("rules",), ("bridge", "br1"), ("start dhcp", "br1")]


@pytest.mark.logs_errors
def test_start_without_conductor_is_made_up_for() -> None:
    daemon = Daemon(make_served())
    daemon.conductor.errors.append(MessagingUnavailable())
    daemon.manager.init_host()
    assert daemon.host.rules == NO_RULES
    daemon.setup()
    assert daemon.hosts_file() == [ADDRESS]
    assert "br1" in daemon.host.bridges


def test_start_on_an_unfit_host_fails() -> None:
    daemon = Daemon(make_served())
    daemon.host.fail_next("check")
    with pytest.raises(CommandFailed):
        daemon.manager.init_host()


def test_server_costs_no_message_and_one_reload() -> None:
    daemon = Daemon(make_served()).started()
    before = len(daemon.bus.calls)
    daemon.setup()
    assert [call.method for call in daemon.bus.calls[before:]] == ["setup_instance"]
    assert daemon.host.log == [("reload dhcp", "br1")]
    daemon.setup()
    assert daemon.host.log == [("reload dhcp", "br1")]


def test_server_in_a_new_network_makes_it_be_read() -> None:
    daemon = Daemon().started()
    daemon.conductor.served = (make_served(),)
    daemon.setup()
    assert daemon.host.log == [
        ("rules",),
        ("bridge", "br1"),
        ("start dhcp", "br1"),
        ("reload dhcp", "br1"),
    ]


def test_server_in_a_network_of_another_host_is_refused() -> None:
    daemon = Daemon(make_served()).started()
    with pytest.raises(NetworkHostUnavailable):
        daemon.setup(5, make_network(2))


def test_failed_set_up_is_told_and_can_be_repeated() -> None:
    daemon = Daemon(make_served()).started()
    daemon.host.fail_next("ensure_server")
    with pytest.raises(CommandFailed):
        daemon.setup()
    daemon.setup()
    assert daemon.hosts_file() == [ADDRESS]


@pytest.mark.logs_errors
def test_one_broken_network_does_not_hold_up_others() -> None:
    daemon = Daemon(make_served(), make_served(make_network(2)))
    daemon.host.fail_next("ensure_bridge")
    with pytest.raises(CommandFailed):
        daemon.manager.heal()
    assert list(daemon.host.bridges) == ["br2"]
    assert sorted(daemon.host.servers) == ["br1", "br2"]
    daemon.manager.heal()
    assert sorted(daemon.host.bridges) == ["br1", "br2"]


def test_net_04_no_bridge_without_rules() -> None:
    daemon = Daemon(make_served())
    daemon.host.fail_next("apply_rules")
    with pytest.raises(CommandFailed):
        daemon.manager.heal()
    assert daemon.host.bridges == {}


def test_teardown_removes_the_entry_before_it_releases_the_lease() -> None:
    daemon = Daemon(make_served()).started()
    daemon.setup()
    daemon.host.log.clear()
    daemon.api.teardown_instance(CONTEXT, "guest-5", (make_vif(),))
    assert daemon.hosts_file() == []
    assert daemon.host.log == [("reload dhcp", "br1"), ("release", "br1", ADDRESS, MAC)]


def test_teardown_can_be_repeated_and_knows_no_network() -> None:
    daemon = Daemon(make_served()).started()
    for _ in range(2):
        daemon.api.teardown_instance(CONTEXT, "guest-5", (make_vif(),))
    daemon.api.teardown_instance(CONTEXT, "guest-5", (make_vif(5, make_network(9)),))


def test_teardown_survives_a_lease_that_is_not_released() -> None:
    daemon = Daemon(make_served()).started()
    daemon.host.fail_next("release_lease")
    daemon.api.teardown_instance(CONTEXT, "guest-5", (make_vif(),))


def test_without_force_dhcp_release_leases_run_out() -> None:
    daemon = Daemon(make_served(), force_dhcp_release=False).started()
    daemon.setup()
    daemon.api.teardown_instance(CONTEXT, "guest-5", (make_vif(),))
    assert not any(entry[0] == "release" for entry in daemon.host.log)


def test_net_11_address_goes_to_its_new_owner_only() -> None:
    daemon = Daemon(make_served(bindings=(make_binding(5),))).started()
    vif = make_vif(6, fixed_ip=ADDRESS)
    daemon.api.setup_instance(CONTEXT, "guest-6", "vm6", (vif,), HOST)
    assert daemon.host.servers["br1"].files[0][1] == (
        f"fa:16:3e:00:00:06,vm6.novalocal,{ADDRESS}\n"
    )


def test_multi_host_serves_guests_of_this_host() -> None:
    network = make_network(multi_host=True)
    daemon = Daemon(make_served(network, (make_binding(7, host="net2"),))).started()
    daemon.setup(5, network)
    assert daemon.hosts_file() == [ADDRESS]
    assert daemon.host.servers["br1"].files[2][1].count("\n") == 2


def test_removed_network_goes() -> None:
    daemon = Daemon(make_served(), make_served(make_network(2))).started()
    daemon.conductor.served = daemon.conductor.served[:1]
    daemon.manager.networks_changed(CONTEXT)
    assert daemon.host.log == [("rules",), ("stop dhcp", "br2"), ("remove bridge", "br2")]


def test_clearing_removes_everything() -> None:
    daemon = Daemon(make_served()).started()
    daemon.manager.clear_host()
    assert (daemon.host.bridges, daemon.host.servers) == ({}, {})
    assert not any(table.chains or table.hooks for table in daemon.host.rules)
    assert daemon.host.local_addresses == set()


def test_lease_events_reach_the_conductor() -> None:
    daemon = Daemon(make_served(bindings=(make_binding(5),))).started()
    daemon.api.lease_fixed_ip(CONTEXT, ADDRESS, MAC)
    daemon.api.release_fixed_ip(CONTEXT, ADDRESS, MAC)
    daemon.bus.run_until_idle()
    assert daemon.conductor.recorded == [
        (HOST, ADDRESS, MAC, True),
        (HOST, ADDRESS, MAC, False),
    ]


def test_lease_events_wait_for_the_conductor() -> None:
    daemon = Daemon(make_served()).started()
    daemon.conductor.errors.append(MessagingUnavailable())
    daemon.manager.lease_fixed_ip(CONTEXT, ADDRESS, MAC)
    assert daemon.conductor.recorded == []
    daemon.manager.heal()
    assert daemon.conductor.recorded == [(HOST, ADDRESS, MAC, True)]


def test_leases_come_from_the_conductor() -> None:
    held = make_binding(5, leased=True)
    daemon = Daemon(make_served(bindings=(held, make_binding(6)))).started()
    assert daemon.api.get_leases(CONTEXT, 1) == (held,)


def test_leases_of_all_networks_on_a_bridge() -> None:
    held = make_binding(5, leased=True)
    other = make_binding(6, address="10.0.2.6", leased=True)
    second = make_served(make_network(2, bridge="br1"), (other,))
    daemon = Daemon(make_served(bindings=(held,)), second).started()
    assert daemon.api.get_leases(CONTEXT, 1) == (held, other)


def test_leases_come_from_memory_when_the_conductor_is_away() -> None:
    daemon = Daemon(make_served(bindings=(make_binding(5), make_binding(6)))).started()
    daemon.manager.lease_fixed_ip(CONTEXT, ADDRESS, MAC)
    daemon.conductor.errors.append(MessagingUnavailable())
    leases = daemon.manager.get_leases(CONTEXT, 1)
    assert leases == (make_binding(5, leased=True),)


def test_leases_can_be_asked_for_while_dnsmasq_starts() -> None:
    """dnsmasq calls its script before its start is over, while the host is being changed."""

    @dataclasses.dataclass
    class AskingHost(MemoryHost):
        asked: list[object] = dataclasses.field(default_factory=list)

        def ensure_server(self, server: Any, *, may_start: bool = True) -> bool:
            self.asked.append(daemon.api.get_leases(CONTEXT, server.network_id))
            daemon.manager.lease_fixed_ip(CONTEXT, ADDRESS, MAC)
            return True

    daemon = Daemon(make_served(bindings=(make_binding(5, leased=True),)))
    daemon.manager._host = AskingHost()
    daemon.manager.heal()
    assert daemon.manager._host.asked == [(make_binding(5, leased=True),)]


def test_stale_addresses_are_freed_by_the_conductor() -> None:
    daemon = Daemon(make_served(), fixed_ip_disassociate_timeout_s=99).started()
    daemon.conductor.stale = ("10.0.1.8",)
    daemon.manager.disassociate_stale()
    assert daemon.conductor.asked == [(HOST, 99)]


def test_periodic_tasks() -> None:
    tasks = {task.name: task for task in Daemon(heal_interval_s=30).manager.periodic_tasks()}
    assert (tasks["heal"].interval_s, tasks["heal"].initial_delay_s) == (30, 0)
    assert tasks["disassociate-stale"].interval_s == 60


def test_only_known_managers() -> None:
    assert manager_class("nova.network.manager.FlatDHCPManager") is FlatDHCPManager
    assert manager_class("nova.network.manager.VlanManager") is VlanManager
    assert manager_class("nova.network.manager.FlatManager") is FlatManager
    with pytest.raises(ConfigurationError, match=r"nova\.x is not one of: .*\.VlanManager"):
        manager_class("nova.x")


def test_flat_manager_leaves_the_host_alone() -> None:
    daemon = Daemon(make_served(make_network(injected=True)), manager=FlatManager)
    daemon.manager.init_host()
    daemon.manager.heal()
    daemon.setup()
    daemon.api.teardown_instance(CONTEXT, "guest-5", (make_vif(5),))
    assert daemon.host.log == []


def test_flat_manager_removes_what_another_manager_left() -> None:
    daemon = Daemon(make_served()).started()
    settings = make_settings()
    FlatManager(settings=settings, bus=daemon.bus, host=daemon.host).heal()
    assert (daemon.host.bridges, daemon.host.servers) == ({}, {})
    assert daemon.host.rules == NO_RULES


def test_vlan_manager_makes_vlan_bridge_and_dhcp_of_each_network() -> None:
    daemon = Daemon(make_served(make_vlan()), make_served(make_vlan(2)), manager=VlanManager)
    daemon.started()
    assert [one.vlan for one in daemon.host.bridges.values()] == [
        Vlan(id=101, interface="eth1"),
        Vlan(id=102, interface="eth1"),
    ]
    assert list(daemon.host.servers) == ["br101", "br102"]


def test_net_13_vlan_of_a_deleted_network_goes() -> None:
    daemon = Daemon(make_served(make_vlan()), manager=VlanManager).started()
    daemon.conductor.served = ()
    daemon.manager.networks_changed(CONTEXT)
    assert daemon.host.log == [("rules",), ("stop dhcp", "br101"), ("remove bridge", "br101")]


def unused(**changes: Any) -> Daemon:
    served = make_served(make_vlan(multi_host=True, share_address=True), **changes)
    return Daemon(served, manager=VlanManager, teardown_unused_network_gateway=True).started()


def test_unused_gateway_comes_with_the_first_guest_and_goes_with_the_last() -> None:
    daemon, network = unused(), make_vlan(multi_host=True, share_address=True)
    assert daemon.host.bridges == {}
    daemon.setup(5, network)
    assert daemon.hosts_file("br101") == ["10.0.1.5"]
    daemon.setup(6, network)
    daemon.api.teardown_instance(CONTEXT, "guest-5", (make_vif(5, network),))
    assert daemon.hosts_file("br101") == ["10.0.1.6"]
    daemon.api.teardown_instance(CONTEXT, "guest-6", (make_vif(6, network),))
    assert (daemon.host.bridges, daemon.host.servers) == ({}, {})


def test_gateway_is_kept_without_the_option() -> None:
    served = make_served(make_vlan(multi_host=True))
    assert "br101" in Daemon(served, manager=VlanManager).started().host.bridges


def test_guests_of_other_hosts_need_no_gateway_here() -> None:
    assert unused(bindings=(make_binding(5, host="net2"),)).host.bridges == {}
    assert "br101" in unused(bindings=(make_binding(5),)).host.bridges


DUAL = make_network(cidr_v6="fd00:1::/64", gateway_v6="fd00:1::1")


def test_ipv6_network_has_a_radvd_and_loses_it() -> None:
    daemon = Daemon(make_served(DUAL), use_ipv6=True)
    daemon.manager.init_host()
    assert daemon.host.log == [
        ("forwarding", "169.254.169.254"),
        ("rules",),
        ("IPv6 rules",),
        ("forwarding IPv6",),
        ("bridge", "br1"),
        ("start radvd", "br1"),
    ]
    daemon.manager.heal()
    daemon.host.log.clear()
    daemon.manager.heal()
    assert daemon.host.log == []
    daemon.conductor.served = (make_served(),)
    daemon.manager.heal()
    assert ("stop radvd", "br1") in daemon.host.log


@pytest.mark.logs_errors
def test_radvd_that_does_not_start_does_not_hold_up_others() -> None:
    daemon = Daemon(make_served(DUAL), use_ipv6=True)
    daemon.host.fail_next("ensure_advertiser")
    with pytest.raises(CommandFailed):
        daemon.manager.heal()
    assert "br1" in daemon.host.servers
    daemon.manager.heal()
    assert "br1" in daemon.host.advertisers


def test_way_out_is_the_first_interface_of_all_networks() -> None:
    daemon = Daemon(make_served(), use_single_default_gateway=True).started()
    for way_out, line in (("vif-5", "tag:NW-vif-5,3,10.0.1.1"), ("vif-9", "tag:NW-vif-5,3")):
        vif = make_vif(5)
        daemon.api.setup_instance(CONTEXT, "guest-5", "vm5", (vif,), HOST, way_out)
        options = daemon.host.servers["br1"].files[1][1]
        assert options == f"3,10.0.1.1\n{line}\n"


@pytest.mark.logs_errors
def test_teardown_does_not_wait_for_a_network_that_can_not_be_set_up() -> None:
    daemon = Daemon(make_served(), make_served(make_network(2))).started()
    daemon.setup()
    daemon.host.fail_next("ensure_bridge", times=2)
    with pytest.raises(CommandFailed):
        daemon.manager.heal()
    daemon.host.fail_next("ensure_bridge", times=2)
    daemon.api.teardown_instance(CONTEXT, "guest-5", (make_vif(5),))
    assert daemon.hosts_file() == []


F, G = "203.0.113.5", "203.0.113.6"


@pytest.mark.parametrize(
    "operation",
    [
        "remove_floating_address",
        "apply_rules",
        "cut_connections",
        "ensure_bridge",
        "ensure_server",
        "ensure_floating_address",
        "remove_bridge",
    ],
)
def test_killed_while_applying_the_next_start_heals(operation: str) -> None:
    former = make_served(floating_ips=(HostFloatingIp(address=F, fixed_ip=ADDRESS),))
    gone, new = make_served(make_network(2)), make_served(make_network(3))
    wanted = dataclasses.replace(
        former,
        floating_ips=(HostFloatingIp(address=F), HostFloatingIp(address=G, fixed_ip=ADDRESS)),
    )
    daemon = Daemon(former, gone).started()
    daemon.conductor.served = (wanted, new)
    daemon.host.fail_next(operation, error=Killed())
    with pytest.raises(Killed):
        daemon.manager.heal()
    daemon.restarted().manager.heal()
    undisturbed = Daemon(wanted, new).started().host
    assert daemon.host.rules == undisturbed.rules
    assert daemon.host.bridges == undisturbed.bridges
    assert daemon.host.servers == undisturbed.servers
    assert daemon.host.floating == undisturbed.floating == {G: "eth0"}
    assert ("cut", F) in daemon.host.log
    assert set(daemon.settled.addresses) == {F}
