"""What flavors and images ask for, in the definition of the guest."""

import pytest

from nova import exception
from nova.objects import traits
from nova.objects.numa import GuestCell, GuestNuma, HostCell, HostNuma
from nova.virt.libvirt.hardware import DiskFile, GuestFiles, HardwareSettings, guest_config
from nova.virt.libvirt.processors import HostProcessors
from nova.virt.libvirt.xml import domain_xml
from nova.virt.libvirt.xml_processors import cpu_list
from tests.fixtures.guests import make_flavor, make_instance, make_network, make_vif

FILES = GuestFiles(
    disks=(
        DiskFile(path="/i/disk", disk_format="qcow2"),
        DiskFile(path="/i/disk.config", disk_format="raw", cdrom=True),
    ),
    console_log_path="/i/console.log",
)
CELLS = HostNuma(
    cells=(
        HostCell(id=0, cpus=(0,), dedicated=(1, 2), memory_mb=4096),
        HostCell(id=1, cpus=(4,), dedicated=(5, 6), memory_mb=4096),
    )
)
LIMITED = HostProcessors(cells=CELLS, limited=True)


def definition(specs=None, properties=None, vcpus=1, numa=None, rxtx=(None, 1.0), **settings):
    """Return the definition on one line; rxtx: the base of the network, the flavor's factor."""
    base, factor = rxtx
    instance = make_instance(
        vifs=(make_vif(network=make_network(rxtx_base=base)),),
        image_ref="image",
        image_properties=properties or {},
        flavor=make_flavor(
            vcpus=vcpus, memory_mb=1024, extra_specs=specs or {}, rxtx_factor=factor
        ),
        numa_topology=numa,
    )
    values = {"virt_type": "qemu", "architecture": "x86_64", "vnc_listen": "127.0.0.1"}
    config = guest_config(
        instance, FILES, HardwareSettings(**(values | settings)), lambda instance, vif: None
    )
    return "".join(line.strip() for line in domain_xml(config).splitlines())


@pytest.mark.parametrize(
    ("specs", "properties", "expected"),
    [
        ({"quota:cpu_shares": "512"}, {}, "<cputune><shares>512</shares></cputune>"),
        (
            {"quota:cpu_period": "20000", "quota:cpu_quota": "-1"},
            {},
            "<period>20000</period><quota>-1</quota>",
        ),
        (
            {"quota:disk_total_bytes_sec": "1048576", "quota:disk_write_iops_sec": "50"},
            {},
            "<iotune><total_bytes_sec>1048576</total_bytes_sec>"
            "<write_iops_sec>50</write_iops_sec></iotune>",
        ),
        (
            {"quota:vif_inbound_average": "100", "quota:vif_inbound_burst": "300"},
            {},
            '<bandwidth><inbound average="100" burst="300" /></bandwidth>',
        ),
        (
            {"quota:vif_outbound_average": "100", "quota:vif_outbound_peak": "200"},
            {},
            '<outbound average="100" peak="200" />',
        ),
        (
            {"hw_rng:rate_bytes": "1024", "hw_rng:rate_period": "500"},
            {"hw_rng_model": "virtio"},
            '<rng model="virtio"><rate bytes="1024" period="500" />',
        ),
        ({"hw:boot_menu": "yes"}, {}, '<bootmenu enable="yes" />'),
        ({}, {"hw_boot_menu": "yes"}, '<bootmenu enable="yes" />'),
        (
            {"hw_video:ram_max_mb": "64"},
            {"hw_video_model": "qxl", "hw_video_ram": "32"},
            '<model type="qxl" vram="32768" />',
        ),
        ({"hw:watchdog_action": "reset"}, {}, '<watchdog model="i6300esb" action="reset" />'),
        (
            {"hw:watchdog_action": "reset"},
            {"hw_watchdog_action": "poweroff"},
            '<watchdog model="i6300esb" action="poweroff" />',
        ),
        ({}, {"hw_serial_port_count": "2"}, '<serial type="pty"><target port="1" /></serial>'),
        ({}, {"hw_input_bus": "virtio"}, '<input type="tablet" bus="virtio" />'),
        ({"hw:input_bus": "virtio"}, {}, '<input type="tablet" bus="virtio" />'),
        ({"hw:hide_hypervisor_id": "yes"}, {}, '<kvm><hidden state="on" /></kvm>'),
        ({}, {"img_hide_hypervisor_id": "yes"}, '<kvm><hidden state="on" /></kvm>'),
        ({"hw:pmu": "no"}, {}, '<pmu state="off" />'),
        ({}, {"hw_pmu": "yes"}, '<pmu state="on" />'),
        ({}, {"hw_time_hpet": "yes"}, '<timer name="hpet" present="yes" />'),
        ({}, {"os_type": "windows"}, '<clock offset="localtime">'),
        (
            {"hw:tpm_version": "2.0", "hw:tpm_model": "tpm-crb"},
            {},
            '<tpm model="tpm-crb"><backend type="emulator" version="2.0" /></tpm>',
        ),
        ({}, {"hw_tpm_version": "1.2"}, '<tpm model="tpm-tis">'),
        ({}, {"hw_machine_type": "q35"}, 'machine="q35"'),
        (
            {},
            {"hw_disk_bus": "scsi", "hw_scsi_model": "lsilogic"},
            '<controller type="scsi" index="0" model="lsilogic" />',
        ),
        ({}, {"hw_disk_bus": "sata"}, '<target dev="sda" bus="sata" />'),
    ],
)
def test_wish_is_in_the_definition(specs, properties, expected):
    assert expected in definition(specs, properties)
    assert expected not in definition()


