"""Projects, IPv6 and shared addresses of nova-network on a real kernel."""

import dataclasses
import os
import pathlib
import pwd
import re
import shutil
import sys
import time
from collections.abc import Iterator

import pytest

from nova.context import get_admin_context
from nova.network.linux import LinuxHost
from nova.privileged import advertising
from nova.privileged import context as privileged_context
from tests.fixtures.network_lab import HOST_ADDRESS, WORLD_ADDRESS, NetworkLab, run
from tests.fixtures.networks import HOST, make_binding, make_network, make_served, make_vif
from tests.integration.test_network import Host, helper_process, new_manager, privileges, wait_until

PROGRAMS = ("ip", "dnsmasq", "iptables-restore", "ip6tables-restore", "ebtables", "busybox")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
    pytest.mark.skipif(
        not all(shutil.which(one) for one in PROGRAMS), reason=f"needs {', '.join(PROGRAMS)}"
    ),
]
needs_radvd = pytest.mark.skipif(not shutil.which("radvd"), reason="needs radvd")

CONTEXT = get_admin_context()
PORT = 9000
DUAL = make_network(cidr_v6="fd00:1::/64", gateway_v6="fd00:1::1")
EUI64 = "fd00:1::f816:3eff:fe00:5"

_SNIFFER = """
import socket, sys, time
sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
sniffer.bind((sys.argv[1], 0))
sniffer.settimeout(0.2)
print("ready", flush=True)
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    try:
        frame = sniffer.recv(2000)
    except TimeoutError:
        continue
    if frame[12:14] == b"\\x86\\xdd":
        print(frame[6:12].hex(":"), frame[22:38].hex(), flush=True)
"""


@pytest.fixture
def folder() -> Iterator[pathlib.Path]:
    """Give a folder that unprivileged users can enter."""
    path = pathlib.Path(f"/tmp/nm-{os.getpid()}-{time.monotonic_ns()}")
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def lab(folder: pathlib.Path) -> Iterator[NetworkLab]:
    """Give namespaces with three guests, and take them away again."""
    made = NetworkLab(folder, guests=3)
    try:
        made.open()
        yield made
    finally:
        made.close()


@dataclasses.dataclass
class Site:
    """Makes the host of a lab with given networks and settings."""

    lab: NetworkLab
    folder: pathlib.Path

    def start(self, *served: object, **settings: object) -> Host:
        """Start nova-network."""
        host = self.prepare(*served, **settings)
        host.start()
        return host

    def prepare(self, *served: object, **settings: object) -> Host:
        """Return a host that is not started."""
        host = Host.make(self.lab, self.folder, *served)
        host.settings = dataclasses.replace(host.settings, radvd_user="nobody", **settings)
        host.manager = new_manager(host.settings, host.conductor)
        return host


@pytest.fixture
def site(lab: NetworkLab, folder: pathlib.Path) -> Iterator[Site]:
    """Give what makes hosts; privileged functions run in this process."""
    made = Site(lab, folder)
    with privileges(made.prepare(make_served()).settings):
        yield made


def guest_in(lab: NetworkLab, number: int, network: int) -> str:
    """Plug guest NUMBER into the bridge of a network and let it listen; return its address."""
    address = f"10.0.{network}.5"
    lab.plug(number, f"br{network}", f"fa:16:3e:00:0{network}:05")
    lab.configure(number, f"{address}/24", f"10.0.{network}.1")
    lab.listen(lab.guests[number], address, PORT)
    return address


