"""What is done to real guests while they exist; test_libvirt.py runs this in a host of its own."""

# Fixtures of the other cases are arguments here.
# ruff: noqa: F401, F811

import dataclasses
import os
import pathlib
import re
import stat
import subprocess
import time
import uuid

import pytest

from nova import exception
from nova.objects.image import Image
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt.snapshots import DIRECTORY
from tests.fixtures.guests import make_vif
from tests.fixtures.real_guests import (
    Console,
    Terminal,
    make_config_drive,
    make_detail,
    make_driver,
    make_images,
    output_of,
)
from tests.integration.libvirt_guest_cases import (
    driver,
    folder_for_instances,
    instances_path,
    own_filters,
    start,
    stop,
)

pytestmark = pytest.mark.integration

AGENT = {"hw_qemu_guest_agent": "yes"}
COUNTER = b"""#!/bin/sh
while :; do echo "COUNT $(cut -d' ' -f1 /proc/uptime)" > /dev/ttyS0; sleep 1; done &
"""
WRITER = b"""#!/bin/sh
echo treasure > /root/chest
sync
"""
READER = b"""#!/bin/sh
echo "CHEST $(cat /root/chest)" > /dev/ttyS0
"""


def boot(driver, user_data=None, **changes):
    """Return a guest that is ready, and its console."""
    detail = make_detail(**changes)
    driver.spawn(detail, make_config_drive(detail.instance, user_data))
    console = Console(driver=driver, instance=detail.instance)
    console.wait_until_ready()
    return detail.instance, console


def counts(console):
    return [float(found) for found in re.findall(r"COUNT ([0-9.]+)", console.text())]


class Site:
    """A driver whose images the test can add to."""

    def __init__(self, path, **options):
        self.images = make_images()
        self.path = path
        self.driver = start(make_driver(path, images=self.images, **options))

    def add(self, snapshot):
        """Register a snapshot as an image and return its id."""
        image = Image(id=str(uuid.uuid4()), disk_format=snapshot.disk_format)
        self.images.add(image, pathlib.Path(snapshot.path).read_bytes())
        return image.id

    def content(self, snapshot, path):
        """Return what a file holds in the file system of a snapshot, without booting it."""
        disk = os.path.join(self.path, "looked-at")
        output_of(
            *("qemu-img", "convert", "-f", snapshot.disk_format, "-O", "raw"), snapshot.path, disk
        )
        # Replays what a guest that ran had in its journal; status 1 tells that it did.
        assert subprocess.run(["e2fsck", "-fy", disk], capture_output=True).returncode in (0, 1)
        return output_of("debugfs", "-R", f"cat {path}", disk)


@pytest.fixture
def site(instances_path):
    site = Site(instances_path)
    yield site
    stop(site.driver)


@pytest.fixture(scope="class")
def shared_site():
    with folder_for_instances() as path:
        site = Site(path)
        yield site
        stop(site.driver)


def image_info(path, disk_format):
    return output_of("qemu-img", "info", "-f", disk_format, path)


def nothing_left(site, instance):
    """Tell whether nothing but the server's own files is there."""
    directory = os.path.join(site.path, instance.uuid)
    return not [name for name in os.listdir(directory) if "copy" in name] and not os.listdir(
        os.path.join(site.path, DIRECTORY)
    )


def with_another(instance):
    """Return the server with one more interface, and that interface."""
    first = instance.vifs[0]
    new = make_vif(
        id=str(uuid.uuid4()),
        address=first.address[:-5] + "aa:" + first.address[-2:],
        fixed_ip="10.0.0.200",
        network=first.network,
    )
    return dataclasses.replace(instance, vifs=(*instance.vifs, new)), new


def macs(instance, *options):
    text = output_of("virsh", "dumpxml", *options, instance.uuid)
    return set(re.findall(r"<mac address='([0-9a-f:]+)'", text))


