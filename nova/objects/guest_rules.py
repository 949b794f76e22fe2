"""Whether a flavor and an image go together.  Pure.

The API's conductor asks before anything is stored; hosts rely on the same functions.
"""

from collections.abc import Mapping

from nova.objects import guest_limits
from nova.objects.flavor import Flavor
from nova.objects.flavor_wishes import Wishes, refuse
from nova.objects.guest_topology import cpu_topology
from nova.objects.numa_request import numa_request, realtime_cpus
from nova.objects.traits import required_traits, secure_boot_wish

_FLAGS = ("boot_menu", "hide_hypervisor_id", "pmu", "vif_multiqueue_enabled")
_ACTIONS = ("disabled", "none", "pause", "poweroff", "reset")


def check(flavor: Flavor, image_properties: Mapping[str, str]) -> None:
    """Refuse what no host could build.  Raises: Invalid."""
    cpu_topology(flavor, image_properties)
    wanted = numa_request(flavor, image_properties)
    realtime_cpus(flavor, image_properties)
    if locked_memory(flavor, image_properties) and (wanted is None or not wanted.pages):
        refuse("hw:locked_memory needs hw:mem_page_size.")
    wishes = Wishes(flavor, image_properties)
    wishes.agreed("pmu")
    for name in _FLAGS:
        wishes.flag(name)
    required_traits(flavor, image_properties)
    watchdog_action(flavor, image_properties)
    input_bus(flavor, image_properties)
    _check_firmware(flavor, image_properties)
    guest_limits.cpu_limits(flavor)
    guest_limits.disk_limits(flavor)
    guest_limits.bandwidths(flavor)
    guest_limits.random_rate(flavor)
    guest_limits.random_allowed(flavor)
    guest_limits.serial_ports(flavor, image_properties)
    guest_limits.video_ram_mb(flavor, image_properties)


def locked_memory(flavor: Flavor, image_properties: Mapping[str, str]) -> bool:
    """Tell whether the guest's memory must never be swapped out.  Raises: Invalid."""
    wishes = Wishes(flavor, image_properties)
    wishes.agreed("locked_memory")
    return wishes.flag("locked_memory")


def watchdog_action(flavor: Flavor, image_properties: Mapping[str, str]) -> str | None:
    """Return what a watchdog does, the image's wish first; None for no watchdog.

    Raises: Invalid.
    """
    of_flavor, of_image = Wishes(flavor, image_properties).choice("watchdog_action", _ACTIONS)
    action = of_image or of_flavor
    return None if action == "disabled" else action


def input_bus(flavor: Flavor, image_properties: Mapping[str, str]) -> str:
    """Return the bus of pointing devices, the image's wish first.  Raises: Invalid."""
    of_flavor, of_image = Wishes(flavor, image_properties).choice("input_bus", ("usb", "virtio"))
    return of_image or of_flavor or "usb"


def _check_firmware(flavor: Flavor, image_properties: Mapping[str, str]) -> None:
    if secure_boot_wish(flavor, image_properties) != "required":
        return
    if image_properties.get("hw_firmware_type") == "bios":
        refuse("Secure boot needs UEFI, but the image's hw_firmware_type is bios.")
    machine = image_properties.get("hw_machine_type")
    if machine and "q35" not in machine:
        refuse(f"Secure boot needs the machine type q35, but the image wants {machine}.")
