"""Rescue, rebuild and resize of real guests; test_libvirt.py runs this inside a host of its own."""

# Fixtures of the other cases are arguments here.
# ruff: noqa: F401, F811

import dataclasses
import os
import pathlib

import pytest

from nova.objects.action_request import ImageChoice
from nova.objects.lifecycle import PowerState
from tests.fixtures.driver_disk_suite import with_flavor
from tests.fixtures.guests import make_flavor
from tests.fixtures.real_guests import (
    DISK_IMAGE,
    KERNEL_IMAGE,
    RAMDISK_IMAGE,
    ROOT_IMAGE,
    WHOLE_DISK,
    Console,
    make_config_drive,
    make_detail,
    make_driver,
    output_of,
)
from tests.integration.libvirt_guest_cases import (
    CANARY,
    GIB,
    driver,
    instances_path,
    open_files_of,
    qcow2_header,
    start,
    stop,
)

pytestmark = pytest.mark.integration

# Counts the boots of a root disk and tells their number, and what is on the extra disk.
COUNTER = b"""#!/bin/sh
cat > /etc/init.d/local <<'END'
#!/bin/sh
n=$(($(cat /root/boots 2>/dev/null || echo 0) + 1))
echo $n > /root/boots
sync
echo "TINY: boots=$n vda=$(cat /sys/class/block/vda/size)"
END
chmod 755 /etc/init.d/local
if [ -e /sys/class/block/vdb ]; then
  mkdir -p /mnt/extra && mount -t ext4 /dev/vdb /mnt/extra
  echo "TINY: extra holds $(cat /mnt/extra/mark 2>/dev/null || echo nothing)"
  echo gold > /mnt/extra/mark
  umount /mnt/extra
fi
sync
"""
INSPECTOR = b"""#!/bin/sh
mkdir -p /mnt/old
mount -t ext4 /dev/vdb1 /mnt/old || mount -t ext4 /dev/vdb /mnt/old
echo "TINY: old root has boots=$(cat /mnt/old/root/boots)"
echo 40 > /mnt/old/root/boots
umount /mnt/old
sync
"""
RESCUE_IMAGE = ImageChoice(image_ref=ROOT_IMAGE, kernel_id=KERNEL_IMAGE, ramdisk_id=RAMDISK_IMAGE)


def console_of(driver, detail):
    return Console(driver=driver, instance=detail.instance)


def spawn_counter(driver, detail):
    driver.spawn(detail, make_config_drive(detail.instance, COUNTER))
    return console_of(driver, detail).wait_for("TINY: boots=1 ")


def names_in(instances_path, detail):
    return set(os.listdir(os.path.join(instances_path, detail.instance.uuid)))


def disks_of(instance):
    """Return what is behind each disk of a guest, by its name in the guest."""
    lines = output_of("virsh", "domblklist", instance.uuid).splitlines()[2:]
    return {line.split()[0]: os.path.basename(line.split()[1]) for line in lines if line}


def test_rescued_guest_boots_the_image_and_sees_its_own_root_second(
    driver,
    instances_path,
):
    detail = make_detail(**WHOLE_DISK)
    console = console_of(driver, detail)
    spawn_counter(driver, detail)

    for _ in range(2):
        driver.rescue(detail, RESCUE_IMAGE, make_config_drive(detail.instance, INSPECTOR))
    text = console.wait_until_ready(2)
    assert "TINY: root dev=/dev/vda" in text.rpartition("boots=1 ")[2]
    assert "TINY: old root has boots=1" in text
    of_rescue = disks_of(detail.instance)
    assert (of_rescue["vda"], of_rescue["vdb"]) == ("disk.rescue", "disk")
    driver.reboot_hard(detail.instance)
    assert disks_of(detail.instance) == of_rescue

    for _ in range(2):
        driver.unrescue(detail.instance)
    console.wait_for("TINY: boots=41 vda=2097152")
    assert not [name for name in names_in(instances_path, detail) if "rescue" in name]


@pytest.mark.parametrize("image_ref", [ROOT_IMAGE, DISK_IMAGE])
def test_stable_rescue_leaves_every_disk_in_its_place(driver, image_ref):
    detail = make_detail(flavor=make_flavor(memory_mb=128, swap_mb=16))
    console = console_of(driver, detail)
    driver.spawn(detail, None)
    whole = dataclasses.replace(RESCUE_IMAGE, image_ref=DISK_IMAGE, kernel_id=None, ramdisk_id=None)
    choice = RESCUE_IMAGE if image_ref == ROOT_IMAGE else whole
    choice = dataclasses.replace(choice, properties={"hw_rescue_bus": "virtio"})
    driver.power_off(detail.instance, 0, 1)
    before = console.text().count("TINY: root dev=")
    driver.rescue(detail, choice, None)
    text = console.wait_for("TINY: root dev=", before + 1)
    own = {"vda": "disk", "vdb": "disk.swap"}
    assert disks_of(detail.instance) == own | {"vdc": "disk.rescue"}
    if image_ref == ROOT_IMAGE:
        assert "TINY: root dev=/dev/vdc" in text
    driver.unrescue(detail.instance)
    assert disks_of(detail.instance) == own
    assert driver.get_power_state(detail.instance) is PowerState.RUNNING