class TestOrdinaryGuest:
    """One guest without an agent, which goes on running under all that is done to it."""

    @pytest.fixture(scope="class")
    def driver(self, shared_site):
        return shared_site.driver

    @pytest.fixture(scope="class")
    def guest(self, driver):
        return boot(driver, COUNTER)

    def test_paused_guest_stands_still_and_goes_on(self, driver, guest):
        instance, console = guest
        console.wait_for("COUNT")
        for _ in range(2):
            driver.pause(instance)
        assert driver.get_power_state(instance) is PowerState.PAUSED
        before = counts(console)
        time.sleep(3)
        assert counts(console) == before
        for _ in range(2):
            driver.unpause(instance)
        assert driver.get_power_state(instance) is PowerState.RUNNING
        console.wait_for("COUNT", len(before) + 2)
        assert console.text().count("TINY: ready uptime=") == 1

    def test_interface_comes_and_goes_while_the_guest_runs(self, driver, guest):
        instance, console = guest
        larger, new = with_another(instance)
        for _ in range(2):
            driver.attach_interface(larger, new)
        text = console.wait_for("TINY: hotplug add net")
        assert text.count("TINY: hotplug add net") == 1
        for options in ((), ("--inactive",)):
            assert new.address in macs(instance, *options)
        assert os.path.exists(f"/sys/class/net/br100/brif/{new.devname}")
        assert any(name.endswith(new.address.replace(":", "")) for name in own_filters())

        for _ in range(2):
            driver.detach_interface(instance, new)
        assert not os.path.exists(f"/sys/class/net/{new.devname}")
        console.wait_for("TINY: hotplug remove net")
        for options in ((), ("--inactive",)):
            assert macs(instance, *options) == {instance.vifs[0].address}
        assert len(own_filters()) == 1

    def test_net_01_filters_are_written_anew(self, driver, guest):
        instance, _ = guest
        moved = dataclasses.replace(instance.vifs[0], fixed_ip="10.0.0.77")
        driver.refresh_network(dataclasses.replace(instance, vifs=(moved,)))
        [name] = own_filters()
        assert "10.0.0.77" in output_of("virsh", "nwfilter-dumpxml", name)

    def test_password_and_quiesced_image_need_an_agent(self, driver, guest):
        instance, _ = guest
        with pytest.raises(exception.GuestAgentUnavailable):
            driver.set_admin_password(instance, "secret")
        with pytest.raises(exception.GuestAgentUnavailable):
            driver.snapshot(instance, quiesce=True)

    def test_interrupt_reaches_the_guest(self, driver, guest):
        instance, console = guest
        terminal = Terminal(instance)
        terminal.log_in("root", "tinypass")
        terminal.run("echo NMI is $(grep NMI: /proc/interrupts)")
        console.wait_for("NMI is NMI: 0")
        driver.trigger_crash_dump(instance)
        time.sleep(1)
        terminal.run("echo NMI is $(grep NMI: /proc/interrupts)")
        console.wait_for("NMI is NMI: 1")
        terminal.log_out()

    def test_diagnostics_are_plausible(self, driver, guest):
        instance, _ = guest
        found = driver.get_diagnostics(instance)
        assert found.state is PowerState.RUNNING
        assert (found.driver, found.hypervisor, found.hypervisor_os) == ("libvirt", "qemu", "linux")
        assert found.maximum_memory_mb == found.used_memory_mb == 128
        [cpu] = found.cpus
        assert cpu.time_ns > 10**9
        [nic] = found.nics
        vif = instance.vifs[0]
        assert (nic.mac_address, nic.device) == (vif.address, vif.devname)
        assert nic.tx_packets > 0 and nic.tx_octets > 60
        disks = {disk.device: disk for disk in found.disks}
        assert disks["vda"].read_bytes > 10**6 and disks["vda"].write_requests > 0
        assert 0 < found.memory["unused"] < found.memory["available"] < 128 * 1024
        assert re.search(r"up .*load average: [0-9.]+", driver.get_host_uptime())


