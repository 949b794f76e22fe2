"""What reaches real guests, and what they reach: groups, addresses, spoofing.

Servers of one subnet are strangers to each other here, so that only groups let them meet.
Each test leaves the three guests running, and their groups as they were.
"""

import contextlib
import dataclasses
import os
import re
import select
import socket
import subprocess
import time

import pytest

from tests.fixtures.daemons import wait_for
from tests.fixtures.guest_frames import (
    arp,
    ethernet,
    icmp6,
    link_local,
    sender_program,
    udp4,
)
from tests.fixtures.process_cloud import ENDED, Server
from tests.fixtures.real_cloud import (
    POOL,
    RealCloud,
    address_of,
    console,
    wait_until_ready,
)

pytestmark = pytest.mark.integration

ANYWHERE = "0.0.0.0/0"
# On a machine that has nothing else to do, a change is in force within a second.
CHANGED_S = 15
ENFORCED_S = 2
PATIENCE_S = 150


class Cloud(RealCloud):
    """With a group that lets nobody in, and a second host."""

    host_count = 2

    def _host(self, index):
        found = super()._host(index)
        found["DEFAULT"] |= {
            "allow_same_net_traffic": "False",
            # What a guest leased stays leased until a test releases it.
            "force_dhcp_release": "False",
            # A guest that is about to boot does not hear that it should shut down.
            "shutdown_timeout": "5",
            "resume_guests_state_on_host_boot": "True",
        }
        return found

    def open(self):
        super().open()
        body = {"security_group": {"name": "closed", "description": "nobody"}}
        self.groups.do("POST", "/os-security-groups", body)

    @property
    def groups(self):
        """The API as it was when it had groups and floating addresses."""
        return self.user.at("2.35")

    def group_id(self, name):
        found = self.groups.get("/os-security-groups")["security_groups"]
        return next(group["id"] for group in found if group["name"] == name)

    @contextlib.contextmanager
    def rule(self, group, protocol, first, last, **source):
        """Let something in for a while."""
        rule = {"parent_group_id": self.group_id(group), "ip_protocol": protocol}
        rule |= {"from_port": first, "to_port": last, **(source or {"cidr": ANYWHERE})}
        made = self.groups.do("POST", "/os-security-group-rules", {"security_group_rule": rule})
        path = f"/os-security-group-rules/{made['security_group_rule']['id']}"
        try:
            yield lambda: self.groups.do("DELETE", path)
        finally:
            assert self.groups.send("DELETE", path).status in (202, 404)

    @contextlib.contextmanager
    def floating(self, server):
        """Give a server a floating address for a while."""
        api = self.groups
        made = api.do("POST", "/os-floating-ips", {"pool": POOL})["floating_ip"]
        path = f"/servers/{server.uuid}/action"
        try:
            api.do("POST", path, {"addFloatingIp": {"address": made["ip"]}})
            yield made["ip"]
        finally:
            api.send("POST", path, {"removeFloatingIp": {"address": made["ip"]}})
            wait_for(
                lambda: api.send("DELETE", f"/os-floating-ips/{made['id']}").status == 202,
                "the floating address stays",
            )

    def tap_of(self, server):
        """Return the device of a server's first interface."""
        words = self.inside("virsh", "-q", "domiflist", server.uuid).split()
        return words[0]


@pytest.fixture(scope="session")
def cloud_class():
    return Cloud


@pytest.fixture(scope="module")
def guests(cloud, shell):
    """Give two servers that let ping and SSH in, and one that lets nobody in."""
    groups = {"red": "default", "blue": "default", "green": "closed"}
    found = [
        cloud.request(name=name, key_name="mine", security_groups=[{"name": group}])
        for name, group in groups.items()
    ]
    for server in found:
        assert server.wait_for_status(*ENDED, patience_s=PATIENCE_S) == "ACTIVE", server.show()
    for server in found:
        wait_until_ready(server)
    return found


@pytest.fixture
def red(guests):
    return guests[0]


@pytest.fixture
def blue(guests):
    return guests[1]


@pytest.fixture
def green(guests):
    return guests[2]


def mac_text(server):
    """Return the address of a server's one card."""
    (entries,) = server.show()["addresses"].values()
    return entries[0]["OS-EXT-IPS-MAC:mac_addr"]


