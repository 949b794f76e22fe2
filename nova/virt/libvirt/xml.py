"""Turn a guest's configuration into libvirt's domain XML.  Pure."""

import re
from xml.etree import ElementTree

from nova.virt.libvirt.guest import (
    GuestConfig,
    GuestDisk,
    GuestInterface,
    GuestNotes,
    GuestSocket,
    GuestSpice,
)
from nova.virt.libvirt.xml_processors import add_arrangement, add_memory, add_processors

NOTES_NAMESPACE = "http://openstack.org/xmlns/libvirt/nova/1.1"
PRODUCT = "OpenStack Nova"

_QEMU_LIKE = frozenset({"kvm", "qemu"})
_SPICE_AGENT = "com.redhat.spice.0"
_FULL_VIRTUALIZATION = "hvm"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def domain_xml(config: GuestConfig) -> str:
    """Return the definition of a guest.

    Source: libvirt domain XML format.
    """
    domain = ElementTree.Element("domain", type=config.virt_type)
    _text(domain, "name", config.name)
    _text(domain, "uuid", config.uuid)
    if config.notes:
        _add_notes(domain, config.notes)
    _text(domain, "memory", str(config.memory_mb), unit="MiB")
    add_memory(domain, config)
    add_processors(domain, config)
    if config.os_type == _FULL_VIRTUALIZATION:
        _add_sysinfo(domain, config)
    _add_os(domain, config)
    _add_features(domain, config)
    add_arrangement(domain, config)
    _add_clock(domain, config)
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart")
    _text(domain, "on_crash", "destroy")
    _add_devices(domain, config)
    ElementTree.indent(domain)
    return ElementTree.tostring(domain, encoding="unicode") + "\n"


def printable(text: str) -> str:
    """Return text without the characters that no XML document may hold."""
    return _NOT_XML.sub("", text)


def _text(
    parent: ElementTree.Element, tag: str, text: str, **attributes: str
) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, tag, attributes)
    element.text = printable(text)
    return element


def _add_notes(domain: ElementTree.Element, notes: GuestNotes) -> None:
    """Add the block that tools of administrators read."""
    ElementTree.register_namespace("nova", NOTES_NAMESPACE)

    def tag(name: str) -> str:
        return f"{{{NOTES_NAMESPACE}}}{name}"

    metadata = ElementTree.SubElement(domain, "metadata")
    instance = ElementTree.SubElement(metadata, tag("instance"))
    _text(instance, tag("name"), notes.display_name)
    if notes.created_at:
        _text(instance, tag("creationTime"), notes.created_at.isoformat(" ", "seconds"))
    flavor = ElementTree.SubElement(instance, tag("flavor"), name=printable(notes.flavor_name))
    for name, value in (
        ("memory", notes.flavor_memory_mb),
        ("disk", notes.flavor_disk_gb),
        ("swap", notes.flavor_swap_mb),
        ("ephemeral", notes.flavor_ephemeral_gb),
        ("vcpus", notes.flavor_vcpus),
    ):
        _text(flavor, tag(name), str(value))
    owner = ElementTree.SubElement(instance, tag("owner"))
    _text(owner, tag("user"), "", uuid=printable(notes.user_id))
    _text(owner, tag("project"), "", uuid=printable(notes.project_id))
    if notes.image_id:
        ElementTree.SubElement(instance, tag("root"), type="image", uuid=printable(notes.image_id))


def _add_sysinfo(domain: ElementTree.Element, config: GuestConfig) -> None:
    """Tell the guest what it runs on; the host's own identity stays hidden (NET-16)."""
    sysinfo = ElementTree.SubElement(domain, "sysinfo", type="smbios")
    system = ElementTree.SubElement(sysinfo, "system")
    for name, value in (
        ("manufacturer", "OpenStack"),
        ("product", PRODUCT),
        ("serial", config.uuid),
        ("uuid", config.uuid),
        ("family", "Virtual Machine"),
    ):
        _text(system, "entry", value, name=name)


def _add_os(domain: ElementTree.Element, config: GuestConfig) -> None:
    system = ElementTree.SubElement(domain, "os")
    if config.boot.firmware:
        system.set("firmware", config.boot.firmware)
    kind = _text(system, "type", config.os_type)
    if config.architecture:
        kind.set("arch", config.architecture)
    if config.machine:
        kind.set("machine", config.machine)
    if config.boot.firmware:
        _add_firmware(system, config)
    if config.boot.kernel_path:
        _text(system, "kernel", config.boot.kernel_path)
        if config.boot.ramdisk_path:
            _text(system, "initrd", config.boot.ramdisk_path)
        if config.boot.command_line:
            _text(system, "cmdline", config.boot.command_line)
    elif config.os_type == _FULL_VIRTUALIZATION and not _names_boot_disk(config):
        ElementTree.SubElement(system, "boot", dev="hd")
    if config.boot.menu:
        ElementTree.SubElement(system, "bootmenu", enable="yes")
    if config.os_type == _FULL_VIRTUALIZATION:
        ElementTree.SubElement(system, "smbios", mode="sysinfo")
    elif config.os_type == "exe":
        _text(system, "init", "/sbin/init")


