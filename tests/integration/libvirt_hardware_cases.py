"""What guests see of the hardware that flavors and images ask for.

test_libvirt.py runs this inside a host of its own.
"""

import os
import pathlib
import re
import shutil
import tempfile

import pytest

from nova import exception
from nova.objects import traits
from nova.objects.numa_fit import fit
from nova.objects.numa_request import numa_request
from tests.fixtures.guests import make_flavor
from tests.fixtures.real_guests import (
    WHOLE_DISK,
    Console,
    make_config_drive,
    make_detail,
    make_driver,
    output_of,
)

pytestmark = pytest.mark.integration

LOOK = """#!/bin/sh
{
for device in /sys/bus/pci/devices/*; do
  echo "HW: pci $(cat $device/vendor):$(cat $device/device)"
done
for node in /sys/devices/system/node/node[0-9]*; do
  echo "HW: node ${node##*/} cpus $(cat $node/cpulist)"
done
for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
  package=$(cat $cpu/topology/physical_package_id)
  echo "HW: ${cpu##*/} socket $package siblings $(cat $cpu/topology/thread_siblings_list)"
done
for table in /sys/firmware/acpi/tables/*; do echo "HW: acpi ${table##*/}"; done
echo "HW: rng $(cat /sys/class/misc/hw_random/rng_available 2>/dev/null)"
echo "HW: efi $(test -d /sys/firmware/efi && echo yes || echo no)"
echo "HW: machine $(cat /sys/class/dmi/id/product_name) $(dmesg | grep -c 'Q35')"
for disk in /sys/block/[svh]d*; do echo "HW: disk ${disk##*/} $(cat $disk/size)"; done
echo "HW: end"
} > /dev/ttyS0 2>&1
"""


@pytest.fixture
def new_driver():
    """Give a function that starts a driver on folders that the hypervisor's user can enter."""
    drivers = []
    folder = tempfile.mkdtemp(prefix="nova-instances-", dir="/var/tmp")
    os.chmod(folder, 0o711)

    def start(**options):
        driver = make_driver(folder, **options)
        driver.init_host("compute1", lambda event: None)
        drivers.append(driver)
        return driver

    yield start
    for driver in drivers:
        for instance_uuid in set(driver.list_guests()) | driver.list_files():
            driver.destroy_leftover(instance_uuid)
        driver.cleanup_host()
    shutil.rmtree(folder)


@pytest.fixture
def driver(new_driver):
    return new_driver()


def look(driver, properties=None, extra_specs=None, changes=None, **flavor):
    """Start a server and return its record and what its guest says of its hardware.

    changes: of the server's record.
    """
    values = {"memory_mb": 128, "extra_specs": extra_specs or {}}
    record = {"flavor": make_flavor(**(values | flavor)), "image_properties": properties or {}}
    detail = make_detail(**(record | (changes or {})))
    driver.spawn(detail, make_config_drive(detail.instance, LOOK.encode()))
    console = Console(driver=driver, instance=detail.instance)
    text = console.wait_for("HW: end")
    return detail.instance, set(re.findall(r"HW: ([^\r\n]*)", text))


def definition_of(instance):
    return output_of("virsh", "dumpxml", instance.uuid)


def disk_sizes(seen, prefix):
    """Return how large the disks are, in sectors."""
    return sorted(line.split()[2] for line in seen if line.startswith(f"disk {prefix}"))


def test_guest_finds_all_that_flavor_and_image_ask_for(driver):
    """Wishes that do not touch each other, in one guest: it takes long to start."""
    specs = {
        **{"hw:cpu_sockets": "1", "hw:cpu_cores": "2", "hw:cpu_max_threads": "1"},
        **{"hw_rng:rate_bytes": "1024", "hw_rng:rate_period": "1000"},
        **{"quota:disk_read_iops_sec": "500", "quota:disk_write_bytes_sec": "1048576"},
        **{"hw:hide_hypervisor_id": "true", "hw:pmu": "false", "hw:boot_menu": "true"},
    }
    properties = {
        **{"hw_watchdog_action": "reset", "hw_vif_model": "e1000", "hw_rng_model": "virtio"},
        **{"hw_serial_port_count": "2", "hw_input_bus": "virtio", "hw_time_hpet": "yes"},
    }
    instance, seen = look(driver, properties, specs, vcpus=2)
    assert {"cpu0 socket 0 siblings 0", "cpu1 socket 0 siblings 1"} <= seen
    assert "pci 0x8086:0x25ab" in seen
    assert "pci 0x8086:0x100e" in seen
    assert "rng virtio_rng.0 " in seen or "rng virtio_rng.0" in seen
    assert "acpi HPET" in seen
    assert "bytes='1024'" in definition_of(instance)
    lines = output_of("virsh", "blkdeviotune", instance.uuid, "vda").splitlines()
    found = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    assert (found["read_iops_sec"], found["write_bytes_sec"]) == ("500", "1048576")


