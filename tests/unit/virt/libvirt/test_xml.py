"""Domain XML against golden files; NOVA_WRITE_GOLDEN=1 writes them anew for review."""

import os
import pathlib

import pytest
from defusedxml import ElementTree

from nova.objects.guest_limits import CpuLimits
from nova.virt.libvirt.guest import (
    GuestBoot,
    GuestConfig,
    GuestCpu,
    GuestDisk,
    GuestInterface,
    GuestNotes,
    GuestSocket,
    GuestSpice,
)
from nova.virt.libvirt.xml import NOTES_NAMESPACE, domain_xml
from tests.fixtures.guests import NOON

GOLDEN = pathlib.Path(__file__).parent / "golden"
FOLDER = "/var/lib/nova/instances/3f1a2b4c-0000-4000-8000-123456789abc"
NOTES = GuestNotes(
    display_name="web & <db>",
    flavor_name="m1.nano",
    flavor_memory_mb=128,
    flavor_vcpus=1,
    flavor_disk_gb=1,
    flavor_ephemeral_gb=0,
    flavor_swap_mb=64,
    user_id="alice",
    project_id="demo",
    image_id="6f3d5a50-8d1c-4a55-9a0e-6b1b2f5c7d01",
    created_at=NOON,
)


def make_config(**changes):
    values = {
        "virt_type": "qemu",
        "name": "instance-00000012",
        "uuid": "3f1a2b4c-0000-4000-8000-123456789abc",
        "memory_mb": 128,
        "vcpus": 1,
        "disks": (
            GuestDisk(
                path=f"{FOLDER}/disk", disk_format="qcow2", target="vda", bus="virtio", cache="none"
            ),
        ),
    }
    return GuestConfig(**(values | changes))


CONFIGS = {
    "plain": make_config(),
    "consoles": make_config(
        serial_log_path=f"{FOLDER}/console.log",
        serial_socket=GuestSocket(listen="192.0.2.11", port=10003),
        serial_ports=2,
        vnc_listen="192.0.2.11",
        vnc_keymap="en-us",
        spice=GuestSpice(
            listen="192.0.2.11",
            keymap="de",
            secure=True,
            tuning={"jpeg": "never", "streaming": "off"},
        ),
        video_model="qxl",
    ),
    "everything": make_config(
        virt_type="kvm",
        vcpus=2,
        architecture="x86_64",
        machine="q35",
        boot=GuestBoot(firmware="efi", menu=True),
        cpu=GuestCpu(mode="host-model"),
        tuning=CpuLimits(shares=512, period=100000, quota=50000),
        disks=(
            GuestDisk(
                path=f"{FOLDER}/disk",
                disk_format="qcow2",
                target="sda",
                bus="scsi",
                cache="writeback",
                serial="volume-1",
            ),
            GuestDisk(
                path=f"{FOLDER}/disk.config",
                disk_format="raw",
                target="sdb",
                bus="sata",
                device="cdrom",
                read_only=True,
            ),
        ),
        interfaces=(
            GuestInterface(
                mac="fa:16:3e:00:00:01",
                bridge="br100",
                tap="tap0c2f6c7e-4d",
                model="virtio",
                mtu=1450,
                filter_name="nova-instance-instance-00000012-fa163e000001",
            ),
            GuestInterface(mac="fa:16:3e:00:00:02", bridge="br101", tap="tap0c2f6c7e-4e"),
        ),
        scsi_model="virtio-scsi",
        serial_log_path=f"{FOLDER}/console.log",
        vnc_listen="192.0.2.11",
        tablet=True,
        video_model="virtio",
        guest_agent=True,
        random_source="/dev/urandom",
        watchdog_action="reset",
        memory_statistics_period_s=10,
        notes=NOTES,
    ),
    "kernel": make_config(
        boot=GuestBoot(
            kernel_path=f"{FOLDER}/kernel",
            ramdisk_path=f"{FOLDER}/ramdisk",
            command_line='root=/dev/vda console=ttyS0 name="<&>"',
        ),
        cpu=GuestCpu(mode="custom", model="Nehalem"),
        local_time=True,
    ),
    "xen": make_config(
        virt_type="xen",
        os_type="xen",
        disks=(GuestDisk(path=f"{FOLDER}/disk", disk_format="raw", target="xvda", bus="xen"),),
        boot=GuestBoot(kernel_path=f"{FOLDER}/kernel"),
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_definition_equals_the_golden_file(name):
    text = domain_xml(CONFIGS[name])
    path = GOLDEN / f"{name}.xml"
    if os.environ.get("NOVA_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_text_of_tenants_can_not_break_out_of_its_element():
    hostile = "</nova:name><evil/>\x00\x1b"
    notes = GuestNotes(
        display_name=hostile,
        flavor_name='"><evil/>',
        flavor_memory_mb=1,
        flavor_vcpus=1,
        flavor_disk_gb=1,
        flavor_ephemeral_gb=0,
        flavor_swap_mb=0,
        user_id="u",
        project_id="p",
    )
    root = ElementTree.fromstring(domain_xml(make_config(notes=notes)))
    assert not list(root.iter("evil"))
    assert root.findtext(f".//{{{NOTES_NAMESPACE}}}name") == "</nova:name><evil/>"


def test_net_16_definition_tells_the_guest_nothing_but_its_own_identity():
    root = ElementTree.fromstring(domain_xml(CONFIGS["everything"]))
    entries = {entry.get("name"): entry.text for entry in root.iterfind("sysinfo/system/entry")}
    assert entries["serial"] == entries["uuid"] == root.findtext("uuid")
    assert set(entries) == {"manufacturer", "product", "serial", "uuid", "family"}


def test_con_08_console_listens_on_one_address_only():
    root = ElementTree.fromstring(domain_xml(CONFIGS["everything"]))
    assert root.find("devices/graphics").get("listen") == "192.0.2.11"
    listens = [element.attrib for element in root.iterfind("devices/graphics/listen")]
    assert listens == [{"type": "address", "address": "192.0.2.11"}]


def test_guest_without_console_address_has_no_graphics():
    root = ElementTree.fromstring(domain_xml(CONFIGS["plain"]))
    assert root.find("devices/graphics") is None