def mac_of(server):
    """Return it as frames carry it."""
    return bytes.fromhex(mac_text(server).replace(":", ""))


def pings(address):
    """Tell whether an address answers the machine."""
    done = subprocess.run(
        ["ping", "-c", "3", "-i", "0.2", "-W", "0.5", address], capture_output=True
    )
    return done.returncode == 0


def opens(address, port):
    """Tell whether the machine can open a connection."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2):
        return True
    return False


def reaches(shell, server, address, port=22):
    """Tell whether a guest can open a connection."""
    command = f"nc -w 3 {address} {port} </dev/null 2>&1 | head -c 3"
    return shell.run(server, command).strip() == "SSH"


def becomes(condition, message, wanted=True, patience_s=CHANGED_S):
    """Wait until a condition holds, or does not; return how long that took."""
    began = time.monotonic()
    wait_for(lambda: condition() is wanted, message, patience_s)
    return time.monotonic() - began


class Conversation:
    """A program in a guest that says after us what it hears, over one connection."""

    def __init__(self, shell, address):
        command = shell.command(address, "echo ready; while read x; do echo $x; done")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, bufsize=0, stderr=subprocess.DEVNULL, **pipes)
        assert self._process.stdout.readline() == b"ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def say(self, word):
        """Let the guest hear something."""
        self._process.stdin.write(word.encode() + b"\n")

    def hears(self, word, patience_s=CHANGED_S):
        """Tell whether the guest says something after us."""
        end, text = time.monotonic() + patience_s, b""
        while word.encode() not in text and (left := end - time.monotonic()) > 0:
            if not select.select([self._process.stdout], [], [], left)[0]:
                return False
            more = os.read(self._process.stdout.fileno(), 1000)
            if not more:
                return False
            text += more
        return word.encode() in text

    def goes_on(self, word):
        """Tell whether the guest still hears us."""
        self.say(word)
        return self.hears(word)


_SNIFF = """
import select, socket, sys
listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
print("ready", flush=True)
found = []
while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
    frame, address = listener.recvfrom(2048)
    if address[0].startswith(sys.argv[1]):
        found.append((address[0], address[2], frame.hex()))
for one in found:
    print(*one)
"""
OUTGOING = "4"


class Sniffer:
    """All frames of the host's devices whose names begin so."""

    def __init__(self, cloud, devices):
        command = [*cloud.hosts.enter(1), "python3", "-c", _SNIFF, devices]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, text=True, **pipes)
        assert self._process.stdout.readline() == "ready\n"

    def frames(self):
        """Stop, and return device, direction and content of each."""
        time.sleep(0.5)
        lines = [line.split() for line in self._process.communicate()[0].splitlines()]
        return [(device, direction, bytes.fromhex(frame)) for device, direction, frame in lines]


_FLOOD = """
import socket, sys, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        sender.sendto(b"flood", (sys.argv[1], 4000))
    except OSError:
        pass
    time.sleep(0.01)
"""
ANY_MAC = "02:00:00:00:00:99"


@contextlib.contextmanager
def flood(cloud, address, mac=ANY_MAC):
    """Send to an address, whether there is one or not; bridges hand this to all their ports."""
    inside = ["ip", "-n", cloud.layout.switch, "neigh"]
    where = ["lladdr", mac, "dev", "data", "nud", "permanent"]
    subprocess.run([*inside, "replace", address, *where], check=True)
    enter = ["ip", "netns", "exec", cloud.layout.switch]
    sender = subprocess.Popen([*enter, "python3", "-c", _FLOOD, address])
    try:
        yield
    finally:
        sender.kill()
        sender.wait()
        subprocess.run([*inside, "del", address, "dev", "data"], check=True)


def flooded(frames, device):
    """Return how many frames of the flood came to devices."""
    return sum(1 for name, _, frame in frames if name.startswith(device) and b"flood" in frame)


# --- Security groups


