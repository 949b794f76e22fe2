"""The libvirt driver with real guests; test_libvirt.py runs this inside a host of its own."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import socket
import struct
import tempfile
import threading
import time

import pytest

from nova.objects.lifecycle import PowerState
from nova.virt.libvirt import firewall, probe
from nova.virt.libvirt.host import Host
from tests.fixtures.driver_suite import DriverCase, DriverSuite
from tests.fixtures.guests import make_flavor
from tests.fixtures.real_guests import (
    BRIDGE,
    WHOLE_DISK,
    Console,
    make_config_drive,
    make_detail,
    make_driver,
    output_of,
)

pytestmark = pytest.mark.integration

GIB = 1024**3
CANARY = "canary of the host"


@contextlib.contextmanager
def folder_for_instances():
    """Give a folder that the hypervisor's user can enter; in the end no filter may be left."""
    path = tempfile.mkdtemp(prefix="nova-instances-", dir="/var/tmp")
    os.chmod(path, 0o711)
    yield path
    shutil.rmtree(path)
    assert own_filters() == []


@pytest.fixture
def instances_path():
    with folder_for_instances() as path:
        yield path


def start(driver):
    driver.init_host("compute1", lambda event: None)
    return driver


def stop(driver):
    for instance_uuid in set(driver.list_guests()) | driver.list_files():
        driver.destroy_leftover(instance_uuid)
    driver.cleanup_host()


@pytest.fixture
def driver(instances_path):
    driver = start(make_driver(instances_path))
    yield driver
    stop(driver)


def own_filters():
    words = output_of("virsh", "nwfilter-list").split()
    return [word for word in words if word.startswith("nova-instance-")]


class TestLibvirtDriverOnQemu(DriverSuite):
    """The conformance suite on emulated guests."""

    @pytest.fixture
    def case(self, instances_path):
        driver = make_driver(instances_path)

        def shut_down_inside(detail):
            Console(driver=driver, instance=detail.instance).wait_until_ready()
            output_of("virsh", "shutdown", detail.instance.uuid)
            end = time.monotonic() + 180
            while driver.get_power_state(detail.instance) is not PowerState.SHUTDOWN:
                assert time.monotonic() < end, "the guest does not power itself off"
                time.sleep(0.2)

        return DriverCase(driver=driver, detail=make_detail, shut_down_inside=shut_down_inside)


def test_life_of_a_server(driver):
    detail = make_detail(**WHOLE_DISK)
    instance = detail.instance
    console = Console(driver=driver, instance=instance)
    driver.spawn(detail, make_config_drive(instance))
    text = console.wait_until_ready()
    assert "TINY: root dev=/dev/vda" in text
    assert f"metadata source=configdrive id={instance.uuid}" in text
    assert "TINY: meta colour=blue" in text
    assert os.path.exists(f"/sys/class/net/{BRIDGE}/brif/{instance.vifs[0].devname}")

    assert driver.reboot_soft(instance, 60)
    assert console.wait_until_ready(2).count("TINY: powerbutton") == 1
    driver.power_off(instance, 60, 10)
    assert driver.get_power_state(instance) is PowerState.SHUTDOWN
    assert console.text().count("TINY: powerbutton") == 2
    driver.power_on(instance)
    console.wait_for("TINY: kernel", 3)
    driver.reboot_hard(instance)
    assert console.wait_for("TINY: kernel", 4).count("TINY: powerbutton") == 2

    driver.destroy(instance)
    assert output_of("virsh", "list", "--all", "--name").split() == []
    assert own_filters() == []
    assert driver.list_files() == set()
    assert not os.path.exists(f"/sys/class/net/{instance.vifs[0].devname}")


def test_server_boots_from_kernel_and_ramdisk_with_all_disks(driver):
    detail = make_detail(
        flavor=make_flavor(memory_mb=128, ephemeral_gb=1, swap_mb=64),
        image_properties={"hw_qemu_guest_agent": "yes", "hw_rng_model": "virtio"},
    )
    driver.spawn(detail, make_config_drive(detail.instance))
    text = Console(driver=driver, instance=detail.instance).wait_until_ready()
    assert "TINY: root dev=/dev/vda" in text
    assert "vdb" in text and "vdc" in text
    assert "TINY: guest-agent started" in text


def test_con_08_console_of_a_guest_listens_on_its_address_alone(driver):
    driver.spawn(make_detail(), None)
    lines = output_of("ss", "-Hltn").splitlines()
    found = [line.split()[3] for line in lines if ":59" in line.split()[3]]
    assert found and all(address.startswith("127.0.0.1:") for address in found)


# --- IMG-07: the guest rewrites the header of its own disk ----------------------------------


def qcow2_header(backing_path):
    """Return a qcow2 header that claims 4 MiB over a backing file."""
    name = backing_path.encode()
    header = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 72, len(name), 16, 4 << 20, 0, 1, 196608, 65536, 1, 0, 0
    )
    return (header + name).ljust(512, b"\0")


