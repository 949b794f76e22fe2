"""What is done to real guests while they exist; test_libvirt.py runs this in a host of its own."""

import dataclasses
import os
import pathlib
import re
import stat
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
from tests.integration.libvirt_guest_cases import (  # noqa: F401
    driver,
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


def boot(driver, user_data=None, **changes):  # noqa: F811
    """Return a guest that is ready, and its console."""
    detail = make_detail(**changes)
    driver.spawn(detail, make_config_drive(detail.instance, user_data))
    console = Console(driver=driver, instance=detail.instance)
    console.wait_until_ready()
    return detail.instance, console


def counts(console):
    return [float(found) for found in re.findall(r"COUNT ([0-9.]+)", console.text())]


def test_paused_guest_stands_still_and_goes_on(driver):  # noqa: F811
    instance, console = boot(driver, COUNTER)
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


def test_resumed_guest_goes_on_where_it_was_suspended(driver):  # noqa: F811
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


def test_hard_reboot_of_a_suspended_guest_starts_afresh(driver):  # noqa: F811
    instance, console = boot(driver)
    driver.suspend(instance)
    driver.reboot_hard(instance)
    console.wait_until_ready(2)
    driver.suspend(instance)
    driver.destroy(instance)
    assert output_of("virsh", "list", "--all", "--name").split() == []
    assert list(pathlib.Path("/var/lib/libvirt/qemu/save").iterdir()) == []


# --- Snapshots ------------------------------------------------------------------------------


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

    def boots_with_treasure(self, image_id):
        """Boot a new guest of an image and look for the file."""
        _, console = boot(self.driver, READER, image_ref=image_id)
        return "CHEST treasure" in console.text()


@pytest.fixture
def site(instances_path):  # noqa: F811
    site = Site(instances_path)
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


def test_image_of_a_running_guest_boots_and_holds_its_files(site):
    instance, console = boot(site.driver, WRITER, image_properties=AGENT)
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
    terminal.run("echo changed > /root/chest && sync && echo wr''itten")
    console.wait_for("written")
    assert site.boots_with_treasure(image_id)


@pytest.mark.parametrize("state", ["paused", "stopped", "suspended"])
def test_image_of_a_guest_that_does_not_run(site, state):
    instance, _ = boot(site.driver, WRITER)
    change = {
        "paused": lambda: site.driver.pause(instance),
        "stopped": lambda: site.driver.power_off(instance, 60, 10),
        "suspended": lambda: site.driver.suspend(instance),
    }
    change[state]()
    before = site.driver.get_power_state(instance)
    image_id = site.add(site.driver.snapshot(instance))
    assert site.driver.get_power_state(instance) is before
    site.driver.discard_snapshot(instance)
    assert nothing_left(site, instance)
    assert site.boots_with_treasure(image_id)


def test_image_of_a_raw_disk_in_another_format(instances_path):  # noqa: F811
    site = Site(instances_path, use_cow_images=False, libvirt__snapshot_image_format="vmdk")
    try:
        instance, _ = boot(site.driver, WRITER)
        snapshot = site.driver.snapshot(instance)
        assert snapshot.disk_format == "vmdk"
        assert site.boots_with_treasure(site.add(snapshot))
    finally:
        stop(site.driver)


def test_quiesced_image_needs_an_agent_that_answers(site):
    without, _ = boot(site.driver)
    with pytest.raises(exception.GuestAgentUnavailable):
        site.driver.snapshot(without, quiesce=True)
    instance, console = boot(site.driver, COUNTER, image_properties=AGENT)
    assert site.driver.snapshot(instance, quiesce=True).disk_format == "qcow2"
    seen = len(counts(console))
    console.wait_for("COUNT", seen + 2)
    question = '{"execute":"guest-fsfreeze-status"}'
    assert "thawed" in output_of("virsh", "qemu-agent-command", instance.uuid, question)
    site.driver.pause(instance)
    with pytest.raises(exception.GuestAgentUnavailable):
        site.driver.snapshot(instance, quiesce=True)
    assert "mirror" not in output_of("virsh", "dumpxml", instance.uuid)


def test_snapshot_replaces_what_an_interrupted_one_left(site):
    """The process ended while libvirt copied and the guest's file systems were frozen."""
    instance, _ = boot(site.driver, WRITER, image_properties=AGENT)
    copy = os.path.join(site.path, instance.uuid, "disk.copy")
    target = f'<disk type="file"><driver type="qcow2"/><source file="{copy}"/></disk>'
    description = pathlib.Path(site.path, "target.xml")
    description.write_text(target)
    output_of("qemu-img", "create", "-q", "-f", "qcow2", copy, str(1 << 30))
    words = ["blockcopy", instance.uuid, "vda", "--xml", str(description), "--reuse-external"]
    output_of("virsh", *words, "--transient-job")
    output_of("virsh", "domfsfreeze", instance.uuid)
    leftover = pathlib.Path(site.path, DIRECTORY, instance.uuid, "image")
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")

    image_id = site.add(site.driver.snapshot(instance, quiesce=True))
    site.driver.discard_snapshot(instance)
    assert nothing_left(site, instance)
    assert site.boots_with_treasure(image_id)

    output_of("qemu-img", "create", "-q", "-f", "qcow2", copy, str(1 << 30))
    output_of("virsh", *words, "--transient-job")
    site.driver.destroy(instance)
    assert instance.uuid not in site.driver.list_files()
    assert instance.uuid not in os.listdir(os.path.join(site.path, DIRECTORY))


# --- Interfaces -----------------------------------------------------------------------------


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


def test_interface_comes_and_goes_while_the_guest_runs(driver):  # noqa: F811
    instance, console = boot(driver)
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


def test_interface_of_a_stopped_guest_is_there_at_its_next_start(driver):  # noqa: F811
    instance, console = boot(driver)
    larger, new = with_another(instance)
    driver.power_off(instance, 60, 10)
    driver.attach_interface(larger, new)
    driver.power_on(larger)
    assert new.address in console.wait_until_ready(2)
    driver.power_off(larger, 60, 10)
    driver.detach_interface(instance, new)
    assert macs(instance) == {instance.vifs[0].address}
    driver.power_on(instance)
    console.wait_until_ready(3)


def test_net_01_filters_are_written_anew(driver):  # noqa: F811
    instance, _ = boot(driver)
    moved = dataclasses.replace(instance.vifs[0], fixed_ip="10.0.0.77")
    driver.refresh_network(dataclasses.replace(instance, vifs=(moved,)))
    [name] = own_filters()
    assert "10.0.0.77" in output_of("virsh", "nwfilter-dumpxml", name)


# --- Control --------------------------------------------------------------------------------


def test_password_is_set_by_the_agent(driver):  # noqa: F811
    instance, _ = boot(driver, image_properties=AGENT | {"os_admin_user": "tiny"})
    for password in ("r\u00e9sum\u00e9 'quoted' $HOME", "plain-secret"):
        driver.set_admin_password(instance, password)
    terminal = Terminal(instance)
    terminal.log_in("tiny", "plain-secret")
    terminal.run("echo I am $(id -un)")
    Console(driver=driver, instance=instance).wait_for("I am tiny")


def test_password_without_an_agent_is_refused(driver):  # noqa: F811
    instance, _ = boot(driver)
    with pytest.raises(exception.GuestAgentUnavailable):
        driver.set_admin_password(instance, "secret")
    driver.power_off(instance, 0, 1)
    with pytest.raises(exception.GuestAgentUnavailable):
        driver.set_admin_password(instance, "secret")


def test_interrupt_reaches_the_guest(driver):  # noqa: F811
    instance, console = boot(driver)
    terminal = Terminal(instance)
    terminal.log_in("root", "tinypass")
    terminal.run("echo NMI is $(grep NMI: /proc/interrupts)")
    console.wait_for("NMI is NMI: 0")
    driver.trigger_crash_dump(instance)
    time.sleep(1)
    terminal.run("echo NMI is $(grep NMI: /proc/interrupts)")
    console.wait_for("NMI is NMI: 1")
    driver.power_off(instance, 0, 1)
    with pytest.raises(exception.DriverError):
        driver.trigger_crash_dump(instance)


def test_diagnostics_are_plausible(driver):  # noqa: F811
    instance, _ = boot(driver)
    found = driver.get_diagnostics(instance)
    assert found.state is PowerState.RUNNING
    assert (found.driver, found.hypervisor, found.hypervisor_os) == ("libvirt", "qemu", "linux")
    assert found.maximum_memory_mb == found.used_memory_mb == 128
    [cpu] = found.cpus
    assert cpu.time_ns > 10**9
    [nic] = found.nics
    assert (nic.mac_address, nic.device) == (instance.vifs[0].address, instance.vifs[0].devname)
    assert nic.tx_packets > 0 and nic.tx_octets > 60
    disks = {disk.device: disk for disk in found.disks}
    assert disks["vda"].read_bytes > 10**6 and disks["vda"].write_requests > 0
    assert 0 < found.memory["unused"] < found.memory["available"] < 128 * 1024
    driver.power_off(instance, 0, 1)
    assert driver.get_diagnostics(instance).state is PowerState.SHUTDOWN
    assert re.search(r"up .*load average: [0-9.]+", driver.get_host_uptime())