def test_net_06_rule_lets_in_and_its_end_keeps_out(cloud, green):
    address = address_of(green)
    assert not pings(address)
    assert not opens(address, 22)
    with (
        cloud.rule("closed", "icmp", -1, -1),
        cloud.rule("closed", "tcp", 22, 22) as close,
    ):
        becomes(lambda: pings(address), "ping stays out")
        becomes(lambda: opens(address, 22), "SSH stays out")
        close()
        becomes(lambda: opens(address, 22), "SSH still gets in", False)
    becomes(lambda: pings(address), "ping still gets in", False)


def test_net_06_change_is_enforced_within_two_seconds(cloud, green, capsys):
    address, opened, closed = address_of(green), [], []
    # The machine may be busy with something else once.
    while not opened or (max(min(opened), min(closed)) > ENFORCED_S and len(opened) < 5):
        with cloud.rule("closed", "icmp", -1, -1):
            opened.append(becomes(lambda: pings(address), "ping stays out"))
        closed.append(becomes(lambda: pings(address), "ping still gets in", False))
    with capsys.disabled():
        print(f"\nenforced after: opened {opened}, closed {closed} s")
    assert max(min(opened), min(closed)) <= ENFORCED_S


def test_net_06_rule_lets_in_by_floating_address(cloud, shell, green):
    with cloud.floating(green) as address:
        assert not pings(address)
        with cloud.rule("closed", "icmp", -1, -1), cloud.rule("closed", "tcp", 22, 22):
            becomes(lambda: pings(address), "ping stays out")
            becomes(lambda: opens(address, 22), "SSH stays out")
        becomes(lambda: pings(address), "ping still gets in", False)


def test_net_06_group_as_source_lets_its_members_in_alone(cloud, shell, red, green):
    address = address_of(green)
    assert not reaches(shell, red, address)
    with cloud.rule("closed", "tcp", 22, 22, group_id=cloud.group_id("default")):
        becomes(lambda: reaches(shell, red, address), "a member stays out")
        assert not opens(address, 22)
    becomes(lambda: reaches(shell, red, address), "a member still gets in", False)


def test_net_06_server_that_joins_a_group_is_let_in(cloud, shell, blue, green):
    api, path = cloud.groups, f"/servers/{green.uuid}/action"
    address = address_of(green)
    api.do("POST", path, {"addSecurityGroup": {"name": "default"}})
    try:
        becomes(lambda: pings(address), "ping stays out")
    finally:
        api.do("POST", path, {"removeSecurityGroup": {"name": "default"}})
    becomes(lambda: pings(address), "ping still gets in", False)


def test_servers_reach_each_other_by_fixed_address(shell, red, blue):
    assert " 0% packet loss" in shell.run(red, f"ping -c 3 {address_of(blue)}")
    assert reaches(shell, red, address_of(blue))


# --- Floating addresses


def test_floating_address_leads_to_its_server_from_everywhere(cloud, shell, red, blue):
    with cloud.floating(red) as address:
        becomes(lambda: pings(address), "it does not answer from outside")
        assert opens(address, 22)
        assert " 0% packet loss" in shell.run(blue, f"ping -c 3 {address}")
        assert reaches(shell, blue, address)
        # The frame goes back through the port of the bridge that it came from.
        assert reaches(shell, red, address)


def ports_to(address):
    """Return the machine's own ports of its connections to an address."""
    command = ["ss", "-Htn", "state", "established", "dst", address]
    lines = subprocess.check_output(command, text=True).splitlines()
    return [int(line.split()[2].rpartition(":")[2]) for line in lines]


def test_net_12_connection_dies_with_its_floating_address(cloud, shell, red, blue):
    api = cloud.groups
    made = api.do("POST", "/os-floating-ips", {"pool": POOL})["floating_ip"]
    lead = {"addFloatingIp": {"address": made["ip"]}}
    part = {"removeFloatingIp": {"address": made["ip"]}}
    first, second = (f"/servers/{server.uuid}/action" for server in (red, blue))
    try:
        api.do("POST", first, lead)
        becomes(lambda: opens(made["ip"], 22), "it does not answer from outside")
        with Conversation(shell, made["ip"]) as talk:
            assert talk.goes_on("with the owner")
            (port,) = ports_to(made["ip"])
            sniffer = Sniffer(cloud, "")
            api.do("POST", first, part)
            becomes(lambda: pings(made["ip"]), "the address still answers", False)
            # Until it is answered, this is sent again and again.
            talk.say("with nobody")
            api.do("POST", second, lead)
            becomes(lambda: opens(made["ip"], 22), "the next owner does not answer")
            assert not talk.hears("with nobody", 5)
        tap = cloud.tap_of(blue)
        frames = sniffer.frames()
    finally:
        for path in (first, second):
            api.send("POST", path, part)
        wait_for(
            lambda: api.send("DELETE", f"/os-floating-ips/{made['id']}").status == 202,
            "the floating address stays",
        )
    secret = port.to_bytes(2) + (22).to_bytes(2)
    assert [one for name, _, one in frames if name == "eth2" and one[34:38] == secret]
    assert [one.hex() for name, _, one in frames if name == tap and one[34:38] == secret] == []