def _names_boot_disk(config: GuestConfig) -> bool:
    """Tell whether a disk says itself that it comes first; libvirt takes one way only."""
    return any(disk.boot_first for disk in config.disks)


def _add_firmware(system: ElementTree.Element, config: GuestConfig) -> None:
    """Choose among the firmware that the host has by what it can do."""
    firmware = ElementTree.SubElement(system, "firmware")
    for feature in ("enrolled-keys", "secure-boot"):
        attributes = {"enabled": "yes" if config.boot.secure else "no", "name": feature}
        ElementTree.SubElement(firmware, "feature", attributes)
    if config.boot.secure:
        ElementTree.SubElement(system, "loader", secure="yes")


def _add_features(domain: ElementTree.Element, config: GuestConfig) -> None:
    if config.os_type != _FULL_VIRTUALIZATION:
        return
    features = ElementTree.SubElement(domain, "features")
    ElementTree.SubElement(features, "acpi")
    ElementTree.SubElement(features, "apic")
    if config.hyperv:
        hyperv = ElementTree.SubElement(features, "hyperv")
        for name in ("relaxed", "vapic"):
            ElementTree.SubElement(hyperv, name, state="on")
        ElementTree.SubElement(hyperv, "spinlocks", state="on", retries="8191")
    if config.hidden:
        kvm = ElementTree.SubElement(features, "kvm")
        ElementTree.SubElement(kvm, "hidden", state="on")
    if config.processors.pmu is not None:
        state = "on" if config.processors.pmu else "off"
        ElementTree.SubElement(features, "pmu", state=state)
    if config.boot.secure:
        ElementTree.SubElement(features, "smm", state="on")


def _add_clock(domain: ElementTree.Element, config: GuestConfig) -> None:
    offset = "localtime" if config.local_time else "utc"
    clock = ElementTree.SubElement(domain, "clock", offset=offset)
    if config.virt_type in _QEMU_LIKE:
        ElementTree.SubElement(clock, "timer", name="pit", tickpolicy="delay")
        ElementTree.SubElement(clock, "timer", name="rtc", tickpolicy="catchup")
        present = "yes" if config.hpet else "no"
        ElementTree.SubElement(clock, "timer", name="hpet", present=present)
    if config.hyperv:
        ElementTree.SubElement(clock, "timer", name="hypervclock", present="yes")


def _add_devices(domain: ElementTree.Element, config: GuestConfig) -> None:
    devices = ElementTree.SubElement(domain, "devices")
    for disk in config.disks:
        _add_disk(devices, disk)
    if config.scsi_model:
        attributes = {"type": "scsi", "index": "0", "model": config.scsi_model}
        ElementTree.SubElement(devices, "controller", attributes)
    for interface in config.interfaces:
        _add_interface(devices, interface)
    if config.serial_log_path:
        serial = _add_serial(devices, config.serial_socket)
        attributes = {"file": config.serial_log_path, "append": "on"}
        ElementTree.SubElement(serial, "log", attributes)
        ElementTree.SubElement(serial, "target", port="0")
    for port in range(1, config.serial_ports):
        serial = ElementTree.SubElement(devices, "serial", type="pty")
        ElementTree.SubElement(serial, "target", port=str(port))
    if config.guest_agent:
        channel = ElementTree.SubElement(devices, "channel", type="unix")
        ElementTree.SubElement(channel, "source", mode="bind")
        attributes = {"type": "virtio", "name": "org.qemu.guest_agent.0"}
        ElementTree.SubElement(channel, "target", attributes)
    _add_screen(devices, config)
    _add_auxiliary(devices, config)


def _add_serial(devices: ElementTree.Element, place: GuestSocket | None) -> ElementTree.Element:
    if place is None:
        return ElementTree.SubElement(devices, "serial", type="pty")
    serial = ElementTree.SubElement(devices, "serial", type="tcp")
    attributes = {"mode": "bind", "host": place.listen, "service": str(place.port)}
    ElementTree.SubElement(serial, "source", attributes)
    ElementTree.SubElement(serial, "protocol", type="raw")
    return serial


