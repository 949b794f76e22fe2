"""What hardware a server's guest gets."""

import pytest

from nova import exception
from nova.virt.libvirt import buses
from nova.virt.libvirt.guest import GuestCpu, GuestSpice
from nova.virt.libvirt.hardware import DiskFile, GuestFiles, HardwareSettings, guest_config
from tests.fixtures.guests import make_flavor, make_instance, make_network, make_vif

FILES = GuestFiles(
    disks=(
        DiskFile(path="/i/disk", disk_format="qcow2"),
        DiskFile(path="/i/disk.swap", disk_format="qcow2"),
        DiskFile(path="/i/disk.config", disk_format="raw", cdrom=True),
    ),
    console_log_path="/i/console.log",
)
KERNEL = GuestFiles(disks=FILES.disks[:1], kernel_path="/i/kernel", ramdisk_path="/i/ramdisk")


def make_config(files=FILES, properties=None, extra_specs=None, vifs=None, **settings):
    changes = {} if vifs is None else {"vifs": vifs}
    instance = make_instance(
        image_ref="image",
        image_properties=properties or {},
        flavor=make_flavor(extra_specs=extra_specs or {}),
        **changes,
    )
    values = {"virt_type": "qemu", "architecture": "x86_64"}
    settings = HardwareSettings(**(values | settings))
    return guest_config(instance, files, settings, lambda instance, vif: f"f-{vif.address}")


def places(config):
    return [(disk.device, disk.bus, disk.target) for disk in config.disks]


def test_guest_is_named_after_the_row_of_the_server():
    assert make_config().name == "instance-00000012"


def test_disks_are_virtio_and_the_config_drive_an_ide_cdrom():
    expected = [("disk", "virtio", "vda"), ("disk", "virtio", "vdb"), ("cdrom", "ide", "hda")]
    assert places(make_config()) == expected


def test_config_drive_can_not_be_written_to():
    assert [disk.read_only for disk in make_config().disks] == [False, False, True]


def test_machine_without_ide_gets_a_sata_cdrom():
    config = make_config(properties={"hw_machine_type": "pc-q35-7.2"})
    assert places(config)[2] == ("cdrom", "sata", "sda")


def test_default_machine_of_the_architecture_counts():
    config = make_config(machine_types={"x86_64": "q35", "aarch64": "virt"})
    assert config.machine == "q35"
    assert places(config)[2] == ("cdrom", "sata", "sda")


def test_cdrom_on_the_virtio_bus_is_a_read_only_disk():
    config = make_config(properties={"hw_cdrom_bus": "virtio"})
    assert places(config)[2] == ("disk", "virtio", "vdc")
    assert config.disks[2].read_only


def test_scsi_disks_bring_their_controller():
    config = make_config(properties={"hw_disk_bus": "scsi", "hw_cdrom_bus": "scsi"})
    assert [place[2] for place in places(config)] == ["sda", "sdb", "sdc"]
    assert config.scsi_model == "virtio-scsi"
    assert make_config().scsi_model is None


def test_xen_guests_have_xen_disks():
    config = make_config(virt_type="xen")
    assert places(config)[0] == ("disk", "xen", "xvda")
    assert (config.os_type, config.vnc_listen, config.random_source) == ("xen", None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw_disk_bus", "floppy"),
        ("hw_cdrom_bus", "xen"),
        ("hw_vif_model", "virtio'/><evil/>"),
        ("hw_video_model", "3d"),
        ("hw_machine_type", "q35 -drive file=/etc/shadow"),
        ("hw_qemu_guest_agent", "perhaps"),
        ("hw_firmware_type", "/etc/passwd"),
    ],
)
def test_image_property_with_an_unknown_value_is_refused_by_name(name, value):
    with pytest.raises(exception.ImageUnacceptable, match=name):
        make_config(properties={name: value})