def test_rebuilt_guest_has_a_new_root_and_keeps_the_extra_disk_if_asked_to(
    driver,
    instances_path,
):
    detail = make_detail(flavor=make_flavor(memory_mb=128, ephemeral_gb=1))
    assert "TINY: extra holds nothing" in spawn_counter(driver, detail)
    whole = dataclasses.replace(detail, instance=dataclasses.replace(detail.instance, **WHOLE_DISK))
    drive = make_config_drive(detail.instance, COUNTER)

    driver.rebuild(whole, drive, power_on=True, preserve_ephemeral=True)
    text = console_of(driver, whole).wait_for("TINY: boots=1 vda=2097152")
    assert "TINY: extra holds gold" in text
    assert text.count("TINY: ready") == 1
    assert "kernel" not in names_in(instances_path, detail)

    driver.rebuild(detail, drive, power_on=False)
    assert driver.get_power_state(detail.instance) is PowerState.SHUTDOWN
    driver.power_on(detail.instance)
    text = console_of(driver, detail).wait_for("TINY: boots=1 vda=2097152")
    assert "TINY: extra holds nothing" in text
    assert "kernel" in names_in(instances_path, detail)


def test_resized_guest_has_the_new_size_and_its_data_and_loses_neither(
    driver,
    instances_path,
):
    detail = make_detail()
    old, console = detail.instance.flavor, console_of(driver, detail)
    first = spawn_counter(driver, detail)
    assert resources_in(first)["cpus"] == "1"
    large = with_flavor(detail, memory_mb=192, vcpus=2, root_gb=2, ephemeral_gb=1, swap_mb=64)

    driver.migrate_disk_and_power_off(detail.instance, large.instance.flavor, 60, 10)
    driver.finish_migration(large, old, power_on=True)
    text = console.wait_for("TINY: boots=2 vda=4194304")
    found = resources_in(text)
    assert found["cpus"] == "2"
    assert int(found["memkb"]) > int(resources_in(first)["memkb"]) + 40 * 1024
    assert {"vda", "vdb", "vdc"} <= set(found["disks"].split(","))
    assert "userdata run" not in text

    driver.finish_revert_migration(detail, power_on=True)
    text = console.wait_for("TINY: boots=2 vda=2097152")
    last = text.rpartition("TINY: resources ")[2]
    assert last.startswith("cpus=1 ") and "vdb" not in last.splitlines()[0]

    driver.power_off(detail.instance, 60, 10)
    aside = os.path.join(instances_path, detail.instance.uuid + "_resize")
    assert not os.path.exists(aside)
    driver.migrate_disk_and_power_off(detail.instance, large.instance.flavor, 60, 10)
    assert os.path.exists(aside)
    driver.finish_migration(large, old, power_on=True)
    driver.confirm_migration(large.instance)
    assert not os.path.exists(aside)
    console.wait_for("TINY: boots=3 vda=4194304")
    driver.reboot_hard(large.instance)
    assert driver.get_power_state(large.instance) is PowerState.RUNNING


def resources_in(text):
    """Return what the guest said of itself."""
    line = text.partition("TINY: resources ")[2].splitlines()[0]
    return dict(word.split("=") for word in line.split() if "=" in word)


@pytest.mark.parametrize("cow", [True, False], ids=["qcow2", "raw"])
def test_img_07_15_header_written_by_the_guest_is_not_believed(
    instances_path,
    cow,
):
    driver = start(make_driver(instances_path, use_cow_images=cow))
    try:
        detail = make_detail()
        instance = detail.instance
        driver.spawn(detail, None)
        driver.power_off(instance, 0, 1)
        canary = os.path.join(instances_path, "canary")
        pathlib.Path(canary).write_text(CANARY)
        header = os.path.join(instances_path, "header")
        pathlib.Path(header).write_bytes(qcow2_header(canary))
        disk = os.path.join(instances_path, instance.uuid, "disk")
        kind = "qcow2" if cow else "raw"
        output_of("qemu-io", "-f", kind, "-c", f"write -s {header} 0 512", disk)

        def assert_unharmed(target, gib):
            size = output_of("virsh", "domblkinfo", instance.uuid, target).split()[1]
            assert int(size) == gib * GIB
            assert canary not in open_files_of(instance)

        driver.rescue(detail, RESCUE_IMAGE, None)
        assert_unharmed("vdb", 1)
        driver.unrescue(instance)
        assert_unharmed("vda", 1)
        large = with_flavor(detail, root_gb=2)
        driver.migrate_disk_and_power_off(instance, large.instance.flavor, 0, 1)
        driver.finish_migration(large, instance.flavor, power_on=True)
        assert_unharmed("vda", 2)
        driver.finish_revert_migration(detail, power_on=True)
        assert_unharmed("vda", 1)
        driver.rebuild(detail, None, power_on=True)
        assert_unharmed("vda", 1)
        assert pathlib.Path(canary).read_text() == CANARY
    finally:
        stop(driver)
