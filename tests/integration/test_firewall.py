"""Security groups on a real kernel: guests in namespaces on a bridge, rules of nova-compute."""

import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

import pytest
from pyroute2 import netns

from nova.exception import CommandFailed
from nova.objects.firewall import GroupMembers, HostFirewall
from nova.objects.network import Vif
from nova.objects.security_group import ProviderRule, SecurityGroupRule
from nova.privileged import context as privileged_context
from nova.privileged import guest_rules
from nova.virt.iptables import wanted_rules
from nova.virt.libvirt.kernel_rules import KernelRules
from nova.virt.rule_match import Family
from tests.fixtures.firewalls import make_group, make_guest, make_rule
from tests.fixtures.network_lab import _CLIENT, run
from tests.fixtures.networks import make_network, make_vif

PROGRAMS = ("ip", "iptables-restore", "ip6tables-restore", "busybox")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
    pytest.mark.skipif(
        not all(shutil.which(one) for one in PROGRAMS), reason=f"needs {', '.join(PROGRAMS)}"
    ),
]

NETWORK = make_network(1, cidr_v6="fd00:1::/64", gateway_v6="fd00:1::1")
HOST_ADDRESS = "10.0.1.1"
SSH, WEB = 22, 80

_ECHO = """
import socket, sys, threading
def serve(connection):
    while data := connection.recv(100):
        connection.sendall(data)
server = socket.create_server(
    ("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True
)
print("ready", flush=True)
while True:
    connection, peer = server.accept()
    connection.sendall(peer[0].encode())
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
"""
_TALKER = """
import socket, sys
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
peer.recv(100)
print("connected", flush=True)
for line in sys.stdin:
    peer.sendall(b"x")
    try:
        print("answered" if peer.recv(10) else "closed", flush=True)
    except OSError:
        print("silent", flush=True)
"""


def address(number: int) -> str:
    return f"10.0.1.{number}"


def address_v6(number: int) -> str:
    return f"fd00:1::{number}"


def vif(number: int) -> Vif:
    return make_vif(number, NETWORK, fixed_ip_v6=address_v6(number))