class TestGuestWithAgent:
    """One guest whose agent answers, which goes on running under all that is done to it."""

    @pytest.fixture(scope="class")
    def guest(self, shared_site):
        properties = AGENT | {"os_admin_user": "tiny"}
        return boot(shared_site.driver, WRITER + COUNTER, image_properties=properties)

    def test_image_of_a_running_guest_boots_and_holds_its_files(self, shared_site, guest):
        site, (instance, console) = shared_site, guest
        snapshot = site.driver.snapshot(instance)
        assert site.driver.get_power_state(instance) is PowerState.RUNNING
        assert snapshot.disk_format == "qcow2"
        assert "backing file" not in image_info(snapshot.path, "qcow2")
        for path, mode in ((snapshot.path, 0o600), (os.path.dirname(snapshot.path), 0o700)):
            assert stat.S_IMODE(os.stat(path).st_mode) == mode
        image_id = site.add(snapshot)
        site.driver.discard_snapshot(instance)
        assert nothing_left(site, instance)
        assert "mirror" not in output_of("virsh", "dumpxml", instance.uuid)

        terminal = Terminal(instance)
        terminal.log_in("root", "tinypass")
        terminal.run("echo more > /root/later && sync && echo wr''itten")
        terminal.log_out()
        assert "written" in console.text()
        other, console = boot(site.driver, READER, image_ref=image_id)
        assert "CHEST treasure" in console.text()
        site.driver.destroy(other)

    def test_quiesced_image_leaves_the_guest_going(self, shared_site, guest):
        site, (instance, console) = shared_site, guest
        assert site.driver.snapshot(instance, quiesce=True).disk_format == "qcow2"
        seen = len(counts(console))
        console.wait_for("COUNT", seen + 2)
        question = '{"execute":"guest-fsfreeze-status"}'
        assert "thawed" in output_of("virsh", "qemu-agent-command", instance.uuid, question)
        site.driver.pause(instance)
        with pytest.raises(exception.GuestAgentUnavailable):
            site.driver.snapshot(instance, quiesce=True)
        site.driver.unpause(instance)
        assert "mirror" not in output_of("virsh", "dumpxml", instance.uuid)
        site.driver.discard_snapshot(instance)

    def test_snapshot_replaces_what_an_interrupted_one_left(self, shared_site, guest):
        """The process ended while libvirt copied and the guest's file systems were frozen."""
        site, (instance, _) = shared_site, guest
        copy_disk(site, instance)
        output_of("virsh", "domfsfreeze", instance.uuid)
        leftover = pathlib.Path(site.path, DIRECTORY, instance.uuid, "image")
        leftover.parent.mkdir(parents=True, exist_ok=True)
        leftover.write_bytes(b"half")

        found = site.driver.snapshot(instance, quiesce=True)
        assert site.content(found, "/root/chest") == "treasure\n"
        site.driver.discard_snapshot(instance)
        assert nothing_left(site, instance)

    def test_password_is_set_by_the_agent(self, shared_site, guest):
        instance, console = guest
        for password in ("r\u00e9sum\u00e9 'quoted' $HOME", "plain-secret"):
            shared_site.driver.set_admin_password(instance, password)
        terminal = Terminal(instance)
        terminal.log_in("tiny", "plain-secret")
        terminal.run("echo I am $(id -un)")
        console.wait_for("I am tiny")
        terminal.log_out()


def copy_disk(site, instance):
    """Let libvirt copy the disk, as snapshots do."""
    copy = os.path.join(site.path, instance.uuid, "disk.copy")
    target = f'<disk type="file"><driver type="qcow2"/><source file="{copy}"/></disk>'
    description = pathlib.Path(site.path, "target.xml")
    description.write_text(target)
    output_of("qemu-img", "create", "-q", "-f", "qcow2", copy, str(1 << 30))
    words = ["blockcopy", instance.uuid, "vda", "--xml", str(description), "--reuse-external"]
    output_of("virsh", *words, "--transient-job")