@pytest.mark.parametrize("cow", [True, False], ids=["qcow2", "raw"])
def test_img_07_header_written_by_the_guest_is_never_believed(instances_path, cow):
    driver = start(make_driver(instances_path, use_cow_images=cow))
    try:
        detail = make_detail()
        instance = detail.instance
        driver.spawn(detail, None)
        driver.power_off(instance, 0, 1)
        disk = os.path.join(instances_path, instance.uuid, "disk")
        canary = os.path.join(instances_path, "canary")
        pathlib.Path(canary).write_text(CANARY)
        header = os.path.join(instances_path, "header")
        pathlib.Path(header).write_bytes(qcow2_header(canary))
        kind = "qcow2" if cow else "raw"
        output_of("qemu-io", "-f", kind, "-c", f"write -s {header} 0 512", disk)

        for again in (driver.reboot_hard, driver.power_on):
            driver.power_off(instance, 0, 1)
            again(instance)
            size = output_of("virsh", "domblkinfo", instance.uuid, "vda").split()[1]
            assert int(size) == GIB
            assert f'type="{kind}"' in output_of("virsh", "dumpxml", instance.uuid).replace(
                "'", '"'
            )
            assert canary not in open_files_of(instance)
        assert driver.get_resources().free_disk_gb >= 0
        driver.destroy(instance)
        assert pathlib.Path(canary).read_text() == CANARY
    finally:
        stop(driver)


def open_files_of(instance):
    """Return the paths that the guest's process has open."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        words = (process / "cmdline").read_bytes().split(b"\0")
        if f"guest={instance.name},debug-threads=on".encode() in words:
            return {os.readlink(link) for link in (process / "fd").iterdir()}
    raise AssertionError("the guest has no process")


# --- NET-01: spoofing -----------------------------------------------------------------------

PEER, OTHER, OTHER_MAC = "10.0.0.2", "10.0.0.99", "fa:16:3e:99:99:99"
SPOOFER = """#!/bin/sh
ip link set eth0 up
ip addr add {own}/24 dev eth0
ip addr add {other}/24 dev eth0
for round in 1 2; do
  ping -c 1 -W 1 -I {own} {peer}
  ping -c 1 -W 1 -I {other} {peer}
  arping -c 1 -w 1 -s {other} -I eth0 {peer}
done
ip link set eth0 down
ip link set eth0 address fa:16:3e:99:99:99
ip link set eth0 up
for round in 1 2; do ping -c 1 -W 1 -I {own} {peer}; done
"""


class Sniffer:
    """Collects all frames that come out of a device."""

    def __init__(self, device):
        self.frames = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
        self._socket.bind((device, 0))
        self._socket.settimeout(0.2)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._done.is_set():
            try:
                self.frames.append(self._socket.recv(2048))
            except TimeoutError:
                continue

    def close(self):
        self._done.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def spoofed_frames(instances_path):
    """Give a function that lets a guest spoof and returns the frames that came through."""
    drivers = []

    def run(detail, **options):
        drivers.append(start(make_driver(instances_path, **options)))
        script = SPOOFER.format(own=detail.instance.vifs[0].fixed_ip, other=OTHER, peer=PEER)
        drivers[0].spawn(detail, make_config_drive(detail.instance, script.encode()))
        output_of("ip", "address", "replace", f"{PEER}/24", "dev", BRIDGE)
        sniffer = Sniffer(BRIDGE)
        try:
            console = Console(driver=drivers[0], instance=detail.instance)
            console.wait_for("TINY: userdata rc=")
        finally:
            sniffer.close()
        return Seen(sniffer.frames)

    yield run
    for driver in drivers:
        stop(driver)


class Seen:
    """The addresses that frames claim to come from."""

    def __init__(self, frames):
        self.hardware = {frame[6:12].hex(":") for frame in frames}
        self.ipv4 = {socket.inet_ntoa(f[26:30]) for f in frames if f[12:14] == b"\x08\x00"}
        self.arp = {socket.inet_ntoa(f[28:32]) for f in frames if f[12:14] == b"\x08\x06"}


def test_net_01_guest_can_not_send_from_other_addresses(spoofed_frames):
    """Guests with an IPv4 address alone spoof in test_real_cloud.py and test_real_network.py."""
    vif = dataclasses.replace(make_detail().instance.vifs[0], fixed_ip_v6="2001:db8::5")
    seen = spoofed_frames(make_detail(vifs=(vif,)))
    assert vif.fixed_ip in seen.ipv4
    assert OTHER not in seen.ipv4 | seen.arp
    assert OTHER_MAC not in seen.hardware


def test_without_filters_the_same_packets_pass(spoofed_frames):
    seen = spoofed_frames(make_detail(), firewall_driver=firewall.NOOP_DRIVER)
    assert OTHER in seen.ipv4 and OTHER in seen.arp
    assert OTHER_MAC in seen.hardware


# --- Which hypervisor -----------------------------------------------------------------------


def test_probe_guest_runs_where_guests_run(instances_path):
    host = Host("qemu:///system", with_events=False)
    host.connect()
    try:
        outcome = probe.run_probe(host, probe.QEMU, instances_path, timeout_s=30)
        assert outcome is probe.Outcome.RAN
        assert output_of("virsh", "list", "--all", "--name").split() == []
    finally:
        host.close()


def test_server_runs_under_whatever_auto_chooses(instances_path):
    driver = start(make_driver(instances_path, libvirt__virt_type="auto"))
    try:
        detail = make_detail()
        driver.spawn(detail, None)
        Console(driver=driver, instance=detail.instance).wait_for("TINY: kernel")
    finally:
        stop(driver)
