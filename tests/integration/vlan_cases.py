"""VLANs on a kernel that has them; collected only by name, see doc/contributor/testing.md.

Two hosts are joined by a cable between their cards card0 and wire0.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova.network.bridges import Bridge, Vlan
from nova.network.linux import LinuxHost
from nova.network.manager import VlanManager
from nova.objects.network import HostNetwork, Network
from nova.privileged import context as privileged_context
from nova.privileged import guest_bridges
from nova.rpc.local import LocalBus
from tests.fixtures.network_lab import (
    HOST_ADDRESS,
    WORLD_ADDRESS,
    LeaseEvents,
    NetworkLab,
    run,
)
from tests.fixtures.networks import (
    NetworksConductor,
    make_binding,
    make_served,
    make_settings,
    make_vlan,
)

CARD = "card0"
FAR_CARD = "wire0"
MACS = {number: f"fa:16:3e:00:00:{number:02x}" for number in (1, 2, 3, 4)}
# Numbers of linux/if_ether.h, linux/socket.h and linux/if_packet.h that Python does not name.
ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA = 3, 263, 8
IPV4, IPV6, ICMP = b"\x08\x00", b"\x86\xdd", 1
USER = "nobody"
# Those that privileged functions read themselves.
OPTIONS = ("networks_path", "dhcpbridge")


@contextlib.contextmanager
def opened(guests: int) -> Iterator[NetworkLab]:
    """Give namespaces; privileged functions run in this process."""
    folder = pathlib.Path(f"/tmp/nv-{os.getpid()}-{time.monotonic_ns()}")
    folder.mkdir(mode=0o755)  # that the user of dnsmasq can enter
    made = NetworkLab(folder, guests=guests)
    privileged_context.run_in_process(True)
    try:
        made.open()
        yield made
    finally:
        made.close()
        privileged_context.run_in_process(False)
        for name in OPTIONS:
            cfg.CONF.clear_override(name)
        shutil.rmtree(folder)


@pytest.fixture
def lab() -> Iterator[NetworkLab]:
    """Give two hosts, of which nova-network serves one."""
    with opened(guests=0) as made:
        yield made


@pytest.fixture
def two_guests() -> Iterator[NetworkLab]:
    """Give the same with guests 1 and 2, to be plugged in."""
    with opened(guests=2) as made:
        yield made


def vlan(number: int = 1, **changes: object) -> Network:
    return make_vlan(number, bridge_interface=CARD, **{"enable_dhcp": False, **changes})


def agree(lab: NetworkLab, *networks: Network | HostNetwork) -> None:
    """Let nova-network make the host agree with some networks."""
    served = [one if isinstance(one, HostNetwork) else make_served(one) for one in networks]
    bus = LocalBus()
    bus.serve("conductor", "conductor1", [NetworksConductor(*served)]).start()
    script = LeaseEvents(lab.folder).script
    settings = make_settings(
        networks_path=str(lab.folder),
        dhcpbridge=str(script),
        dhcpbridge_user=USER,
        dnsmasq_user=USER,
        public_interface="pub0",
        routing_source_ip=HOST_ADDRESS,
        metadata_host=HOST_ADDRESS,
    )
    manager = VlanManager(settings=settings, bus=bus, host=LinuxHost(settings.networks_path))
    for name in OPTIONS:
        cfg.CONF.set_override(name, getattr(settings, name))
    with lab.as_host():
        manager.heal()


def links(lab: NetworkLab) -> str:
    return lab.inside(lab.host, "ip", "-d", "-o", "link")


def _ipv4(link: dict[str, Any]) -> list[str]:
    return [one["local"] for one in link["addr_info"] if one["family"] == "inet"]


def settled(lab: NetworkLab) -> list[dict[str, Any]]:
    """Return what makes the devices of the host; the kernel changes the rest by itself."""
    shown = json.loads(lab.inside(lab.host, "ip", "-j", "-d", "addr"))
    kept = ("ifindex", "ifname", "link", "address", "mtu", "master", "ifalias")
    return [
        {name: one.get(name) for name in kept}
        | {"up": "UP" in one["flags"], "addresses": _ipv4(one)}
        for one in shown
    ]


def master_of(lab: NetworkLab, device: str) -> str | None:
    words = lab.inside(lab.host, "ip", "-o", "link", "show", device).split()
    return words[words.index("master") + 1] if "master" in words else None


def plug_tap(lab: NetworkLab, bridge: str) -> None:
    """Plug in a guest that only has a tap, as QEMU makes it."""
    run("ip", "-n", lab.host, "tuntap", "add", "tap1", "mode", "tap")
    run("ip", "-n", lab.host, "link", "set", "tap1", "master", bridge, "up")


@dataclasses.dataclass(frozen=True)
class Heard:
    """A frame on the wire between the hosts, and its tag, 0 for none."""

    frame: bytes
    tag: int

    @property
    def kind(self) -> bytes:
        return self.frame[12:14]

    @property
    def source(self) -> str:
        return self.frame[6:12].hex(":")


def on_the_wire(lab: NetworkLab, action: Callable[[], object]) -> list[Heard]:
    """Return what comes to the other host's card while something is done."""
    with lab.as_host(lab.world):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # hears nothing until bound
    found = []
    with wire:
        wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        wire.bind((FAR_CARD, ETH_P_ALL))
        action()
        wire.setblocking(False)
        while True:
            try:
                frame, extra, _flags, _sender = wire.recvmsg(2048, 256)
            except BlockingIOError:
                return found
            # struct tpacket_auxdata: the kernel keeps the tag beside the frame.
            tags = [struct.unpack("=IIIHHHH", one[2])[5] & 0xFFF for one in extra]
            found.append(Heard(frame, *tags))


