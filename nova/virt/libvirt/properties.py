"""What an image's properties ask of a guest; the tenant wrote them, so each is checked."""

import dataclasses
import re
from collections.abc import Mapping

from nova import exception

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_MACHINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CHOICES: dict[str, frozenset[str]] = {
    "hw_vif_model": frozenset(
        {"virtio", "e1000", "e1000e", "igb", "ne2k_pci", "pcnet", "rtl8139", "netfront", "vmxnet3"}
    ),
    "hw_video_model": frozenset(
        {"vga", "cirrus", "vmvga", "xen", "qxl", "virtio", "gop", "none", "bochs"}
    ),
    "hw_scsi_model": frozenset(
        {"virtio-scsi", "lsilogic", "lsisas1068", "lsisas1078", "buslogic", "ibmvscsi", "vmpvscsi"}
    ),
    "hw_rng_model": frozenset({"virtio"}),
    "hw_firmware_type": frozenset({"bios", "uefi"}),
    "os_type": frozenset({"linux", "windows"}),
    "hw_pointer_model": frozenset({"ps2mouse", "usbtablet"}),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImageProperties:
    """The properties that have an effect on libvirt guests; None where not given."""

    disk_bus: str | None = None
    cdrom_bus: str | None = None
    scsi_model: str | None = None
    vif_model: str | None = None
    video_model: str | None = None
    machine_type: str | None = None
    firmware_type: str | None = None
    rng_model: str | None = None
    os_type: str | None = None
    command_line: str | None = None
    pointer_model: str | None = None
    guest_agent: bool = False
    boot_menu: bool = False
    hidden: bool = False
    hpet: bool = False


def parse(properties: Mapping[str, str], image_id: str | None) -> ImageProperties:
    """Return the checked properties.  Raises: ImageUnacceptable.

    Source: virt-driver, section 2.
    """
    reader = _Reader(properties, image_id)
    return ImageProperties(
        disk_bus=reader.text("hw_disk_bus"),
        cdrom_bus=reader.text("hw_cdrom_bus"),
        scsi_model=reader.choice("hw_scsi_model"),
        vif_model=reader.choice("hw_vif_model"),
        video_model=reader.choice("hw_video_model"),
        machine_type=reader.machine("hw_machine_type"),
        firmware_type=reader.choice("hw_firmware_type"),
        rng_model=reader.choice("hw_rng_model"),
        os_type=reader.choice("os_type"),
        command_line=reader.text("os_command_line"),
        guest_agent=reader.flag("hw_qemu_guest_agent"),
        boot_menu=reader.flag("hw_boot_menu"),
        pointer_model=reader.choice("hw_pointer_model"),
        hidden=reader.flag("img_hide_hypervisor_id"),
        hpet=reader.flag("hw_time_hpet"),
    )


class _Reader:
    """Reads single properties."""

    def __init__(self, properties: Mapping[str, str], image_id: str | None) -> None:
        self._properties = properties
        self._image_id = image_id

    def text(self, name: str) -> str | None:
        return self._properties.get(name) or None

    def choice(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and value not in _CHOICES[name]:
            self._refuse(name, f"one of {', '.join(sorted(_CHOICES[name]))}")
        return value

    def machine(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not _MACHINE.fullmatch(value):
            self._refuse(name, "a machine type such as pc or q35")
        return value

    def flag(self, name: str) -> bool:
        value = (self.text(name) or "no").strip().lower()
        if value not in _TRUE | _FALSE:
            self._refuse(name, "yes or no")
        return value in _TRUE

    def _refuse(self, name: str, rule: str) -> None:
        raise exception.ImageUnacceptable(
            image_id=self._image_id, reason=f"its property {name} must be {rule}."
        )
