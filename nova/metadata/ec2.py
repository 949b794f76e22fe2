"""The EC2 tree of guest metadata.

Source: ec2-api, section 8.3.
"""

import base64

from nova.metadata.tree import Node
from nova.objects.guest_metadata import GuestMetadata

_DEFAULT_DEVICES = {"ami": "sda1", "root": "/dev/sda1", "ephemeral0": "sda2", "swap": "sda3"}


def tree(guest: GuestMetadata, version: str, hostname: str) -> dict[str, Node]:
    """Return the documents below /<version>/.

    hostname is the full name, with the DHCP domain.
    """
    root: dict[str, Node] = {"meta-data": _meta_data(guest, version, hostname)}
    if guest.instance.user_data:
        root["user-data"] = base64.b64decode(guest.instance.user_data)
    return root


def _meta_data(guest: GuestMetadata, version: str, hostname: str) -> dict[str, Node]:
    instance = guest.instance
    values: dict[str, Node] = {
        "ami-id": _text(_ec2_id("ami", guest.image_number)),
        "ami-launch-index": _text(str(instance.launch_index)),
        "ami-manifest-path": b"FIXME",
        "instance-id": _text(_ec2_id("i", instance.id)),
        "hostname": _text(hostname),
        "local-ipv4": _text(_first_fixed_ip(guest)),
        "reservation-id": _text(instance.reservation_id or ""),
        "security-groups": _text("\n".join(instance.security_groups)),
    }
    if instance.key_data:
        values["public-keys"] = {
            "": _text(f"0={instance.key_name}"),
            "0": {"openssh-key": _text(instance.key_data)},
        }
    if version >= "2007-01-19" and version != "1.0":
        values["local-hostname"] = _text(hostname)
        values["public-hostname"] = _text(hostname)
        values["public-ipv4"] = _text(_first_floating_ip(guest))
    if version >= "2007-08-29":
        values["instance-type"] = _text(instance.flavor.name)
    if version >= "2007-12-15":
        values["block-device-mapping"] = _block_devices(guest)
        if guest.kernel_number is not None:
            values["kernel-id"] = _text(_ec2_id("aki", guest.kernel_number))
        if guest.ramdisk_number is not None:
            values["ramdisk-id"] = _text(_ec2_id("ari", guest.ramdisk_number))
    if version >= "2008-02-01":
        values["placement"] = {"availability-zone": _text(instance.availability_zone or "")}
    if version >= "2008-09-01":
        values["instance-action"] = b"none"
    return values


def as_plain(node: Node) -> object:
    """Return a tree as JSON values, as the config drive's meta-data.json holds it."""
    if isinstance(node, bytes):
        return node.decode("utf-8", "replace")
    return {name: as_plain(child) for name, child in node.items() if name}


def _text(value: str) -> bytes:
    return value.encode()


def _ec2_id(prefix: str, number: int | None) -> str:
    return "" if number is None else f"{prefix}-{number:08x}"


def _first_fixed_ip(guest: GuestMetadata) -> str:
    return next((vif.fixed_ip for vif in guest.instance.vifs if vif.fixed_ip), "")


def _first_floating_ip(guest: GuestMetadata) -> str:
    return next((ip for vif in guest.instance.vifs for ip in vif.floating_ips), "")


def _block_devices(guest: GuestMetadata) -> dict[str, Node]:
    root = guest.instance.root_device_name
    if not root:
        return {name: _text(device) for name, device in _DEFAULT_DEVICES.items()}
    devices = {"ami": _short(root), "root": root}
    ephemerals = 0
    for device in guest.block_devices:
        if device.device_name is None or device.boot_index == 0:
            continue
        if device.guest_format == "swap":
            devices["swap"] = _short(device.device_name)
        elif device.source_type == "blank":
            devices[f"ephemeral{ephemerals}"] = _short(device.device_name)
            ephemerals += 1
    return {name: _text(device) for name, device in devices.items()}


def _short(device_name: str) -> str:
    return device_name.removeprefix("/dev/")