class Lab:
    """A host with a bridge, and guests 2, 3 and 4 behind taps of it.

    The host's own address stands for the gateway.
    """

    def __init__(self) -> None:
        tag = uuid.uuid4().hex[:6]
        self.host = f"fw{tag}h"
        self.guests = {number: f"fw{tag}g{number}" for number in (2, 3, 4)}
        self._processes: list[subprocess.Popen[str]] = []
        self.kernel = KernelRules()

    def open(self) -> None:
        """Make namespaces, bridge and guests; guests take any connection."""
        for name in (self.host, *self.guests.values()):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", self.host, "link", "add", "br1", "type", "bridge", "forward_delay", "0")
        run("ip", "-n", self.host, "addr", "add", f"{HOST_ADDRESS}/24", "dev", "br1")
        run("ip", "-n", self.host, "addr", "add", "fd00:1::1/64", "dev", "br1", "nodad")
        run("ip", "-n", self.host, "link", "set", "br1", "up")
        for number, guest in self.guests.items():
            run("ip", "-n", self.host, "link", "add", f"tap{number}", "type", "veth",
                "peer", "eth0", "netns", guest)  # fmt: skip
            run("ip", "-n", self.host, "link", "set", f"tap{number}", "master", "br1", "up")
            run("ip", "-n", guest, "link", "set", "eth0", "up")
            run("ip", "-n", guest, "addr", "add", f"{address(number)}/24", "dev", "eth0")
            run("ip", "-n", guest, "addr", "add", f"{address_v6(number)}/64", "dev", "eth0",
                "nodad")  # fmt: skip
        for port in (SSH, WEB):
            self.start(2, _ECHO, str(port), expect="ready")

    def start(self, number: int, script: str, *words: str, expect: str) -> subprocess.Popen[str]:
        """Start a script in a guest and wait for its first line."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.guests[number], sys.executable, "-c", script, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == expect
        return process

    def apply(self, firewall: HostFirewall, *, same_net: bool = False) -> bool:
        """Do what nova-compute does; tell whether anything changed."""
        changed = False
        with self.as_host():
            for family in self.kernel.families():
                rules = wanted_rules(firewall, family, same_net=same_net)
                changed = self.kernel.apply(family, rules) or changed
                changed = self.kernel.filter_bridged(family) or changed
        return changed

    def reaches(self, number: int, target: str, port: int = SSH) -> bool:
        """Tell whether a guest gets a connection."""
        words = (sys.executable, "-c", _CLIENT, target, str(port))
        return self.inside(self.guests[number], *words).strip() != "closed"

    def pings(self, number: int, target: str) -> bool:
        """Tell whether a guest gets an answer."""
        program = "ping6" if ":" in target else "ping"
        answer = self.inside(self.guests[number], "busybox", program, "-c1", "-W1", target)
        return "1 packets received" in answer

    def inside(self, namespace: str, *command: str) -> str:
        """Run a program in a namespace and return its output, whatever its exit code."""
        done = subprocess.run(
            ["ip", "netns", "exec", namespace, *command],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        return done.stdout

    def saved(self, program: str = "iptables") -> str:
        """Return the rules of the host without comments and counters."""
        lines = self.inside(self.host, f"{program}-save").splitlines()
        return "\n".join(line.split(" [")[0] for line in lines if not line.startswith("#"))

    @contextlib.contextmanager
    def as_host(self) -> Iterator[None]:
        """Let this thread, and processes it starts, live in the host's namespace."""
        netns.pushns(self.host)
        try:
            yield
        finally:
            netns.popns()

    def close(self) -> None:
        """Stop what runs in the namespaces and remove them."""
        for process in self._processes:
            process.terminate()
            process.communicate(timeout=10)
        for name in (self.host, *self.guests.values()):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a host; privileged functions run in this process."""
    made = Lab()
    privileged_context.run_in_process(True)
    try:
        made.open()
        yield made
    finally:
        made.close()
        privileged_context.run_in_process(False)


def host_of(*rules: SecurityGroupRule, members: tuple[int, ...] = ()) -> HostFirewall:
    """Return a host whose guests are in group 1; group 9 has some members."""
    addresses = tuple(one(number) for number in members for one in (address, address_v6))
    return HostFirewall(
        guests=tuple(make_guest(number, 1, vifs=(vif(number),)) for number in (2, 3, 4)),
        groups=(make_group(1, *rules),),
        members=(GroupMembers(group_id=9, addresses=addresses),),
    )


def ssh(**changes: object) -> SecurityGroupRule:
    return make_rule(protocol="tcp", from_port=SSH, to_port=SSH, **changes)


@pytest.mark.parametrize("one", [address, address_v6])
def test_net_04_blocked_by_default_opened_by_a_rule_closed_again(lab: Lab, one) -> None:
    assert lab.reaches(3, one(2))
    lab.apply(host_of())
    assert not lab.reaches(3, one(2))
    assert not lab.pings(3, one(2))
    lab.apply(host_of(ssh()))
    assert lab.reaches(3, one(2))
    assert not lab.reaches(3, one(2), WEB)
    assert not lab.pings(3, one(2))
    lab.apply(host_of(make_rule(protocol="icmp", from_port=8, to_port=-1)))
    assert lab.pings(3, one(2))
    assert not lab.reaches(3, one(2))


def test_net_04_interface_that_no_rule_is_about_receives_nothing(lab: Lab) -> None:
    lab.apply(HostFirewall())
    assert not lab.reaches(3, address(2))
    assert not lab.reaches(3, address_v6(2))


def test_servers_in_the_same_subnet_reach_each_other_by_default(lab: Lab) -> None:
    lab.apply(host_of(), same_net=True)
    assert lab.reaches(3, address(2))
    assert lab.reaches(3, address_v6(2))


@pytest.mark.parametrize("one", [address, address_v6])
def test_net_08_source_group_lets_its_members_in(lab: Lab, one) -> None:
    lab.apply(host_of(ssh(group_id=9), members=(3,)))
    assert lab.reaches(3, one(2))
    assert not lab.reaches(4, one(2))
    lab.apply(host_of(ssh(group_id=9), members=(4,)))
    assert not lab.reaches(3, one(2))
    assert lab.reaches(4, one(2))


def test_provider_rule_goes_before_those_of_groups(lab: Lab) -> None:
    denied = ProviderRule(id=1, protocol="tcp", from_port=SSH, to_port=SSH, cidr=f"{address(3)}/32")
    lab.apply(dataclasses.replace(host_of(ssh()), provider_rules=(denied,)))
    assert not lab.reaches(3, address(2))
    assert lab.reaches(4, address(2))


def test_connections_survive_changes_of_other_rules(lab: Lab) -> None:
    lab.apply(host_of(ssh()))
    talker = lab.start(3, _TALKER, address(2), str(SSH), expect="connected")
    assert talker.stdin is not None and talker.stdout is not None
    for rules in ((ssh(), make_rule(2, protocol="udp")), (ssh(), ssh(cidr="192.0.2.0/24"))):
        lab.apply(host_of(*rules))
        talker.stdin.write("\n")
        talker.stdin.flush()
        assert talker.stdout.readline() == "answered\n"


def test_applying_twice_changes_nothing(lab: Lab) -> None:
    rules = (
        ssh(),
        make_rule(2, protocol="47"),
        make_rule(3, protocol="132"),
        make_rule(4, protocol="icmp", from_port=3, to_port=1),
        make_rule(5, protocol="udp", from_port=1, to_port=99, cidr="::ffff:1.2.3.0/120"),
        make_rule(6, group_id=9),
        make_rule(7, protocol="tcp", cidr="192.0.2.0/23"),
    )
    firewall = host_of(*rules, members=(3, 4))
    assert lab.apply(firewall, same_net=True)
    assert not lab.apply(firewall, same_net=True)


def test_flushed_tables_and_settings_heal(lab: Lab) -> None:
    lab.apply(host_of(ssh()))
    before = lab.saved(), lab.saved("ip6tables")
    for program in ("iptables", "ip6tables"):
        lab.inside(lab.host, program, "-F")
        lab.inside(lab.host, "busybox", "sysctl", "-w", f"net.bridge.bridge-nf-call-{program}=0")
    assert lab.reaches(3, address(2), WEB)
    assert lab.apply(host_of(ssh()))
    assert (lab.saved(), lab.saved("ip6tables")) == before
    assert not lab.reaches(3, address(2), WEB)


def test_foreign_rules_stay(lab: Lab) -> None:
    foreign = [
        "-A INPUT -p tcp -m tcp --dport 9999 -j DROP",
        "-A FORWARD -j nova-filter-top",
        "-A operator -j RETURN",
        "-A nova-filter-top -j nova-network-local",
    ]
    text = "*filter\n:operator - [0:0]\n:nova-filter-top - [0:0]\n:nova-network-local - [0:0]\n"
    text += "\n".join(foreign) + "\nCOMMIT\n"
    subprocess.run(
        ["ip", "netns", "exec", lab.host, "iptables-restore", "--noflush"],
        input=text, text=True, check=True,
    )  # fmt: skip
    lab.apply(host_of(ssh()))
    assert lab.reaches(3, address(2))
    lab.apply(HostFirewall())
    saved = lab.saved().splitlines()
    assert not set(foreign) - set(saved)
    assert saved.count("-A FORWARD -j nova-filter-top") == 1
    assert "inst-2" not in lab.saved()


def test_net_09_failed_apply_keeps_the_old_set(lab: Lab) -> None:
    lab.apply(host_of(ssh()))
    before = lab.saved()
    (table,) = wanted_rules(host_of(), Family.IPV4, same_net=False)
    broken = dataclasses.replace(
        table, chains={**table.chains, "nova-compute-bad": ("-p tcp -m tcp --dport x -j DROP",)}
    )
    with lab.as_host(), pytest.raises(CommandFailed):
        lab.kernel.apply(Family.IPV4, (broken,))
    assert lab.saved() == before
    assert lab.reaches(3, address(2))
    with lab.as_host(), pytest.raises(ValueError):
        guest_rules.restore_rules(4, "*filter\n-F INPUT\nCOMMIT\n")


def test_cost_of_200_servers(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    def crowd(*rules: SecurityGroupRule) -> HostFirewall:
        numbers = range(2, 202)
        return HostFirewall(
            guests=tuple(make_guest(one, 1, vifs=(vif(one),)) for one in numbers),
            groups=(make_group(1, *rules, make_rule(9, group_id=9)),),
            members=(
                GroupMembers(
                    group_id=9,
                    addresses=tuple(f(one) for one in numbers for f in (address, address_v6)),
                ),
            ),
        )

    def timed(firewall: HostFirewall) -> float:
        started = time.monotonic()
        lab.apply(firewall, same_net=True)
        return time.monotonic() - started

    first, change, nothing = timed(crowd()), timed(crowd(ssh())), timed(crowd(ssh()))
    assert lab.reaches(3, address(2))
    counts = [
        sum(line.startswith("-A") for line in lab.saved(program).splitlines()) / 200
        for program in ("iptables", "ip6tables")
    ]
    with capsys.disabled():
        print(
            f"\n200 servers: {counts[0]:.1f} IPv4 and {counts[1]:.1f} IPv6 rules per server; "
            f"all rules {first:.2f} s, one rule more {change:.2f} s, nothing new {nothing:.2f} s"
        )