# --- Spoofing

MARK = b"spoofed by a guest"
OTHER_MAC = "fa:16:3e:99:99:99"
ADVERTISEMENT = bytes([64, 0, 7, 8]) + bytes(8)


def spoofs(mac, own, stranger):
    """Return a frame of each kind, and in the end an honest one."""
    found = {
        "mac": udp4(OTHER_MAC, own, "10.96.83.255", (5000, 5000), MARK),
        "ipv4": udp4(mac, stranger, "10.96.83.255", (5000, 5001), MARK),
        "arp address": arp(mac, stranger, mac),
        "arp mac": arp(mac, own, OTHER_MAC),
        "ipv6": icmp6(mac, "fe80::1", 128, MARK),
        "router advertisement": icmp6(mac, "fe80::1", 134, ADVERTISEMENT + MARK),
        "neighbour advertisement": icmp6(mac, "fe80::1", 136, bytes(4) + bytes(16) + MARK),
        "dhcp server": udp4(mac, own, "255.255.255.255", (67, 68), MARK),
        "another protocol": ethernet(mac, "ff:ff:ff:ff:ff:ff", 0x88B5, MARK + bytes(60)),
    }
    return {**found, "honest": udp4(mac, own, "10.96.83.255", (5000, 5002), MARK)}


def send(shell, server, frames):
    """Let a guest send frames of some kinds."""
    shell.run(server, "cat > /tmp/send && chmod 755 /tmp/send", sender_program())
    for kind, frame in frames.items():
        sent = shell.run(server, "/tmp/send; echo status $?", frame)
        assert "status 0" in sent, kind


def test_net_01_frames_of_each_spoofed_kind_reach_nobody_and_are_counted(cloud, shell, red, blue):
    mac = shell.run(red, "cat /sys/class/net/eth0/address").strip()
    frames = spoofs(mac, address_of(red), address_of(blue))
    before = dropped(cloud, cloud.tap_of(red))
    sniffer = Sniffer(cloud, "")
    send(shell, red, frames)
    own_tap = cloud.tap_of(red)
    seen = [frame for device, _, frame in sniffer.frames() if device != own_tap]
    arrived = {kind for kind, frame in frames.items() if any(one.startswith(frame) for one in seen)}
    assert arrived == {"honest"}
    assert dropped(cloud, own_tap) - before >= len(frames) - 1


def dropped(cloud, tap):
    """Return how many frames of a guest were dropped."""
    text = cloud.inside("ebtables", "-t", "nat", "-L", "--Lc")
    total = 0
    for chain in text.split("Bridge chain: ")[1:]:
        head, _, rules = chain.partition("\n")
        if tap not in head:
            continue
        policy = re.search(r"policy: (\w+)", head)
        assert policy is not None
        counts = re.findall(r"-j DROP , pcnt = (\d+)", rules)
        total += sum(map(int, counts))
    return total


# --- What a guest finds


def test_net_02_guest_finds_dhcp_dns_and_metadata_alone(cloud, shell, red):
    listening = cloud.inside("ss", "-Hltn").splitlines()
    ports = {int(line.split()[3].rpartition(":")[2]) for line in listening}
    assert 16509 in ports, "libvirt does not listen, so nothing is shown"
    gateway = shell.run(red, "ip route").split("default via ")[1].split()[0]
    management = cloud.layout.address(1)
    scan = "for port in {}; do nc -w 2 {} $port </dev/null >/dev/null 2>&1 && echo open $port; done"
    words = " ".join(map(str, sorted(ports)))
    found = {}
    for address in (gateway, management):
        text = shell.run(red, scan.format(words, address))
        found[address] = {int(port) for port in re.findall(r"open (\d+)", text)}
    assert found[gateway] <= {53, 8775}
    assert found[management] <= {8775}