def test_destroy_takes_a_snapshot_and_an_interrupted_one_along(site):
    detail = make_detail()
    site.driver.spawn(detail, None)
    path = site.driver.snapshot(detail.instance).path
    copy_disk(site, detail.instance)
    site.driver.destroy(detail.instance)
    assert not os.path.exists(path)
    assert detail.instance.uuid not in site.driver.list_files()
    assert detail.instance.uuid not in os.listdir(os.path.join(site.path, DIRECTORY))


def test_image_of_a_guest_that_does_not_run(site):
    instance, _ = boot(site.driver, WRITER)
    driver = site.driver
    steps = (
        (lambda: driver.pause(instance), lambda: driver.unpause(instance)),
        (lambda: driver.suspend(instance), lambda: driver.resume(instance)),
        (lambda: driver.power_off(instance, 60, 10), lambda: None),
    )
    for enter, leave in steps:
        enter()
        before = driver.get_power_state(instance)
        found = driver.snapshot(instance)
        assert driver.get_power_state(instance) is before
        assert site.content(found, "/root/chest") == "treasure\n"
        driver.discard_snapshot(instance)
        assert nothing_left(site, instance)
        leave()


def test_image_of_a_raw_disk_in_another_format(instances_path):
    site = Site(instances_path, use_cow_images=False, libvirt__snapshot_image_format="vmdk")
    try:
        detail = make_detail()
        site.driver.spawn(detail, None)
        snapshot = site.driver.snapshot(detail.instance)
        assert snapshot.disk_format == "vmdk"
        assert site.content(snapshot, "/etc/hostname") == "tiny\n"
    finally:
        stop(site.driver)


def test_resumed_guest_goes_on_where_it_was_suspended_and_a_reboot_starts_afresh(
    driver,
):
    instance, console = boot(driver, COUNTER)
    console.wait_for("COUNT")
    for _ in range(2):
        driver.suspend(instance)
    assert driver.get_power_state(instance) is PowerState.SHUTDOWN
    before = counts(console)
    time.sleep(2)
    for _ in range(2):
        driver.resume(instance)
    assert driver.get_power_state(instance) is PowerState.RUNNING
    console.wait_for("COUNT", len(before) + 3)
    after = counts(console)[len(before) :]
    assert 0 < after[0] - before[-1] < 60
    assert after == sorted(after)
    assert console.text().count("TINY: ready uptime=") == 1
    assert os.path.exists(f"/sys/class/net/br100/brif/{instance.vifs[0].devname}")

    driver.suspend(instance)
    driver.reboot_hard(instance)
    console.wait_until_ready(2)
    driver.suspend(instance)
    driver.destroy(instance)
    assert output_of("virsh", "list", "--all", "--name").split() == []
    assert list(pathlib.Path("/var/lib/libvirt/qemu/save").iterdir()) == []


def test_interface_of_a_stopped_guest_is_there_at_its_next_start(driver):
    detail = make_detail()
    instance = detail.instance
    console = Console(driver=driver, instance=instance)
    driver.spawn(detail, make_config_drive(instance))
    larger, new = with_another(instance)
    driver.power_off(instance, 0, 1)
    driver.attach_interface(larger, new)
    driver.power_on(larger)
    assert new.address in console.wait_until_ready()
    driver.power_off(larger, 60, 10)
    driver.detach_interface(instance, new)
    driver.power_on(instance)
    assert macs(instance) == {instance.vifs[0].address}


def test_stopped_guest_is_neither_given_a_password_nor_interrupted(driver):
    detail = make_detail()
    driver.spawn(detail, None)
    driver.power_on(detail.instance)
    for _ in range(2):
        driver.power_off(detail.instance, 0, 1)
    assert driver.get_power_state(detail.instance) is PowerState.SHUTDOWN
    with pytest.raises(exception.GuestAgentUnavailable):
        driver.set_admin_password(detail.instance, "secret")
    with pytest.raises(exception.DriverError):
        driver.trigger_crash_dump(detail.instance)
    assert driver.get_diagnostics(detail.instance).state is PowerState.SHUTDOWN
