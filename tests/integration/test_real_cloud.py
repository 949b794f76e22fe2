"""One real host with real guests, from the API's request to the shell in the guest."""

import contextlib
import json
import pathlib
import re
import subprocess
import time

import pytest

from tests.fixtures.daemons import TooLate, wait_for
from tests.fixtures.images import pad, qcow2, qcow2_with_backing
from tests.fixtures.process_cloud import ENDED
from tests.fixtures.real_cloud import (
    SECRET,
    address_of,
    as_user_data,
    console,
    image_facts,
    wait_until_ready,
)

NEEDED = ("libvirtd", "virtlogd", "qemu-system-x86_64", "genisoimage", "ebtables", "dnsmasq", "ssh")

pytestmark = pytest.mark.integration

CANARY = "canary-of-the-host-51c3"
ADMIN_PASS = "canary-admin-pass-7f2e"
USER_DATA = "canary-user-data-93ab"
FILE = "canary-file-c04d"


@pytest.fixture(scope="module")
def servers(cloud, shell):
    """Give a server that asks the metadata service, and one with a config drive and two disks."""
    script = f"#!/bin/sh\n# {USER_DATA}\necho user data ran > /var/lib/user-data-ran\n"
    fields = {"key_name": "mine", "adminPass": ADMIN_PASS, "user_data": as_user_data(script)}
    asking = cloud.request(name="asking", metadata={"colour": "blue"}, **fields)
    driven = cloud.request(name="driven", flavorRef="big", config_drive=True, **fields)
    for server in (asking, driven):
        assert server.wait_for_status(*ENDED, patience_s=120) == "ACTIVE", server.show()
    for server in (asking, driven):
        wait_until_ready(server)
    return asking, driven


@pytest.fixture
def asking(servers):
    return servers[0]


@pytest.fixture
def driven(servers):
    return servers[1]


# --- The first minutes of a server


def test_server_gets_address_metadata_and_key(cloud, shell, asking):
    text = console(asking)
    assert f"net eth0 ip={address_of(asking)}" in text
    assert f"metadata source=openstack id={asking.uuid} hostname=asking" in text
    assert f"local-ipv4={address_of(asking)}" in text
    assert "meta colour=blue" in text
    assert "sshkeys 1" in text
    assert "user data ran" in shell.run(asking, "cat /var/lib/user-data-ran")
    assert shell.run(asking, "hostname").strip() == "asking"


def test_server_with_config_drive_reads_it(cloud, shell, driven):
    text = console(driven)
    assert f"metadata source=configdrive id={driven.uuid} hostname=driven" in text
    assert "adminpass set" in text
    assert "sshkeys 1" in text
    assert "user data ran" in shell.run(driven, "cat /var/lib/user-data-ran")


def test_servers_reach_each_other(shell, asking, driven):
    assert " 0% packet loss" in shell.run(driven, f"ping -c 3 {address_of(asking)}")


# --- Spoofing

SERVICE = "169.254.169.254"
ASK = f"timeout 6 wget -q -O - http://{SERVICE}/latest/meta-data/instance-id 2>&1; true"


def test_md_05_spoofed_source_address_gets_no_metadata(shell, asking, driven):
    stranger = address_of(asking)
    assert re.fullmatch("i-[0-9a-f]{8}", shell.run(driven, ASK).strip())
    gateway = shell.run(driven, "ip route").split("default via ")[1].split()[0]
    route = f"{SERVICE}/32 via {gateway} dev eth0 src {stranger}"
    shell.run(driven, f"ip address add {stranger}/32 dev eth0 && ip route add {route}")
    try:
        assert stranger in shell.run(driven, f"ip route get {SERVICE}")
        assert "i-" not in shell.run(driven, ASK)
    finally:
        shell.run(driven, f"ip route del {route}; ip address del {stranger}/32 dev eth0")
    assert "i-" in shell.run(driven, ASK)


SNIFF = """
import socket, sys, time
listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
listener.bind(("br100", 0))
listener.settimeout(0.2)
print("ready", flush=True)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    try:
        frame = listener.recv(100)
    except TimeoutError:
        continue
    print(socket.inet_ntoa(frame[28:32]), frame[22:28].hex(":"), flush=True)
"""