def test_guest_boots_from_an_ide_disk_and_has_a_socket_for_each_processor(driver):
    properties = {"hw_disk_bus": "ide"}
    _instance, seen = look(
        driver, properties, None, WHOLE_DISK, vcpus=2, ephemeral_gb=1, swap_mb=64
    )
    assert disk_sizes(seen, "sd") == ["131072", "2097152", "2097152"]
    assert {"cpu0 socket 0 siblings 0", "cpu1 socket 1 siblings 1"} <= seen


def test_pinned_guest_boots_from_a_scsi_disk_and_has_its_cell(new_driver):
    driver = new_driver(compute__cpu_dedicated_set="1")
    host = driver.get_resources()
    assert (host.vcpus, [cell.dedicated for cell in host.numa_topology.cells]) == (2, [(1,)])
    specs = {"hw:cpu_policy": "dedicated", "hw:numa_nodes": "1"}
    values = {"memory_mb": 128, "ephemeral_gb": 1, "swap_mb": 64, "extra_specs": specs}
    placed = fit(numa_request(make_flavor(**values), {}), host.numa_topology).guest
    properties = {"hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi"}
    properties |= {"hw_cdrom_bus": "virtio", "hw_video_model": "cirrus"}
    changes = WHOLE_DISK | {"numa_topology": placed}
    instance, seen = look(driver, properties, specs, changes, ephemeral_gb=1, swap_mb=64)
    assert disk_sizes(seen, "sd") == ["131072", "2097152", "2097152"]
    assert "node node0 cpus 0" in seen
    assert affinity_of(instance) == {"1"}
    other = make_detail()
    driver.spawn(other, None)
    assert affinity_of(other.instance) == {"0"}


def affinity_of(instance):
    """Return on which host processors the threads of the virtual ones may run."""
    (pid,) = (
        process.name
        for process in pathlib.Path("/proc").glob("[0-9]*")
        if f"guest={instance.name},debug-threads=on".encode()
        in (process / "cmdline").read_bytes().split(b"\0")
    )
    found = set()
    for task in pathlib.Path("/proc", pid, "task").iterdir():
        if (task / "comm").read_text().startswith("CPU "):
            found |= set(re.findall(r"Cpus_allowed_list:\s*(\S+)", (task / "status").read_text()))
    return found


def test_q35_guest_with_tpm_has_its_table_and_state_that_goes_with_it(driver):
    properties = {"hw_machine_type": "q35", "hw_cdrom_bus": "scsi"}
    specs = {"hw:tpm_version": "2.0", "hw:tpm_model": "tpm-crb"}
    instance, seen = look(driver, properties, specs)
    assert "acpi TPM2" in seen
    assert "acpi MCFG" in seen
    state = pathlib.Path("/var/lib/libvirt/swtpm") / instance.uuid
    assert state.is_dir()
    driver.reboot_hard(instance)
    assert state.is_dir()
    driver.destroy(instance)
    assert not state.exists()


def test_guest_starts_with_uefi_and_its_variables_go_with_it(driver):
    properties = {"hw_firmware_type": "uefi", "hw_cdrom_bus": "virtio"}
    instance, seen = look(driver, properties, memory_mb=256)
    assert "efi yes" in seen
    (nvram,) = re.findall(r"<nvram[^>]*>([^<]+)</nvram>", definition_of(instance))
    assert pathlib.Path(nvram).exists()
    driver.reboot_hard(instance)
    assert pathlib.Path(nvram).exists()
    driver.destroy(instance)
    assert not pathlib.Path(nvram).exists()


def test_guest_with_secure_boot_starts_firmware_that_has_the_keys(driver):
    properties = {"hw_firmware_type": "uefi", "os_secure_boot": "required"}
    flavor = make_flavor(memory_mb=256)
    detail = make_detail(image_properties=properties, flavor=flavor, **WHOLE_DISK)
    driver.spawn(detail, None)
    text = definition_of(detail.instance)
    assert "secure='yes'" in text and "ms.fd" in text and "q35" in text
    assert driver.get_power_state(detail.instance).name == "RUNNING"


def test_host_tells_what_it_has_and_refuses_the_rest(driver):
    assert set(driver.get_resources().traits) == traits.OF_HARDWARE
    detail = make_detail(image_properties={"hw_tpm_version": "9.9"})
    with pytest.raises(exception.Invalid):
        driver.spawn(detail, None)