def test_flavor_may_forbid_random_numbers_and_a_boot_menu():
    assert "<rng" not in definition({"hw_rng:allowed": "false"}, {"hw_rng_model": "virtio"})
    assert "<bootmenu" not in definition({"hw:boot_menu": "no"}, {"hw_boot_menu": "yes"})


def test_mouse_in_place_of_the_tablet():
    assert 'type="tablet"' not in definition({}, {"hw_pointer_model": "ps2mouse"})
    assert 'type="tablet"' in definition({}, {"hw_pointer_model": "usbtablet"}, vnc_listen=None)


def test_config_drive_is_not_slowed_down():
    assert definition({"quota:disk_read_iops_sec": "50"}).count("<iotune>") == 1


def test_card_has_a_queue_for_each_processor_where_it_can():
    wish = {"hw_vif_multiqueue_enabled": "yes"}
    assert '<driver queues="4" />' in definition({}, wish, vcpus=4)
    assert "queues" not in definition({}, wish, vcpus=1)
    assert "queues" not in definition({}, {**wish, "hw_vif_model": "e1000"}, vcpus=4)
    assert "queues" in definition({"hw:vif_multiqueue_enabled": "yes"}, vcpus=4)


def test_windows_under_kvm_is_told_of_the_hypervisor_it_knows():
    text = definition({}, {"os_type": "windows"}, virt_type="kvm")
    assert '<hyperv><relaxed state="on" /><vapic state="on" />' in text
    assert '<timer name="hypervclock" present="yes" />' in text
    assert "hyperv" not in definition({}, {"os_type": "windows"}, virt_type="qemu")


# --- Firmware -------------------------------------------------------------------------------


def test_secure_boot_brings_firmware_machine_and_protected_memory():
    text = definition({"os:secure_boot": "required"})
    assert '<os firmware="efi">' in text and 'machine="q35"' in text
    assert '<loader secure="yes" />' in text and '<smm state="on" />' in text
    assert '<feature enabled="yes" name="enrolled-keys" />' in text


@pytest.mark.parametrize(
    ("able", "properties", "secure"),
    [
        ((traits.UEFI, traits.SECURE_BOOT), {"hw_machine_type": "q35"}, True),
        ((traits.UEFI,), {"hw_machine_type": "q35"}, False),
        ((traits.UEFI, traits.SECURE_BOOT), {"hw_machine_type": "pc"}, False),
    ],
)
def test_optional_secure_boot_is_used_where_it_can_be(able, properties, secure):
    wish = {"os_secure_boot": "optional", "hw_firmware_type": "uefi"}
    text = definition({}, {**wish, **properties}, traits=able)
    assert ('secure="yes"' in text) is secure


@pytest.mark.parametrize(
    ("specs", "properties", "trait"),
    [
        ({"hw:tpm_version": "2.0"}, {}, "TPM_2_0"),
        ({}, {"hw_firmware_type": "uefi"}, "UEFI"),
        ({"os:secure_boot": "required"}, {}, "SECURE_BOOT"),
    ],
)
def test_host_without_the_hardware_refuses_by_name(specs, properties, trait):
    with pytest.raises(exception.DriverError, match=trait):
        definition(specs, properties, traits=())


