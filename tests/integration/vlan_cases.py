"""VLANs on a kernel that has them; collected only by name, see doc/contributor/testing.md.

Two hosts are joined by a cable between their cards card0 and wire0.
"""

import pathlib
import socket
import struct
from collections.abc import Iterator

import pytest

from nova.network.linux import LinuxHost
from nova.network.manager import VlanManager
from nova.objects.network import HostNetwork, Network
from nova.privileged import context as privileged_context
from nova.privileged import guest_bridges
from nova.rpc.local import LocalBus
from tests.fixtures.network_lab import NetworkLab, run
from tests.fixtures.networks import NetworksConductor, make_served, make_settings, make_vlan

CARD = "card0"
FAR_CARD = "wire0"
MACS = {number: f"fa:16:3e:00:00:{number:02x}" for number in (1, 2, 3, 4)}
# Numbers of linux/if_ether.h, linux/socket.h and linux/if_packet.h that Python does not name.
ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA = 3, 263, 8
ETHERTYPE_IPV4 = b"\x08\x00"


@pytest.fixture
def lab(tmp_path: pathlib.Path) -> Iterator[NetworkLab]:
    """Give namespaces; privileged functions run in this process."""
    made = NetworkLab(tmp_path, guests=4)
    privileged_context.run_in_process(True)
    try:
        made.open()
        yield made
    finally:
        made.close()
        privileged_context.run_in_process(False)


def vlan(number: int = 1, **changes: object) -> Network:
    return make_vlan(number, bridge_interface=CARD, enable_dhcp=False, **changes)


def agree(lab: NetworkLab, *networks: Network) -> None:
    """Let nova-network make the host agree with some networks."""
    served: list[HostNetwork] = [make_served(one) for one in networks]
    bus = LocalBus()
    bus.serve("conductor", "conductor1", [NetworksConductor(*served)]).start()
    settings = make_settings(networks_path=str(lab.folder))
    manager = VlanManager(settings=settings, bus=bus, host=LinuxHost(str(lab.folder)))
    with lab.as_host():
        manager.heal()


def links(lab: NetworkLab) -> str:
    return lab.inside(lab.host, "ip", "-d", "-o", "link")


def master_of(lab: NetworkLab, device: str) -> str | None:
    words = lab.inside(lab.host, "ip", "-o", "link", "show", device).split()
    return words[words.index("master") + 1] if "master" in words else None


def test_frames_of_a_network_carry_its_tag(lab: NetworkLab) -> None:
    """The other host reaches the gateway through the same VLAN only."""
    agree(lab, vlan(1), vlan(2, mtu=1400))
    assert (master_of(lab, "vlan101"), master_of(lab, "vlan102")) == ("br101", "br102")
    assert "mtu 1400" in lab.inside(lab.host, "ip", "link", "show", "vlan102")
    for number, answers in ((101, True), (102, False)):
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
    before = links(lab)
    agree(lab, vlan(1))
    assert links(lab) == before


def test_net_03_vlan_has_no_ipv6_of_the_host(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    shown = lab.inside(lab.host, "ip", "-6", "-o", "addr")
    assert "vlan101" not in shown and "br101" not in shown


def test_net_13_vlan_goes_with_its_network(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    agree(lab)
    assert "101" not in links(lab)


def test_net_13_vlan_that_guests_are_on_stays(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    lab.plug(1, "br101", "fa:16:3e:00:00:05")
    agree(lab)
    assert master_of(lab, "vlan101") == "br101"
    lab.unplug(1)
    agree(lab)
    assert "101" not in links(lab)


def test_net_13_reused_vlan_is_on_the_new_bridge_only(lab: NetworkLab) -> None:
    agree(lab, vlan(1))
    lab.plug(1, "br101", "fa:16:3e:00:00:05")
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
def trunk(lab: NetworkLab) -> NetworkLab:
    """Give two hosts with the VLANs of two projects, which both use 10.0.1.0/24."""
    for host, card, guests in ((lab.host, CARD, (1, 2)), (lab.world, FAR_CARD, (3, 4))):
        for number, guest in zip((101, 102), guests, strict=True):
            with lab.as_host(host):
                guest_bridges.ensure_vlan(number, card, None)
                guest_bridges.ensure_bridge(f"br{number}", f"vlan{number}", None)
            lab.plug(guest, f"br{number}", MACS[guest], host)
    return lab


def address(lab: NetworkLab, **of_guests: str) -> None:
    for name, wanted in of_guests.items():
        guest = lab.guests[int(name.removeprefix("guest"))]
        run("ip", "-n", guest, "addr", "replace", f"{wanted}/24", "dev", "eth0")


def pings(lab: NetworkLab, guest: int, wanted: str) -> bool:
    asked = lab.inside(lab.guests[guest], "busybox", "ping", "-c", "2", "-W", "2", wanted)
    return " bytes from " in asked


def tags_on_the_wire(lab: NetworkLab, guest: int, wanted: str) -> set[int]:
    """Let a guest ask for an address; return the tags of the IPv4 packets on the wire meanwhile."""
    with lab.as_host(lab.world):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # hears nothing until bound
    found = set()
    with wire:
        wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        wire.bind((FAR_CARD, ETH_P_ALL))
        pings(lab, guest, wanted)
        wire.setblocking(False)
        while True:
            try:
                frame, extra, _flags, _sender = wire.recvmsg(2048, 256)
            except BlockingIOError:
                return found
            if frame[12:14] != ETHERTYPE_IPV4:
                continue  # all guests look for IPv6 neighbours and routers, each under its tag
            # struct tpacket_auxdata: the kernel keeps the tag beside the frame.
            found |= {struct.unpack("=IIIHHHH", one[2])[5] & 0xFFF for one in extra}


def test_net_13_same_range_on_two_vlans_is_kept_apart(trunk: NetworkLab) -> None:
    """Each guest reaches the one of its project on the other host, and nobody else."""
    address(trunk, guest1="10.0.1.3", guest2="10.0.1.3", guest3="10.0.1.4", guest4="10.0.1.5")
    assert pings(trunk, 1, "10.0.1.4")
    assert pings(trunk, 2, "10.0.1.5")
    assert not pings(trunk, 1, "10.0.1.5")
    assert not pings(trunk, 2, "10.0.1.4")


def test_net_13_frames_of_a_project_carry_its_tag_only(trunk: NetworkLab) -> None:
    address(trunk, guest1="10.0.1.3", guest2="10.0.1.3", guest3="10.0.1.4", guest4="10.0.1.4")
    assert tags_on_the_wire(trunk, 1, "10.0.1.4") == {101}
    assert tags_on_the_wire(trunk, 2, "10.0.1.4") == {102}


def test_net_13_next_owner_of_a_vlan_sees_no_old_guest(trunk: NetworkLab) -> None:
    """A guest of a deleted network that is still plugged on one host reaches nobody."""
    address(trunk, guest1="10.0.1.3", guest3="10.0.1.4")
    assert pings(trunk, 1, "10.0.1.4")
    agree(trunk, vlan(3, vlan=101, bridge="br301", cidr="10.0.1.0/24", gateway="10.0.1.1",
                      dhcp_server="10.0.1.1", dhcp_start="10.0.1.3"))  # fmt: skip
    assert not pings(trunk, 1, "10.0.1.4")
    assert not pings(trunk, 3, "10.0.1.3")