_ECHO = """
import socket
listener = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
listener.bind(("::", 7007))
print("ready", flush=True)
while True:
    listener.sendto(*listener.recvfrom(2048))
"""
ECHO_PORT = 7007


@contextlib.contextmanager
def echo(cloud):
    """Let the host answer datagrams of both families at a port of its own."""
    command = [*cloud.hosts.enter(1), "python3", "-c", _ECHO]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout.readline() == "ready\n"
            yield
        finally:
            server.kill()


def question(name):
    """Return a message that asks a name server for an address."""
    asked = bytes([len(name)]) + name.encode() + b"\0"
    return b"nf\1\0\0\1" + bytes(6) + asked + b"\0\1\0\1"


def test_net_02_host_answers_a_guest_no_datagrams_but_names_and_nothing_of_ipv6(cloud, shell, red):
    tap, mac, own = cloud.tap_of(red), mac_text(red), address_of(red)
    gateway = shell.run(red, "ip route").split("default via ")[1].split()[0]
    bridge = cloud.inside("cat", "/sys/class/net/br100/address").strip()
    for device in ("br100", tap):
        assert cloud.inside("ip", "-6", "address", "show", "dev", device) == "", device
    targets = {"gateway": gateway, "management": cloud.layout.address(1)}
    frames = {
        name: udp4(mac, own, target, (ECHO_PORT, ECHO_PORT), MARK, bridge)
        for name, target in targets.items()
    }
    frames["ipv6"] = icmp6(mac, link_local(mac), 128, MARK)
    frames["name"] = udp4(mac, own, gateway, (ECHO_PORT, 53), question("red"), bridge)
    with echo(cloud):
        sniffer = Sniffer(cloud, tap)
        send(shell, red, frames)
        seen = sniffer.frames()
    answers = [one for _, way, one in seen if way == OUTGOING]
    assert [one for one in answers if b"nf\x85\x80" in one or b"nf\x81\x80" in one]
    assert [one for one in answers if MARK in one or one[12:14] == b"\x86\xdd"] == []


def test_net_15_question_from_outside_is_not_answered(cloud, shell, red):
    gateway = shell.run(red, "ip route").split("default via ")[1].split()[0]
    host = cloud.layout.address(1)
    # The machine asks as a neighbour of the guests, but for this way to their gateway.
    route = ["ip", "-n", cloud.layout.switch, "route"]
    subprocess.run([*route, "add", f"{gateway}/32", "via", host], check=True)
    try:
        for address in (gateway, host):
            command = ["timeout", "5", "busybox", "nslookup", "red", address]
            assert subprocess.run(command, capture_output=True).returncode != 0, address
    finally:
        subprocess.run([*route, "del", f"{gateway}/32"], check=True)
    assert "Address" in shell.run(red, f"nslookup red {gateway}")


def test_net_14_third_guest_sees_no_frames_of_two_others(cloud, shell, red, blue, green):
    third, others = mac_of(green), {mac_of(red), mac_of(blue)}
    with cloud.rule("closed", "icmp", -1, -1):
        becomes(lambda: pings(address_of(green)), "ping stays out")
        shell.run(red, f"ping -c 1 {address_of(blue)}")
        sniffer = Sniffer(cloud, "tap")
        shell.run(red, f"ping -c 5 -i 0.2 {address_of(blue)}; ping -c 1 {address_of(green)}")
        frames = sniffer.frames()
    taps = [cloud.tap_of(server) for server in (blue, green)]
    to_blue, to_green = (
        [one for name, way, one in frames if (name, way) == (tap, OUTGOING)] for tap in taps
    )
    assert any(one[:12] == mac_of(blue) + mac_of(red) for one in to_blue)
    assert any(one[:12] == third + mac_of(red) for one in to_green)
    # The host's own frames are none of theirs: a bridge asks all ports for a card it lost.
    unicast = [one for one in to_green if not one[0] & 1 and one[:6] != third]
    strange = [one.hex() for one in unicast if {one[:6], one[6:12]} & others]
    assert strange == []