def test_disk_on_a_bus_that_the_machine_lacks_is_refused():
    with pytest.raises(exception.ImageUnacceptable, match="hw_disk_bus"):
        definition({}, {"hw_disk_bus": "ide", "hw_machine_type": "q35"})


# --- Processors -----------------------------------------------------------------------------


def placed(**changes):
    cell = {
        "id": 0,
        "cpus": (0, 1),
        "dedicated": (0, 1),
        "memory_mb": 1024,
        "host_cell": 1,
        "pinning": {0: 5, 1: 6},
    }
    numa = {
        name: changes.pop(name) for name in ("emulator_policy", "emulator_cpus") if name in changes
    }
    return GuestNuma(cells=(GuestCell(**(cell | changes)),), **numa)


def test_topology_without_a_processor_model():
    text = definition({"hw:cpu_cores": "2"}, vcpus=4)
    assert '<cpu><topology sockets="2" cores="2" threads="1" /></cpu>' in text


def test_dedicated_processors_are_pinned_with_memory_of_their_cell():
    text = definition({"hw:cpu_policy": "dedicated"}, vcpus=2, numa=placed(), processors=LIMITED)
    assert '<vcpupin vcpu="0" cpuset="5" /><vcpupin vcpu="1" cpuset="6" />' in text
    assert '<emulatorpin cpuset="5-6" />' in text
    assert '<memory mode="strict" nodeset="1" />' in text
    assert '<memnode cellid="0" mode="strict" nodeset="1" />' in text
    assert '<numa><cell id="0" cpus="0-1" memory="1048576" unit="KiB" /></numa>' in text


def test_shared_processors_of_a_mixed_server_keep_to_the_shared_ones_of_its_cell():
    numa = placed(dedicated=(1,), pinning={1: 6})
    text = definition(vcpus=2, numa=numa, processors=LIMITED)
    assert '<vcpupin vcpu="0" cpuset="4" /><vcpupin vcpu="1" cpuset="6" />' in text


def test_emulator_runs_where_its_policy_says():
    isolated = placed(emulator_policy="isolate", emulator_cpus=(7,))
    assert '<emulatorpin cpuset="7" />' in definition(vcpus=2, numa=isolated, processors=LIMITED)
    shared = placed(emulator_policy="share")
    assert '<emulatorpin cpuset="0,4" />' in definition(vcpus=2, numa=shared, processors=LIMITED)


def test_real_time_processors_have_memory_that_stays():
    specs = {
        "hw:cpu_policy": "dedicated",
        "hw:cpu_realtime": "yes",
        "hw:cpu_realtime_mask": "^0",
    }
    text = definition(specs, vcpus=2, numa=placed(), processors=LIMITED)
    assert '<vcpusched vcpus="1" scheduler="fifo" priority="1" />' in text
    assert "<memoryBacking><nosharepages /><locked /></memoryBacking>" in text


def test_large_and_locked_pages():
    specs = {"hw:mem_page_size": "2MB", "hw:locked_memory": "yes"}
    text = definition(specs, vcpus=2, numa=placed(page_size_kb=2048), processors=LIMITED)
    assert '<hugepages><page size="2048" unit="KiB" nodeset="0" /></hugepages><locked />' in text
    assert "memoryBacking" not in definition(vcpus=2, numa=placed(page_size_kb=4))


def test_threads_of_one_core_are_shown_to_the_guest_as_such():
    text = definition(vcpus=2, numa=placed(siblings=((0, 1),)), processors=LIMITED)
    assert '<topology sockets="1" cores="1" threads="2" />' in text


def test_other_servers_keep_to_the_shared_processors_where_there_are_dedicated_ones():
    assert '<vcpu cpuset="0,4">1</vcpu>' in definition(processors=LIMITED)
    assert "<vcpu>1</vcpu>" in definition(processors=HostProcessors(cells=CELLS))


def test_list_of_processors_is_short():
    assert cpu_list([5, 0, 1, 2, 7]) == "0-2,5,7"


def test_network_limits_its_interfaces_by_base_and_factor():
    limits = '<bandwidth><inbound average="2500" /><outbound average="2500" /></bandwidth>'
    assert limits in definition(rxtx=(10, 2.0))
    assert "<bandwidth>" not in definition(rxtx=(None, 2.0))


def test_limits_of_the_flavor_come_before_those_of_the_network():
    text = definition({"quota:vif_inbound_average": "100"}, rxtx=(10, 1.0))
    assert '<bandwidth><inbound average="100" /></bandwidth>' in text