def test_frames_of_a_network_carry_its_tag(lab: NetworkLab) -> None:
    """The other host reaches the gateway through the VLAN of the network, not without one."""
    agree(lab, vlan(1), vlan(2, mtu=1400))
    assert (master_of(lab, "vlan101"), master_of(lab, "vlan102")) == ("br101", "br102")
    assert "mtu 1400" in lab.inside(lab.host, "ip", "link", "show", "vlan102")
    for number, answers in ((101, True), (103, False)):
        run("ip", "-n", lab.world, "link", "add", "link", "wire0", "name", "tagged",
            "type", "vlan", "id", str(number))  # fmt: skip
        run("ip", "-n", lab.world, "addr", "add", "10.0.1.200/24", "dev", "tagged")
        run("ip", "-n", lab.world, "link", "set", "tagged", "up")
        asked = lab.inside(
            lab.world, "busybox", "arping", "-c", "2", "-w", "3", "-I", "tagged", "10.0.1.1"
        )
        assert ("Unicast reply" in asked) is answers
        run("ip", "-n", lab.world, "link", "del", "tagged")


def test_applying_twice_changes_nothing(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    before = settled(lab)
    assert {"br101", "vlan101"} <= {one["ifname"] for one in before}
    agree(lab, vlan(1))
    assert settled(lab) == before


def test_net_03_vlan_has_no_ipv6_of_the_host(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    shown = lab.inside(lab.host, "ip", "-6", "-o", "addr")
    assert "vlan101" not in shown and "br101" not in shown


def test_net_03_new_vlan_and_bridge_are_never_up_with_ipv6(lab: NetworkLab) -> None:
    """Nothing of the host is on the wire, not even while they are being made."""
    for namespace, card in ((lab.host, CARD), (lab.world, FAR_CARD)):
        path = f"/proc/sys/net/ipv6/conf/{card}/disable_ipv6"
        lab.inside(namespace, "sh", "-c", f"echo 1 > {path}")
    shell = LinuxHost(str(lab.folder))
    bridge = Bridge(name="br101", vlan=Vlan(id=101, interface=CARD), addresses=("10.0.1.1/24",))

    def make_often() -> None:
        with lab.as_host():
            for _ in range(10):
                shell.ensure_bridge(bridge)
                time.sleep(0.05)
                assert shell.remove_bridge(bridge.name)

    def make_carelessly() -> None:
        run("ip", "-n", lab.host, "link", "add", "link", CARD, "name", "vlan7", "up",
            "type", "vlan", "id", "7")  # fmt: skip
        time.sleep(2)

    assert {one.source for one in on_the_wire(lab, make_often) if one.kind == IPV6} == set()
    assert {one.tag for one in on_the_wire(lab, make_carelessly) if one.kind == IPV6} == {7}


def served(number: int, project: str) -> HostNetwork:
    """Return a VLAN with DHCP, with one server: vmNUMBER, 10.0.NUMBER.5."""
    binding = make_binding(5, mac=MACS[number], address=f"10.0.{number}.5", hostname=f"vm{number}")
    return make_served(vlan(number, enable_dhcp=True, project_id=project), (binding,))


def test_net_02_guest_on_a_vlan_finds_dhcp_dns_and_metadata_alone(two_guests: NetworkLab) -> None:
    lab = two_guests
    agree(lab, served(1, "one"), served(2, "two"))
    for number in (1, 2):
        lab.plug(number, f"br10{number}", MACS[number])
        address = [f"10.0.{number}.5", f"10.0.{number}.1", f"10.0.{number}.1"]
        assert lab.dhcp(number) == address
    lab.listen(lab.host, "0.0.0.0", 7777)
    lab.listen(lab.host, "0.0.0.0", 8775, "http")
    lab.listen(lab.world, WORLD_ADDRESS, 9000)
    guest = lab.guests[1]
    ask = ("timeout", "10", "busybox")
    assert "10.0.1.5" in lab.inside(guest, *ask, "nslookup", "vm1.novalocal", "10.0.1.1")
    assert lab.inside(guest, *ask, "wget", "-qO-", "http://169.254.169.254/") == "10.0.1.5"
    assert lab.call(guest, WORLD_ADDRESS, 9000) == HOST_ADDRESS
    for address, port in (
        ("10.0.1.1", 7777),
        (HOST_ADDRESS, 7777),
        (HOST_ADDRESS, 8775),
        ("10.0.2.1", 7777),
        ("10.0.2.1", 53),
    ):
        assert lab.call(guest, address, port) == "closed", (address, port)
    other = lab.inside(guest, "timeout", "4", "busybox", "nslookup", "vm2.novalocal", "10.0.2.1")
    assert "Address: 10.0.2.5" not in other


def test_net_13_projects_on_two_vlans_are_apart_at_their_host(two_guests: NetworkLab) -> None:
    """The host routes for both, but not from one to the other."""
    lab = two_guests
    agree(lab, served(1, "one"), served(2, "two"))
    for number in (1, 2):
        lab.plug(number, f"br10{number}", MACS[number])
        lab.configure(number, f"10.0.{number}.5/24", f"10.0.{number}.1")
        lab.listen(lab.guests[number], f"10.0.{number}.5", 22)
    assert lab.call(lab.host, "10.0.2.5", 22) == "10.0.2.1"
    assert lab.call(lab.guests[1], "10.0.2.5", 22) == "closed"
    assert lab.call(lab.guests[2], "10.0.1.5", 22) == "closed"


def test_net_13_vlan_goes_with_its_network(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    agree(lab)
    assert "101" not in links(lab)


def test_net_13_vlan_that_guests_are_on_stays(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    plug_tap(lab, "br101")
    agree(lab)
    assert master_of(lab, "vlan101") == "br101"
    lab.unplug(1)
    agree(lab)
    assert "101" not in links(lab)


def test_net_13_reused_vlan_is_on_the_new_bridge_only(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    plug_tap(lab, "br101")
    agree(lab, vlan(2, vlan=101, bridge="other"))
    assert master_of(lab, "vlan101") == "other"
    assert master_of(lab, "tap1") == "br101"


def test_net_13_bridge_with_another_vlan_loses_the_first(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    agree(lab, vlan(2, bridge="br101"))
    assert master_of(lab, "vlan102") == "br101"
    assert "vlan101" not in links(lab)


def test_foreign_vlan_is_not_touched(lab: NetworkLab) -> None:
    run("ip", "-n", lab.host, "link", "add", "link", CARD, "name", "vlan7", "type", "vlan",
        "id", "7")  # fmt: skip
    agree(lab, vlan(1))
    agree(lab)
    assert "vlan7@" in links(lab)


@pytest.mark.logs_errors
def test_foreign_device_with_the_name_is_refused(lab: NetworkLab) -> None:
    run("ip", "-n", lab.host, "link", "add", "link", CARD, "name", "vlan101", "type", "vlan",
        "id", "9")  # fmt: skip
    with pytest.raises(Exception, match="bridge br101"):
        agree(lab, vlan(1))
    assert "id 9" in links(lab)


def test_host_without_nova_network_makes_vlan_and_bridge(lab: NetworkLab) -> None:
    with lab.as_host():
        for _ in range(2):
            guest_bridges.ensure_vlan(101, CARD, 1400)
            guest_bridges.ensure_bridge("br101", "vlan101", 1400)
        assert master_of(lab, "vlan101") == "br101"
        assert "vlan101" not in lab.inside(lab.host, "ip", "-6", "-o", "addr")
        guest_bridges.ensure_vlan(102, CARD, None)
        guest_bridges.ensure_bridge("br101", "vlan102", None)
    assert master_of(lab, "vlan102") == "br101"
    assert "vlan101" not in links(lab)


# --- Two hosts on one trunk; guests 1 and 3 are of one project, 2 and 4 of another


@pytest.fixture
def trunk() -> Iterator[NetworkLab]:
    """Give two hosts with the VLANs of two projects, which both use 10.0.1.0/24."""
    with opened(guests=4) as made:
        plug_projects(made)
        yield made


def plug_projects(lab: NetworkLab) -> None:
    for host, card, guests in ((lab.host, CARD, (1, 2)), (lab.world, FAR_CARD, (3, 4))):
        for number, guest in zip((101, 102), guests, strict=True):
            with lab.as_host(host):
                guest_bridges.ensure_vlan(number, card, None)
                guest_bridges.ensure_bridge(f"br{number}", f"vlan{number}", None)
            lab.plug(guest, f"br{number}", MACS[guest], host)


def address(lab: NetworkLab, **of_guests: str) -> None:
    for name, wanted in of_guests.items():
        guest = lab.guests[int(name.removeprefix("guest"))]
        run("ip", "-n", guest, "addr", "replace", f"{wanted}/24", "dev", "eth0")


def pings(lab: NetworkLab, guest: int, wanted: str) -> bool:
    asked = lab.inside(lab.guests[guest], "busybox", "ping", "-c", "2", "-W", "2", wanted)
    return " bytes from " in asked


def test_net_13_same_range_on_two_vlans_is_kept_apart(trunk: NetworkLab) -> None:
    """Each guest reaches the one of its project on the other host, and nobody else."""
    address(trunk, guest1="10.0.1.3", guest2="10.0.1.3", guest3="10.0.1.4", guest4="10.0.1.5")
    assert pings(trunk, 1, "10.0.1.4")
    assert pings(trunk, 2, "10.0.1.5")
    assert not pings(trunk, 1, "10.0.1.5")
    assert not pings(trunk, 2, "10.0.1.4")


def tags_of_pings(lab: NetworkLab, guest: int, wanted: str) -> set[int]:
    """Let a guest ping an address; return the tags under which that goes over the wire."""
    heard = on_the_wire(lab, lambda: pings(lab, guest, wanted))
    return {one.tag for one in heard if one.kind == IPV4 and one.frame[23] == ICMP}


def test_net_13_frames_of_a_project_carry_its_tag_only(trunk: NetworkLab) -> None:
    address(trunk, guest1="10.0.1.3", guest2="10.0.1.3", guest3="10.0.1.4", guest4="10.0.1.4")
    assert tags_of_pings(trunk, 1, "10.0.1.4") == {101}
    assert tags_of_pings(trunk, 2, "10.0.1.4") == {102}


def test_net_13_next_owner_of_a_vlan_sees_no_old_guest(trunk: NetworkLab) -> None:
    """A guest of a deleted network that is still plugged on one host reaches nobody."""
    address(trunk, guest1="10.0.1.3", guest3="10.0.1.4")
    assert pings(trunk, 1, "10.0.1.4")
    agree(trunk, vlan(3, vlan=101, bridge="br301", cidr="10.0.1.0/24", gateway="10.0.1.1",
                      dhcp_server="10.0.1.1", dhcp_start="10.0.1.3"))  # fmt: skip
    heard = on_the_wire(trunk, lambda: pings(trunk, 1, "10.0.1.4"))
    assert MACS[1] not in {one.source for one in heard}
    assert not pings(trunk, 3, "10.0.1.3")