def saved(lab: NetworkLab, program: str) -> list[str]:
    lines = lab.inside(lab.host, f"{program}-save").splitlines()
    return sorted(line.split(" [")[0] for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("opened", [False, True])
def test_net_13_projects_are_apart_and_networks_of_one_are_joined(site: Site, opened: bool) -> None:
    """Also when rules that come first, as nova-compute's may, let everything through."""
    site.start(
        make_served(make_network(1, project_id="one")),
        make_served(make_network(2, project_id="two")),
        make_served(make_network(3, project_id="one")),
    )
    lab = site.lab
    if opened:
        run("ip", "netns", "exec", lab.host, "iptables", "-w", "-I", "FORWARD", "-j", "ACCEPT")
    first, second, third = (guest_in(lab, number, number) for number in (1, 2, 3))
    assert lab.call(lab.guests[1], third, PORT) == first
    assert lab.call(lab.guests[3], first, PORT) == third
    assert lab.call(lab.guests[1], second, PORT) == "closed"
    assert lab.call(lab.guests[2], first, PORT) == "closed"


def test_net_13_translated_address_leads_to_another_project(site: Site) -> None:
    site.start(
        make_served(make_network(1, project_id="one")),
        make_served(make_network(2, project_id="two")),
    )
    lab = site.lab
    first, second = guest_in(lab, 1, 1), guest_in(lab, 2, 2)
    run("ip", "netns", "exec", lab.host, "iptables", "-w", "-t", "nat", "-A", "PREROUTING",
        "-d", "198.51.100.77", "-j", "DNAT", "--to-destination", second)  # fmt: skip
    assert lab.call(lab.guests[1], "198.51.100.77", PORT) == first


def test_net_15_guest_of_another_project_can_not_ask_the_name_server(site: Site) -> None:
    """Names of servers stay in their project, though the host has both gateways."""
    host = site.start(
        make_served(make_network(1, project_id="one")),
        make_served(make_network(2, project_id="two")),
    )
    host.boot(5, guest=1)
    lab = site.lab
    lab.plug(2, "br2", "fa:16:3e:00:02:05")
    lab.configure(2, "10.0.2.5/24", "10.0.2.1")
    question = ("timeout", "4", "busybox", "nslookup", "vm5.novalocal", "10.0.1.1")
    assert "10.0.1.5" in lab.inside(lab.guests[1], *question)
    assert "10.0.1.5" not in lab.inside(lab.guests[2], *question)
    assert lab.call(lab.guests[2], "10.0.1.1", 53) == "closed"


def test_networks_that_belong_to_all_are_joined(site: Site) -> None:
    site.start(make_served(), make_served(make_network(2)))
    first, second = guest_in(site.lab, 1, 1), guest_in(site.lab, 2, 2)
    assert site.lab.call(site.lab.guests[1], second, PORT) == first


def test_network_without_gateway_reaches_nothing(site: Site) -> None:
    site.start(make_served(), make_served(make_network(2), gateway=None))
    lab = site.lab
    first, second = guest_in(lab, 1, 1), guest_in(lab, 2, 2)
    lab.listen(lab.world, WORLD_ADDRESS, PORT)
    assert lab.call(lab.guests[1], WORLD_ADDRESS, PORT) == HOST_ADDRESS
    assert lab.call(lab.guests[2], WORLD_ADDRESS, PORT) == "closed"
    assert lab.call(lab.guests[1], second, PORT) == "closed"
    assert lab.call(lab.guests[2], first, PORT) == "closed"


def link_local(lab: NetworkLab, device: str) -> str:
    shown = lab.inside(lab.host, "ip", "-6", "-o", "addr", "show", "dev", device)
    found = re.search(r"inet6 (fe80::\S+)/64", shown)
    assert found, shown
    return found[1]


def with_slaac(site: Site) -> None:
    """Plug guest 1 into br1 and wait for its IPv6 address."""
    lab = site.lab
    lab.plug(1, "br1", "fa:16:3e:00:00:05")
    wait_until(lambda: EUI64 in lab.inside(lab.guests[1], "ip", "-6", "addr"), timeout_s=20)


@needs_radvd
def test_radvd_gives_a_guest_its_address_and_router(site: Site) -> None:
    other = make_network(2, cidr_v6="fd00:2::/64", gateway_v6="fd00:2::1")
    site.start(make_served(DUAL), make_served(other), use_ipv6=True)
    with_slaac(site)
    lab = site.lab
    route = lab.inside(lab.guests[1], "ip", "-6", "route", "show", "default")
    assert f"via {link_local(lab, 'br1')} dev eth0" in route
    lab.plug(2, "br2", "fa:16:3e:00:00:06")
    there = "fd00:2::f816:3eff:fe00:6"
    wait_until(lambda: there in lab.inside(lab.guests[2], "ip", "-6", "addr"), timeout_s=20)
    lab.listen(lab.guests[2], "::", PORT)
    wait_until(lambda: lab.call(lab.guests[1], there, PORT) == EUI64)


@needs_radvd
def test_net_13_projects_are_apart_in_ipv6(site: Site) -> None:
    other = make_network(2, cidr_v6="fd00:2::/64", gateway_v6="fd00:2::1", project_id="two")
    first = dataclasses.replace(DUAL, project_id="one")
    site.start(make_served(first), make_served(other), use_ipv6=True)
    with_slaac(site)
    lab = site.lab
    lab.plug(2, "br2", "fa:16:3e:00:00:06")
    there = "fd00:2::f816:3eff:fe00:6"
    wait_until(lambda: there in lab.inside(lab.guests[2], "ip", "-6", "addr"), timeout_s=20)
    lab.listen(lab.guests[2], "::", PORT)
    assert lab.call(lab.guests[1], there, PORT) == "closed"


@needs_radvd
def test_net_02_guest_reaches_no_port_of_the_host_by_ipv6(site: Site) -> None:
    run("ip", "-n", site.lab.host, "addr", "add", "fd00:99::1/64", "dev", "pub0", "nodad")
    site.start(make_served(DUAL), use_ipv6=True)
    with_slaac(site)
    lab = site.lab
    lab.listen(lab.host, "::", 7777)
    for address in ("fd00:1::1", "fd00:99::1", f"{link_local(lab, 'br1')}%eth0"):
        assert lab.call(lab.guests[1], address, 7777) == "closed"
    assert lab.call(lab.host, "fd00:1::1", 7777) == "fd00:1::1"


@needs_radvd
def test_ipv6_only_network(site: Site) -> None:
    network = dataclasses.replace(
        DUAL, cidr=None, netmask=None, broadcast=None, gateway=None, dhcp_server=None
    )
    host = site.start(make_served(network), use_ipv6=True)
    with_slaac(site)
    assert host.dnsmasq() is None


@needs_radvd
def test_radvd_is_unprivileged_heals_and_goes(site: Site) -> None:
    host = site.start(make_served(DUAL), use_ipv6=True)
    folder = host.settings.networks_path
    process = advertising.find_radvd_process(folder, "br1")
    uid = pwd.getpwnam("nobody").pw_uid
    assert f"Uid:\t{uid}\t" in pathlib.Path(f"/proc/{process}/status").read_text()
    host.manager = new_manager(host.settings, host.conductor)
    host.start()
    assert advertising.find_radvd_process(folder, "br1") == process
    os.kill(process or 0, 9)
    wait_until(lambda: advertising.find_radvd_process(folder, "br1") is None)
    with site.lab.as_host():
        host.manager.heal()
    assert advertising.find_radvd_process(folder, "br1") not in (None, process)
    host.conductor.served = (make_served(),)
    with site.lab.as_host():
        host.manager.networks_changed(CONTEXT)
    wait_until(lambda: advertising.find_radvd_process(folder, "br1") is None)
    assert not any(name.startswith("nova-ra-") for name in os.listdir(folder))
    assert "inet6" not in site.lab.inside(site.lab.host, "ip", "addr", "show", "dev", "br1")


@needs_radvd
def test_hst_01_ipv6_works_with_the_capabilities_of_the_context(
    lab: NetworkLab, folder: pathlib.Path
) -> None:
    site = Site(lab, folder)
    host = site.prepare(make_served(DUAL), use_ipv6=True)
    with helper_process(lab, host.settings):
        host.start()
        with_slaac(site)
        lab.unplug(1)
        host.manager.clear_host()
    assert saved(lab, "ip6tables") == [] or "nova" not in str(saved(lab, "ip6tables"))
    assert "br1" not in lab.inside(lab.host, "ip", "link")
    assert privileged_context.network_pctxt.channel is None


def sniffed(lab: NetworkLab, action: object) -> set[str]:
    """Return the source addresses of IPv6 frames that come out of card0 meanwhile."""
    sniffer = lab.start(
        "ip", "netns", "exec", lab.world, sys.executable, "-c", _SNIFFER, "wire0", "6"
    )
    assert sniffer.stdout is not None
    assert sniffer.stdout.readline() == "ready\n"
    action()
    return {line.split()[0] for line in sniffer.stdout.read().splitlines()}


def test_net_03_new_bridges_are_never_up_with_ipv6(site: Site) -> None:
    lab = site.lab
    for namespace, card in ((lab.host, "card0"), (lab.world, "wire0")):
        path = f"/proc/sys/net/ipv6/conf/{card}/disable_ipv6"
        lab.inside(namespace, "sh", "-c", f"echo 1 > {path}")
    host = site.prepare(make_served(make_network(bridge_interface="card0")))
    shell = LinuxHost(host.settings.networks_path)
    bridges = host.manager.plan(host.conductor.served).bridges

    def make_often() -> None:
        with lab.as_host():
            for _ in range(20):
                for bridge in bridges:
                    shell.ensure_bridge(bridge)
                    time.sleep(0.05)
                    assert shell.remove_bridge(bridge.name)

    assert sniffed(lab, make_often) == set()


def test_net_14_bridges_learn_and_keep_what_they_learnt(site: Site) -> None:
    site.start(make_served())
    shown = site.lab.inside(site.lab.host, "ip", "-d", "link", "show", "br1")
    assert "ageing_time 30000" in shown


@pytest.mark.parametrize("shared", [False, True])
def test_shared_address_answers_on_its_host_only(site: Site, shared: bool) -> None:
    network = make_network(multi_host=True, share_address=shared, bridge_interface="card0")
    site.start(make_served(network))
    lab = site.lab
    guest_in(lab, 1, 1)
    run("ip", "-n", lab.world, "addr", "add", "10.0.1.200/24", "dev", "wire0")
    ask = ("busybox", "arping", "-c", "2", "-w", "2")
    outside = lab.inside(lab.world, *ask, "-I", "wire0", "10.0.1.1")
    assert ("Unicast reply" in outside) is not shared
    assert "Unicast reply" in lab.inside(lab.guests[1], *ask, "-I", "eth0", "10.0.1.1")


@pytest.mark.parametrize("way_out", ["vif-5", "vif-9"])
@pytest.mark.parametrize("networks", [1, 2])
def test_single_default_gateway(site: Site, way_out: str, networks: int) -> None:
    """Also where two networks on one bridge have tags of their own."""
    served = [make_served(), make_served(make_network(2, bridge="br1"))]
    host = site.start(*served[:networks], use_single_default_gateway=True)
    host.conductor.bind(1, make_binding(5, vif_id="vif-5", default_route=way_out == "vif-5"))
    with site.lab.as_host():
        vifs = (make_vif(5),)
        host.manager.setup_instance(CONTEXT, "guest-5", "vm5", vifs, HOST, way_out)
    site.lab.plug(1, "br1", "fa:16:3e:00:00:05")
    router = ["10.0.1.1"] if way_out == "vif-5" else []
    assert site.lab.dhcp(1) == ["10.0.1.5", *router, "10.0.1.1"]


def test_guest_finds_others_by_name_before_they_have_leases(site: Site) -> None:
    host = site.start(make_served(bindings=(make_binding(6, hostname="db"),)))
    host.boot(5, guest=1)
    host.conductor.bind(1, make_binding(5), make_binding(6, hostname="db"))
    with site.lab.as_host():
        host.manager.heal()
    ask = ("busybox", "nslookup", "db.novalocal", "10.0.1.1")
    wait_until(lambda: "10.0.1.6" in site.lab.inside(site.lab.guests[1], *ask))


def test_flushed_tables_heal_in_both_families(site: Site) -> None:
    lab = site.lab
    host = site.start(
        make_served(dataclasses.replace(DUAL, project_id="one")),
        make_served(make_network(2, project_id="two")),
        use_ipv6=bool(shutil.which("radvd")),
    )
    before = {program: saved(lab, program) for program in ("iptables", "ip6tables")}
    for program, table in (
        ("iptables", "mangle"),
        ("ip6tables", "filter"),
        ("ip6tables", "mangle"),
    ):
        lab.inside(lab.host, program, "-w", "-t", table, "-F")
        lab.inside(lab.host, program, "-w", "-t", table, "-X")
    assert saved(lab, "iptables") != before["iptables"]
    with lab.as_host():
        host.manager.heal()
    assert {program: saved(lab, program) for program in before} == before


@needs_radvd
def test_applying_twice_changes_nothing_in_both_families(site: Site) -> None:
    host = site.start(make_served(DUAL), make_served(make_network(2)), use_ipv6=True)
    plan = host.manager.plan(host.conductor.served)
    shell = LinuxHost(host.settings.networks_path)
    with site.lab.as_host():
        assert shell.apply_rules(plan.rules) is False
        assert shell.apply_rules_v6(plan.rules_v6) is False
        assert shell.enable_forwarding_v6() is False
        assert [shell.ensure_bridge(one) for one in plan.bridges] == [False, False]
        assert [shell.ensure_advertiser(one) for one in plan.advertisers] == [False]


def test_restart_of_the_daemon_loses_no_packet(site: Site) -> None:
    networks = [
        make_served(make_network(1, project_id="one")),
        make_served(make_network(2, project_id="two")),
    ]
    host = site.start(*networks)
    lab = site.lab
    guest_in(lab, 1, 1)
    ping = lab.start(
        "ip", "netns", "exec", lab.guests[1], "ping", "-i", "0.02", "-w", "4", WORLD_ADDRESS
    )
    for _ in range(3):
        host.manager = new_manager(host.settings, host.conductor)
        host.start()
        with lab.as_host():
            host.manager.heal()
    assert ping.stdout is not None
    assert " 0% packet loss" in ping.stdout.read()