def test_image_properties_choose_the_devices():
    config = make_config(
        properties={
            "hw_vif_model": "e1000",
            "hw_video_model": "cirrus",
            "hw_qemu_guest_agent": "Yes",
            "hw_watchdog_action": "poweroff",
            "hw_firmware_type": "uefi",
            "hw_boot_menu": "true",
            "os_type": "windows",
        },
        vnc_listen="192.0.2.1",
    )
    assert config.interfaces[0].model == "e1000"
    assert config.video_model == "cirrus"
    assert config.guest_agent
    assert config.watchdog_action == "poweroff"
    assert (config.boot.firmware, config.boot.menu) == ("efi", True)
    assert config.local_time


def test_interface_has_tap_bridge_filter_and_size_of_its_network():
    vif = make_vif(network=make_network(mtu=1400))
    interface = make_config(vifs=(vif,)).interfaces[0]
    assert interface.tap == vif.devname and not interface.tap.startswith("vnet")
    assert (interface.bridge, interface.mtu, interface.model) == ("br100", 1400, "virtio")
    assert interface.filter_name == f"f-{vif.address}"


def test_network_without_bridge_is_an_error():
    vif = make_vif(network=make_network(bridge=None))
    with pytest.raises(exception.DriverError, match="bridge"):
        make_config(vifs=(vif,))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"virt_type": "qemu"}, None),
        ({"virt_type": "kvm"}, GuestCpu(mode="host-model")),
        ({"virt_type": "kvm", "cpu_mode": "none"}, None),
        ({"virt_type": "qemu", "cpu_mode": "maximum"}, GuestCpu(mode="maximum")),
        (
            {"virt_type": "kvm", "cpu_mode": "custom", "cpu_models": ("Nehalem", "Westmere")},
            GuestCpu(mode="custom", model="Nehalem"),
        ),
    ],
)
def test_processor_model(settings, expected):
    assert make_config(**settings).cpu == expected


def test_kernel_boots_with_the_root_disk_on_its_command_line():
    boot = make_config(files=KERNEL).boot
    assert (boot.kernel_path, boot.ramdisk_path) == ("/i/kernel", "/i/ramdisk")
    assert boot.command_line == "root=/dev/vda console=tty0 console=ttyS0"


def test_image_may_bring_its_own_command_line():
    boot = make_config(files=KERNEL, properties={"os_command_line": "quiet"}).boot
    assert boot.command_line == "quiet"


def test_flavor_tunes_the_processor_time():
    tuning = make_config(extra_specs={"quota:cpu_shares": "10", "quota:cpu_quota": "5000"}).tuning
    assert (tuning.shares, tuning.period, tuning.quota) == (10, None, 5000)


def test_flavor_with_a_senseless_quota_is_refused():
    with pytest.raises(exception.Invalid, match="cpu_shares"):
        make_config(extra_specs={"quota:cpu_shares": "many"})


def test_flavor_may_forbid_the_random_number_device():
    assert make_config().random_source == "/dev/urandom"
    assert make_config(extra_specs={"hw_rng:allowed": "False"}).random_source is None
    config = make_config(random_source=None, properties={"hw_rng_model": "virtio"})
    assert config.random_source == "/dev/urandom"


def test_console_needs_an_address_to_listen_on():
    assert make_config().vnc_listen is None and not make_config().tablet
    config = make_config(vnc_listen="192.0.2.1")
    assert config.vnc_listen == "192.0.2.1" and config.tablet and config.video_model == "virtio"


def test_ide_has_room_for_four_devices():
    names = buses.DeviceNames()
    assert [names.take("ide") for _ in range(4)] == ["hda", "hdb", "hdc", "hdd"]
    with pytest.raises(exception.BlockDeviceNotSupported):
        names.take("ide")


def test_a_spice_console_brings_its_video_card_and_tablet():
    config = make_config(spice=GuestSpice(listen="192.0.2.1"))
    assert config.spice.listen == "192.0.2.1" and config.vnc_listen is None
    assert config.tablet and config.video_model == "qxl"