def test_net_16_host_stays_unknown_to_a_guest(cloud, shell, red):
    text = shell.run(
        red, "cd /sys/class/dmi/id; for f in *; do [ -f $f ] && echo $f=$(cat $f 2>&1); done"
    )
    shown = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert shown["product_uuid"].lower() == red.uuid
    assert shown["product_serial"] in (red.uuid, "")
    host = cloud.inside("cat", "/etc/machine-id").strip()
    uuid = re.search('host_uuid = "(.*)"', cloud.inside("cat", "/etc/libvirt/libvirtd.conf"))[1]
    told = shell.run(
        red, "dmesg; cat /proc/cmdline; wget -q -O - http://169.254.169.254/latest/meta-data/"
    )
    for secret in (host, uuid, "compute1", cloud.layout.address(1)):
        assert secret not in text + told + console(red)


FREED = "10.96.83.98"


def test_net_11_stranger_gets_no_lease(cloud, red):
    wish = ["-r", address_of(red)]
    command = ["busybox", "udhcpc", "-f", "-n", "-q", "-t", "2", "-T", "1", "-A", "1", *wish]
    switch = ["ip", "netns", "exec", cloud.layout.switch]
    done = subprocess.run(
        [*switch, *command, "-s", "/bin/true", "-i", "data"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "lease of" not in done.stdout + done.stderr


def test_net_11_address_is_not_given_again_before_its_lease_ends_and_net_16_host_ids_differ(
    cloud, red, blue
):
    (network,) = cloud.groups.get("/os-networks")["networks"]
    fields = {"networks": [{"uuid": network["id"], "fixed_ip": FREED}]}
    first = cloud.request(name="first", **fields)
    assert first.wait_for_status(*ENDED, patience_s=PATIENCE_S) == "ACTIVE", first.show()
    becomes(lambda: pings(FREED), "the guest takes no address", patience_s=PATIENCE_S)
    mac = mac_text(first)
    first.delete()
    wait_for(first.is_gone, "the server is still there", PATIENCE_S)
    stranger = dataclasses.replace(cloud.user, project="strangers")
    wanted = {"name": "second", "flavorRef": "tiny", "imageRef": cloud.image_id, **fields}

    def ask():
        answers.append(stranger.send("POST", "/servers", {"server": wanted}))
        return answers[-1].status == 202

    answers = []
    assert not ask()
    assert FREED in answers[0].complaint
    cloud.inside("dhcp_release", "br100", FREED, mac)
    wait_for(ask, "the address stays taken")
    found = answers[-1].document["server"]
    server = Server(stranger, found["id"], found)
    try:
        assert server.wait_for_status(*ENDED, patience_s=PATIENCE_S) == "ACTIVE", server.show()
        assert red.show()["hostId"] == blue.show()["hostId"]
        assert red.host == server.host
        assert red.show()["hostId"] != server.show()["hostId"]
    finally:
        server.delete()
        wait_for(server.is_gone, "the server is still there", PATIENCE_S)


# --- Interfaces that come and go


def test_interface_comes_and_goes_while_the_guest_runs(cloud, shell, blue):
    nics = "ls /sys/class/net | grep -c eth"
    assert shell.run(blue, nics).strip() == "1"
    made = blue.api.do("POST", f"/servers/{blue.uuid}/os-interface", {})["interfaceAttachment"]
    try:
        wait_for(lambda: shell.run(blue, nics).strip() == "2", "the guest sees no card")
        assert made["mac_addr"] in shell.run(blue, "cat /sys/class/net/eth1/address")
        (tap,) = [
            line.split()[0]
            for line in cloud.inside("virsh", "-q", "domiflist", blue.uuid).splitlines()
            if made["mac_addr"] in line
        ]
        assert cloud.inside("cat", f"/sys/class/net/{tap}/brport/hairpin_mode").strip() == "1"
        assert cloud.inside("ip", "-6", "address", "show", "dev", tap) == ""
    finally:
        blue.api.do("DELETE", f"/servers/{blue.uuid}/os-interface/{made['port_id']}")
    wait_for(lambda: shell.run(blue, nics).strip() == "1", "the card stays", PATIENCE_S)


# --- Before the first packet

UNUSED = "10.96.83.99"


def test_net_04_nothing_arrives_during_a_boot_though_nova_compute_dies(cloud, guests):
    (network,) = cloud.groups.get("/os-networks")["networks"]
    wanted = [{"uuid": network["id"], "fixed_ip": UNUSED}]
    sniffer = Sniffer(cloud, "")
    with flood(cloud, UNUSED):
        server = cloud.request(
            name="flooded", networks=wanted, security_groups=[{"name": "closed"}]
        )
        server.wait_for_step("spawning")
        compute = cloud.daemons["compute"]
        compute.kill()
        time.sleep(1)
        compute.start()
        compute.ready()
        server.wait_for_status(*ENDED, patience_s=PATIENCE_S)
        time.sleep(2)
        server.delete()
        wait_for(server.is_gone, "the server is still there", PATIENCE_S)
    frames = sniffer.frames()
    assert flooded(frames, "eth1") > 50
    assert flooded(frames, "tap") == 0


# --- While a guest goes down and comes back

# Some in one go: to wait for a guest takes longer than all else.
COMES_AND_GOES = {
    "reboot and stop": [
        ({"reboot": {"type": "SOFT"}}, "ACTIVE"),
        ({"os-stop": None}, "SHUTOFF"),
        ({"os-start": None}, "ACTIVE"),
        ({"reboot": {"type": "HARD"}}, "ACTIVE"),
    ],
    "pause": [({"pause": None}, "PAUSED"), ({"unpause": None}, "ACTIVE")],
    "suspend": [({"suspend": None}, "SUSPENDED"), ({"resume": None}, "ACTIVE")],
}


def passes(cloud, server):
    """Tell whether packets of the flood come to a server now."""
    sniffer = Sniffer(cloud, cloud.tap_of(server))
    return flooded(sniffer.frames(), "tap") > 0


def test_net_04_flood_arrives_where_a_rule_lets_it_in(cloud, green):
    with flood(cloud, address_of(green), mac_text(green)):
        assert not passes(cloud, green)
        with cloud.rule("closed", "udp", 4000, 4000):
            becomes(lambda: passes(cloud, green), "the flood stays out")
        becomes(lambda: passes(cloud, green), "the flood still gets in", False)


@pytest.mark.parametrize("action", COMES_AND_GOES)
def test_net_05_rules_stay_in_force_through_power_actions(cloud, green, action):
    address = address_of(green)
    with flood(cloud, address, mac_text(green)), cloud.rule("closed", "icmp", -1, -1):
        sniffer = Sniffer(cloud, "")
        for body, status in COMES_AND_GOES[action]:
            green.act(body)
            green.wait_for_status(status, patience_s=PATIENCE_S)
        becomes(lambda: pings(address), "ping stays out", patience_s=PATIENCE_S)
        frames = sniffer.frames()
    assert not opens(address, 22)
    assert flooded(frames, "eth1") > 0
    assert flooded(frames, "tap") == 0


@pytest.mark.parametrize("name", ["compute", "network"])
def test_net_05_restart_of_a_daemon_cuts_nobody_off_and_lets_nobody_in(
    cloud, shell, red, green, name
):
    daemon, address = cloud.daemons[name], address_of(green)
    with flood(cloud, address, mac_text(green)), Conversation(shell, address_of(red)) as talk:
        sniffer = Sniffer(cloud, "")
        daemon.kill()
        assert talk.goes_on("away")
        # What changes meanwhile is not lost.
        with cloud.rule("closed", "icmp", -1, -1):
            daemon.start()
            daemon.ready()
            assert talk.goes_on("back")
            becomes(lambda: pings(address), "ping stays out")
        frames = sniffer.frames()
    assert flooded(frames, "eth1") > 0
    assert flooded(frames, "tap") == 0


@dataclasses.dataclass(frozen=True)
class PowerFailure:
    """What was seen while the first host was down, and of a flood while it came back.

    neighbour: of a guest of the other host, by what it tried.
    """

    neighbour: dict[str, bool]
    frames: list[tuple[str, str, bytes]]


@pytest.fixture(scope="module")
def power_failure(cloud, shell, guests):
    """Let the power of the guests' host fail and come back."""
    address, mac = address_of(guests[2]), mac_text(guests[2])
    with flood(cloud, address, mac), cloud.rule("closed", "icmp", -1, -1):
        with neighbour(cloud) as other, Conversation(shell, address_of(other)) as talk:
            gateway = shell.run(other, "ip route").split("default via ")[1].split()[0]
            cloud.crash_host()
            seen = keeps_its_network(shell, other, gateway)
            seen["conversation"] = talk.goes_on("still here")
        cloud.hosts.reboot(1)
        sniffer = Sniffer(cloud, "")
        cloud.start_host()
        becomes(lambda: pings(address), "ping stays out", patience_s=PATIENCE_S)
        return PowerFailure(seen, sniffer.frames())


@contextlib.contextmanager
def neighbour(cloud):
    """Give a server on the second host, which is there for it alone."""
    cloud.start_host(2)
    wait_for(lambda: cloud.are_up(2), "the second host is not up")
    key = {"name": "mine", "public_key": (cloud.folder / "key.pub").read_text()}
    cloud.admin.do("POST", "/os-keypairs", {"keypair": {**key, "type": "ssh"}})
    server = cloud.request(
        cloud.admin, name="other", key_name="mine", availability_zone="nova:compute2"
    )
    # No other server may come here.
    service = {"host": "compute2", "binary": "nova-compute"}
    try:
        cloud.admin.at("2.35").do("PUT", "/os-services/disable", service)
        assert server.wait_for_status(*ENDED, patience_s=PATIENCE_S) == "ACTIVE", server.show()
        wait_until_ready(server)
        yield server
    finally:
        server.delete()
        wait_for(server.is_gone, "the server is still there", PATIENCE_S)
        cloud.stop_host(2)


def keeps_its_network(shell, server, gateway):
    """Return what of its network works for a guest."""
    lease = shell.run(server, "udhcpc -f -n -q -i eth0 -s /bin/true 2>&1")
    data = shell.run(
        server, "timeout 20 wget -q -O - http://169.254.169.254/latest/meta-data/hostname"
    )
    return {
        "ping from outside": pings(address_of(server)),
        "lease": f"lease of {address_of(server)}" in lease,
        "names": "Address" in shell.run(server, f"nslookup other {gateway}"),
        "metadata": "other" in data,
    }


def test_multi_host_server_keeps_its_network_while_another_host_is_down(power_failure):
    assert [what for what, works in power_failure.neighbour.items() if not works] == []


def test_net_05_rules_are_in_force_before_guests_start_after_a_host_crash(
    power_failure, red, blue, green
):
    assert flooded(power_failure.frames, "eth1") > 0
    assert flooded(power_failure.frames, "tap") == 0
    assert not opens(address_of(green), 22)
    others = [address_of(red), address_of(blue)]
    becomes(lambda: all(opens(one, 22) for one in others), "SSH stays out", patience_s=PATIENCE_S)


# --- The administrator's view


def test_show_path_finds_all_well_and_what_somebody_broke(cloud, red):
    files = (cloud.folder / "nova.conf", cloud.folder / "database.conf")
    show = (*files, "network", "show-path", red.uuid)
    well = cloud.managed(*show)
    assert well.returncode == 0 and "PROBLEM" not in well.stdout, well.stdout + well.stderr
    (chain,) = {
        line.split()[1]
        for line in cloud.inside("iptables-save", "-t", "filter").splitlines()
        if line.startswith("-A nova-compute-sg-") and "--dport 22" in line
    }
    number = next(
        line.split()[0]
        for line in cloud.inside("iptables", "-nL", chain, "--line-numbers").splitlines()
        if "dpt:22" in line
    )
    cloud.inside("iptables", "-D", chain, number)
    broken = cloud.managed(*show)
    cloud.daemons["compute"].kill()
    cloud.daemons["compute"].start()
    cloud.daemons["compute"].ready()
    assert broken.returncode == 1 and "PROBLEM" in broken.stdout, broken.stdout + broken.stderr
    wait_for(lambda: cloud.managed(*show).returncode == 0, "nova-compute does not mend it", 60)
