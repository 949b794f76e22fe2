"""Floating addresses on a real kernel, with guests in namespaces."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from nova.exception import FloatingDeviceMissing
from nova.network.linux import LinuxHost
from nova.network.manager import FlatDHCPManager
from nova.objects.floating_ip import HostFloatingIp
from nova.rpc.local import LocalBus
from tests.fixtures.floating import SettledAddresses
from tests.fixtures.network_lab import HOST_ADDRESS, WORLD_ADDRESS, NetworkLab, run
from tests.fixtures.networks import make_served
from tests.integration.test_network import CONTEXT, PROGRAMS, Host, helper_process, privileges

NEEDED = (*PROGRAMS, "conntrack")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
    pytest.mark.skipif(
        not all(shutil.which(one) for one in NEEDED), reason=f"needs {', '.join(NEEDED)}"
    ),
]

FLOATING = "198.51.100.50"
OTHER = "198.51.100.51"
ONE, TWO = "10.0.1.5", "10.0.1.6"

_CHATTER = """
import socket, sys, time
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2) as peer:
    print("ready", flush=True)
    for number in range(600):
        peer.sendall(b"secret")
        time.sleep(0.05)
"""

_EAR = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
connection, peer = server.accept()
while True:
    data = connection.recv(4096)
    if not data:
        break
    print("heard", flush=True)
"""


_SPY = """
import socket
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as tap:
    print("ready", flush=True)
    while True:
        if b"secret" in tap.recv(65535):
            print("seen", flush=True)
"""


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """Give a folder that unprivileged users can enter."""
    path = pathlib.Path(f"/tmp/nf-{os.getpid()}")
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def lab(folder: pathlib.Path) -> Iterator[NetworkLab]:
    """Give namespaces, and take them away again."""
    made = NetworkLab(folder)
    try:
        made.open()
        yield made
    finally:
        made.close()


@pytest.fixture
def host(lab: NetworkLab, folder: pathlib.Path) -> Iterator[Host]:
    """Give a host with two guests; privileged functions run in this process."""
    made = Host.make(lab, folder)
    settle(made)
    with privileges(made.settings):
        made.start()
        made.boot(5, guest=1)
        made.boot(6, guest=2)
        yield made


def settle(host: Host) -> SettledAddresses:
    """Give a host a new daemon, whose conductor also hears what was forgotten."""
    settled = SettledAddresses()
    bus = LocalBus()
    bus.serve("conductor", "conductor1", [host.conductor, settled]).start()
    shell = LinuxHost(host.settings.networks_path)
    host.manager = FlatDHCPManager(settings=host.settings, bus=bus, host=shell)
    return settled


def lead(host: Host, *leads: tuple[str, str | None], interface: str = "pub0") -> None:
    """Let floating addresses lead to fixed ones."""
    (served,) = host.conductor.served
    found = tuple(
        HostFloatingIp(address=address, fixed_ip=fixed, interface=interface)
        for address, fixed in leads
    )
    host.conductor.served = (make_served(served.network, served.bindings, floating_ips=found),)
    with host.lab.as_host():
        host.manager.refresh(CONTEXT)


def addresses(host: Host) -> str:
    return host.lab.inside(host.lab.host, "ip", "-br", "-4", "addr", "show", "dev", "pub0")