def _add_disk(devices: ElementTree.Element, disk: GuestDisk) -> None:
    element = ElementTree.SubElement(devices, "disk", type="file", device=disk.device)
    driver = ElementTree.SubElement(element, "driver", name="qemu", type=disk.disk_format)
    if disk.cache:
        driver.set("cache", disk.cache)
    ElementTree.SubElement(element, "source", file=disk.path)
    ElementTree.SubElement(element, "target", dev=disk.target, bus=disk.bus)
    if disk.limits:
        iotune = ElementTree.SubElement(element, "iotune")
        for name, value in disk.limits.items():
            _text(iotune, name, str(value))
    if disk.read_only:
        ElementTree.SubElement(element, "readonly")
    if disk.serial:
        _text(element, "serial", disk.serial)
    if disk.boot_first:
        ElementTree.SubElement(element, "boot", order="1")


def _add_interface(devices: ElementTree.Element, interface: GuestInterface) -> None:
    element = ElementTree.SubElement(devices, "interface", type="bridge")
    ElementTree.SubElement(element, "mac", address=interface.mac)
    ElementTree.SubElement(element, "source", bridge=interface.bridge)
    ElementTree.SubElement(element, "target", dev=interface.tap)
    if interface.model:
        ElementTree.SubElement(element, "model", type=interface.model)
    if interface.queues:
        ElementTree.SubElement(element, "driver", queues=str(interface.queues))
    if interface.mtu:
        ElementTree.SubElement(element, "mtu", size=str(interface.mtu))
    if interface.filter_name:
        ElementTree.SubElement(element, "filterref", filter=interface.filter_name)
    if interface.bandwidths:
        limits = ElementTree.SubElement(element, "bandwidth")
        for direction, limit in interface.bandwidths.items():
            values = {"average": limit.average, "peak": limit.peak, "burst": limit.burst}
            given = {name: str(value) for name, value in values.items() if value}
            ElementTree.SubElement(limits, direction, given)


def _add_screen(devices: ElementTree.Element, config: GuestConfig) -> None:
    if config.tablet:
        ElementTree.SubElement(devices, "input", type="tablet", bus=config.input_bus)
    if config.vnc_listen:
        attributes = {"type": "vnc", "port": "-1", "autoport": "yes", "listen": config.vnc_listen}
        graphics = ElementTree.SubElement(devices, "graphics", attributes)
        if config.vnc_keymap:
            graphics.set("keymap", config.vnc_keymap)
        ElementTree.SubElement(graphics, "listen", type="address", address=config.vnc_listen)
    if config.spice:
        _add_spice(devices, config.spice)
    if config.video_model:
        video = ElementTree.SubElement(devices, "video")
        model = ElementTree.SubElement(video, "model", type=config.video_model)
        if config.video_ram_mb:
            model.set("vram", str(config.video_ram_mb * 1024))


def _add_spice(devices: ElementTree.Element, spice: GuestSpice) -> None:
    attributes = {"type": "spice", "autoport": "yes", "listen": spice.listen}
    graphics = ElementTree.SubElement(devices, "graphics", attributes)
    if spice.secure:
        graphics.set("defaultMode", "secure")
    if spice.keymap:
        graphics.set("keymap", spice.keymap)
    ElementTree.SubElement(graphics, "listen", type="address", address=spice.listen)
    for element, value in spice.tuning.items():
        name = "mode" if element == "streaming" else "compression"
        ElementTree.SubElement(graphics, element, {name: value})
    if spice.agent:
        channel = ElementTree.SubElement(devices, "channel", type="spicevmc")
        ElementTree.SubElement(channel, "target", type="virtio", name=_SPICE_AGENT)


def _add_auxiliary(devices: ElementTree.Element, config: GuestConfig) -> None:
    if config.random_source:
        rng = ElementTree.SubElement(devices, "rng", model="virtio")
        if config.random_rate:
            rate = ElementTree.SubElement(rng, "rate", bytes=str(config.random_rate.bytes))
            if config.random_rate.period_ms:
                rate.set("period", str(config.random_rate.period_ms))
        _text(rng, "backend", config.random_source, model="random")
    if config.tpm:
        tpm = ElementTree.SubElement(devices, "tpm", model=config.tpm.model)
        attributes = {"type": "emulator", "version": config.tpm.version}
        ElementTree.SubElement(tpm, "backend", attributes)
    if config.watchdog_action:
        attributes = {"model": "i6300esb", "action": config.watchdog_action}
        ElementTree.SubElement(devices, "watchdog", attributes)
    if config.virt_type in _QEMU_LIKE:
        balloon = ElementTree.SubElement(devices, "memballoon", model="virtio")
        if config.memory_statistics_period_s:
            period = str(config.memory_statistics_period_s)
            ElementTree.SubElement(balloon, "stats", period=period)