def test_net_01_spoofed_arp_reaches_nobody(cloud, shell, asking, driven):
    stranger, own = address_of(asking), address_of(driven)
    mac = shell.run(driven, "cat /sys/class/net/eth0/address").strip()
    command = [*cloud.hosts.enter(1), "python3", "-c", SNIFF, "8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sniffer:
        assert sniffer.stdout.readline() == "ready\n"
        shell.run(driven, f"ip address add {stranger}/32 dev eth0")
        try:
            for address in (stranger, own):
                shell.run(driven, f"timeout 3 arping -U -c 2 -I eth0 -s {address} {address}; true")
        finally:
            shell.run(driven, f"ip address del {stranger}/32 dev eth0")
        seen = sniffer.stdout.read().split("\n")
    assert f"{own} {mac}" in seen
    assert f"{stranger} {mac}" not in seen


# --- Power


def test_power_actions(cloud, shell, asking):
    boots = console(asking).count("TINY: ready uptime=")
    asking.act({"reboot": {"type": "SOFT"}})
    asking.wait_for_status("ACTIVE", patience_s=120)
    text = wait_until_ready(asking, boots + 1)
    assert text.count("TINY: powerbutton") == 1
    asking.act({"os-stop": None})
    assert asking.wait_for_status("SHUTOFF", patience_s=90)
    asking.act({"os-start": None})
    assert asking.wait_for_status("ACTIVE")
    asking.act({"reboot": {"type": "HARD"}})
    asking.wait_for_status("ACTIVE")
    text = wait_until_ready(asking, boots + 2)
    assert text.count("TINY: powerbutton") == 2
    assert shell.run(asking, "hostname").strip() == "asking"


# --- Disks that claim to be something else


@pytest.fixture
def canary(cloud):
    """Give a file of the host that no guest may ever see."""
    path = cloud.layout.spec(1).directory / "nova" / "secret"
    path.write_text((CANARY + "\n") * 10000)
    path.chmod(0o644)
    yield str(cloud.layout.compute / "secret")
    path.unlink()


def test_img_07_header_on_a_second_disk_stays_bytes(cloud, shell, driven, canary):
    header = qcow2_with_backing(canary.encode())
    size = shell.run(driven, "cat /sys/block/vdb/size")
    shell.run(driven, "dd of=/dev/vdb conv=fsync bs=64k", header)
    boots = console(driven).count("TINY: ready uptime=")
    driven.act({"reboot": {"type": "HARD"}})
    driven.wait_for_status("ACTIVE", patience_s=60)
    wait_until_ready(driven, boots + 1)
    assert shell.run(driven, "cat /sys/block/vdb/size") == size
    assert shell.run(driven, "head -c 4 /dev/vdb | hexdump -C | head -1").split()[1:5] == [
        "51", "46", "49", "fb",
    ]  # fmt: skip
    assert shell.run(driven, "head -c 4000000 /dev/vdb | grep -c canary-of").strip() == "0"


def test_img_07_header_on_the_root_disk_and_delete_leaves_nothing(cloud, shell, servers, canary):
    before = cloud.traces()
    server = cloud.request(name="doomed", key_name="mine")
    assert server.wait_for_status(*ENDED, patience_s=90) == "ACTIVE", server.show()
    wait_until_ready(server)
    disk = cloud.disk_of(server, "disk")
    facts = image_facts(disk)
    shell.run(server, "dd of=/dev/vda conv=fsync bs=64k", qcow2_with_backing(canary.encode()))
    server.act({"reboot": {"type": "HARD"}})
    server.wait_for_status("ACTIVE", patience_s=60)
    after = image_facts(disk)
    for name in ("format", "virtual-size", "backing-filename"):
        assert after.get(name) == facts.get(name), name
    own = str(cloud.instances_path / server.uuid / "disk")
    read = ["qemu-io", "-r", "-U", "-f", facts["format"], "-c", "read -v 0 512", own]
    assert "51 46 49 fb" in cloud.inside(*read)
    assert "secret" not in open_files(cloud, server)
    server.delete()
    wait_for(server.is_gone, "the server is still there")
    wait_until_same(cloud, before)
    assert not disk.parent.exists()


def wait_until_same(cloud, before):
    """Wait until nothing is left; the host is told of rules that are gone, and then drops them."""
    with contextlib.suppress(TooLate):
        wait_for(lambda: cloud.traces() == before, "something is left", 30)
    assert cloud.traces() == before


def open_files(cloud, server):
    """Return the names of all files that the server's emulator has open."""
    pid_file = f"/run/libvirt/qemu/{domain_of(cloud, server)}.pid"
    pid = cloud.inside("cat", pid_file).strip()
    names = cloud.inside("ls", "-l", f"/proc/{pid}/fd")
    assert "disk" in names
    return names


def domain_of(cloud, server):
    return cloud.inside("virsh", "-q", "domname", server.uuid).strip()


# --- Images that are refused


def too_large():
    """Return a small file that is a disk of 8 TiB."""
    entries = (8 << 40) // (512 << 20)
    return pad(qcow2(size=8 << 40, l1_entries=entries), (3 << 16) + 8 * entries)


IMAGES = {
    "unsafe": (qcow2_with_backing(), "qcow2", "backing"),
    "another format": (qcow2(), "raw", "qcow2"),
    "too large": (too_large(), "qcow2", "disk holds"),
    "lost": (b"x" * 1000, "raw", "not be found"),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_img_refused_image_ends_the_build_with_a_reason_and_leaves_nothing(cloud, servers, kind):
    content, disk_format, word = IMAGES[kind]
    image_id = cloud.images.add(content, disk_format)
    if kind == "lost":
        cloud.images.lose_content(image_id)
    before = cloud.traces()
    server = cloud.request(imageRef=image_id)
    assert server.wait_for_status(*ENDED, patience_s=60) == "ERROR"
    assert word in server.fault and image_id in server.fault
    assert str(cloud.folder) not in server.fault
    wait_until_same(cloud, before)
    server.delete()
    wait_for(server.is_gone, "the server is still there")


def test_img_unknown_image_is_refused_at_once(cloud):
    body = {
        "name": "x",
        "flavorRef": "tiny",
        "imageRef": "99999999-2222-4333-8444-555555555555",
        "networks": "none",
    }
    answer = cloud.user.send("POST", "/servers", {"server": body})
    assert answer.status == 400
    assert "99999999-2222-4333-8444-555555555555" in answer.complaint


# --- Crashes


def test_compute_killed_during_spawn_of_a_real_guest(cloud, servers):
    before = cloud.traces()
    server = cloud.request(name="interrupted")
    server.wait_for_step("spawning")
    compute = cloud.daemons["compute"]
    compute.kill()
    compute.start()
    compute.ready()
    server.wait_for_status(*ENDED, patience_s=90)
    for other in servers:
        assert other.status == "ACTIVE"
    server.delete()
    wait_for(server.is_gone, "the server is still there")
    wait_until_same(cloud, before)


@pytest.mark.parametrize("moment_s", [0.1, 0.5, 1.0, 2.0])
def test_img_14_delete_during_the_build_of_a_real_guest_leaves_nothing(cloud, servers, moment_s):
    before = cloud.traces()
    server = cloud.request(name="unwanted", config_drive=True)
    time.sleep(moment_s)
    server.delete()
    wait_for(server.is_gone, "the server is still there")
    wait_until_same(cloud, before)


# --- Secrets


def test_log_01_no_secret_in_any_log_or_command_line(cloud, shell, servers):
    old = {"name": "made", "type": "ssh"}
    api = cloud.user.at("2.1")
    private = api.do("POST", "/os-keypairs", {"keypair": {"name": old["name"]}})["keypair"]
    bad = cloud.images.add(qcow2_with_backing(), "qcow2")
    content = as_user_data(FILE)
    fields = {"adminPass": ADMIN_PASS, "user_data": as_user_data(USER_DATA), "config_drive": True}
    files = [{"path": "/etc/secret", "contents": content}]
    failed = cloud.request(
        cloud.user.at("2.50"), imageRef=bad, personality=files, networks="auto", **fields
    )
    assert failed.wait_for_status(*ENDED, patience_s=60) == "ERROR"
    refused = cloud.user.send("POST", "/servers", {"server": {"x": 1, **fields}})
    assert refused.status == 400
    secrets = {
        "the broker's password": cloud.broker.password,
        "the administrator's password": ADMIN_PASS,
        "user data": USER_DATA,
        "user data as sent": as_user_data(USER_DATA)[:24],
        "the content of a file": FILE,
        "the content of a file as sent": content[:20],
        "a private key": private["private_key"].splitlines()[2],
        "the proxy's secret": SECRET,
    }
    assert all("DEBUG" in daemon.log.read_text() for daemon in cloud.daemons.values())
    for what, secret in secrets.items():
        holders = [path.name for path in cloud.logs() if secret in path.read_text()]
        assert holders == [], what
        assert secret not in processes(), what
        assert secret not in json.dumps(failed.show()), what
    failed.delete()
    wait_for(failed.is_gone, "the server is still there")


def processes():
    """Return the command lines of all processes."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text("utf-8", "replace"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return "\n".join(found)