def talk(lab: NetworkLab, namespace: str, script: str, *words: str) -> subprocess.Popen[str]:
    """Start a script that says when it is ready; the lab ends it."""
    process = subprocess.Popen(
        ["ip", "netns", "exec", namespace, sys.executable, "-c", script, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return process


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def test_floating_address_is_reached_from_outside_from_a_neighbour_and_from_itself(
    host: Host,
) -> None:
    lead(host, (FLOATING, ONE))
    lab = host.lab
    lab.listen(lab.guests[1], "0.0.0.0", 80)
    assert lab.call(lab.world, FLOATING, 80) == WORLD_ADDRESS
    assert lab.call(lab.guests[2], FLOATING, 80) == TWO
    run("ip", "-n", lab.host, "link", "set", "tap1", "type", "bridge_slave", "hairpin", "on")
    assert lab.call(lab.guests[1], FLOATING, 80) == FLOATING
    assert lab.call(lab.host, FLOATING, 80) != "closed"


def test_guest_seems_to_come_from_its_floating_address(host: Host) -> None:
    lab = host.lab
    lab.listen(lab.world, WORLD_ADDRESS, 9000)
    assert lab.call(lab.guests[1], WORLD_ADDRESS, 9000) == HOST_ADDRESS
    lead(host, (FLOATING, ONE), (OTHER, TWO))
    assert lab.call(lab.guests[1], WORLD_ADDRESS, 9000) == FLOATING
    assert lab.call(lab.guests[2], WORLD_ADDRESS, 9000) == OTHER
    lab.listen(lab.guests[2], "0.0.0.0", 80)
    assert lab.call(lab.guests[1], OTHER, 80) == FLOATING


def test_ping_that_began_before_the_address_led_anywhere_is_answered_after(host: Host) -> None:
    lab = host.lab
    run("ip", "-n", lab.world, "neigh", "replace", FLOATING, "lladdr",
        lab.inside(lab.host, "cat", "/sys/class/net/pub0/address").strip(),
        "dev", "eth0", "nud", "permanent")  # fmt: skip
    ping = subprocess.Popen(
        ["ip", "netns", "exec", lab.world, "timeout", "5", "busybox", "ping", FLOATING],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    time.sleep(1.5)
    lead(host, (FLOATING, ONE))
    answers, _ = ping.communicate(timeout=10)
    assert f"bytes from {FLOATING}" in answers


def test_metadata_still_sees_the_fixed_address(host: Host) -> None:
    lead(host, (FLOATING, ONE))
    host.lab.listen(host.lab.host, "0.0.0.0", 8775, "http")
    answer = host.lab.inside(
        host.lab.guests[1], "busybox", "wget", "-qO-", "http://169.254.169.254/"
    )
    assert answer == ONE


def test_floating_applied_twice_changes_nothing_and_a_restart_cuts_nothing(host: Host) -> None:
    lead(host, (FLOATING, ONE), (OTHER, TWO))
    lab = host.lab
    ear = talk(lab, lab.guests[1], _EAR, "0.0.0.0", "80")
    ready(ear)
    chatter = talk(lab, lab.world, _CHATTER, FLOATING, "80")
    ready(chatter)
    rules, held = host.saved(), addresses(host)
    with lab.as_host():
        plan = host.manager.plan(host.conductor.served)
        shell = LinuxHost(host.settings.networks_path)
        assert shell.apply_rules(plan.rules) is False
        assert shell.ensure_floating_address(FLOATING, "pub0", 0) is False
    settle(host)
    host.start()
    assert (host.saved(), addresses(host)) == (rules, held)
    assert chatter.poll() is None
    assert ear.stdout is not None
    assert [ear.stdout.readline() for _ in range(20)] == ["heard\n"] * 20
    end(chatter, ear)


def translated(host: Host) -> list[str]:
    """Return the tracked connections in which an address stands for the first guest's."""
    lines = host.lab.inside(host.lab.host, "conntrack", "-L").splitlines()
    return [line for line in lines if FLOATING in line and ONE in line]


def end(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def test_net_12_open_connection_dies_and_the_next_owner_sees_nothing_of_it(host: Host) -> None:
    settled = settle(host)
    lead(host, (FLOATING, ONE))
    lab = host.lab
    ear = talk(lab, lab.guests[1], _EAR, "0.0.0.0", "80")
    ready(ear)
    chatter = talk(lab, lab.world, _CHATTER, FLOATING, "80")
    ready(chatter)
    assert ear.stdout is not None
    assert [ear.stdout.readline() for _ in range(5)] == ["heard\n"] * 5
    assert translated(host)
    lead(host, (FLOATING, None))
    assert settled.addresses == [FLOATING]
    assert FLOATING not in addresses(host)
    assert not translated(host)
    spy = talk(lab, lab.guests[2], _SPY)
    ready(spy)
    next_ear = talk(lab, lab.guests[2], _EAR, "0.0.0.0", "80")
    ready(next_ear)
    lead(host, (FLOATING, TWO))
    assert chatter.wait(10) != 0
    spy.terminate()
    seen, _ = spy.communicate(timeout=10)
    assert seen == ""
    assert next_ear.poll() is None
    end(chatter, ear, next_ear)


def test_address_that_another_host_has_taken_over_is_given_up(host: Host) -> None:
    lead(host, (FLOATING, ONE))
    assert FLOATING in addresses(host)
    lead(host)
    assert FLOATING not in addresses(host)
    assert FLOATING not in host.saved()


def test_addresses_of_the_operator_stay(host: Host) -> None:
    run("ip", "-n", host.lab.host, "addr", "add", f"{OTHER}/32", "dev", "pub0")
    lead(host, (OTHER, ONE))
    lead(host)
    assert OTHER in addresses(host)


def test_missing_interface_is_told(host: Host) -> None:
    host.settings = dataclasses.replace(host.settings, public_interface=None)
    settle(host)
    with pytest.raises(FloatingDeviceMissing) as caught:
        lead(host, (FLOATING, ONE), interface="none0")
    assert caught.value.kwargs == {"addresses": FLOATING, "interface": "none0"}


def test_neighbours_are_told_of_a_new_address(host: Host) -> None:
    host.settings = dataclasses.replace(host.settings, arp_announcements=3)
    settle(host)
    run("ip", "-n", host.lab.world, "neigh", "replace", FLOATING, "lladdr",
        "02:00:00:00:00:01", "dev", "eth0", "nud", "stale")  # fmt: skip
    lead(host, (FLOATING, ONE))
    known = host.lab.inside(host.lab.world, "ip", "neigh", "show", FLOATING)
    own = host.lab.inside(host.lab.host, "cat", "/sys/class/net/pub0/address").strip()
    assert own in known


def test_hst_01_floating_works_with_the_capabilities_of_the_context(
    lab: NetworkLab, folder: pathlib.Path
) -> None:
    host = Host.make(lab, folder)
    host.settings = dataclasses.replace(host.settings, arp_announcements=1)
    settled = settle(host)
    with helper_process(lab, host.settings):
        host.start()
        host.boot(5, guest=1)
        lead(host, (FLOATING, ONE))
        assert FLOATING in addresses(host)
        lead(host, (FLOATING, None))
        assert settled.addresses == [FLOATING]
        host.manager.clear_host()
    assert FLOATING not in addresses(host)


def test_guest_behind_another_router_is_reached_and_leaves_with_its_floating_address(
    host: Host,
) -> None:
    """What the host translates is taken off the bridge, not led to the router of the guests."""
    lab, router = host.lab, "10.0.1.6"
    lab.inside(lab.guests[1], "ip", "route", "replace", "default", "via", router)
    lab.listen(lab.world, WORLD_ADDRESS, 8085)
    lead(host, (FLOATING, ONE))
    assert lab.call(lab.guests[1], WORLD_ADDRESS, 8085) == "closed"
    (served,) = host.conductor.served
    host.conductor.served = (dataclasses.replace(served, gateway=router),)
    with lab.as_host():
        host.manager.refresh(CONTEXT)
        rules = host.manager.plan(host.conductor.served).frame_rules
        assert LinuxHost(host.settings.networks_path).apply_frame_rules(rules) is False
    assert lab.call(lab.guests[1], WORLD_ADDRESS, 8085) == FLOATING
    lab.listen(lab.guests[1], ONE, 8086)
    assert lab.call(lab.world, FLOATING, 8086) == WORLD_ADDRESS
    lead(host, (FLOATING, None))
    assert "redirect" not in lab.inside(lab.host, "ebtables-save")
