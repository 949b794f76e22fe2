"""The OpenStack tree of guest metadata.

Source: ec2-api, section 8.4.
"""

import base64
import dataclasses
import json
from typing import Any

from nova.metadata.network_data import network_data
from nova.metadata.tree import Node
from nova.objects.guest_metadata import GuestMetadata

CONTENT = "content"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What the documents contain beside the record of the server.

    hostname: full name with the DHCP domain.  random_seed: bytes for the guest's entropy
    pool.  vendor_data: of vendor_data.json; vendor_data2: of vendor_data2.json.
    """

    hostname: str
    random_seed: bytes = b""
    vendor_data: dict[str, Any] = dataclasses.field(default_factory=dict)
    vendor_data2: dict[str, Any] = dataclasses.field(default_factory=dict)


def tree(guest: GuestMetadata, version: str, extras: Extras) -> dict[str, Node]:
    """Return the documents below /openstack/<version>/."""
    root: dict[str, Node] = {"meta_data.json": _json(meta_data(guest, version, extras))}
    if guest.instance.user_data:
        root["user_data"] = base64.b64decode(guest.instance.user_data)
    if version >= "2013-04-04":
        root["password"] = guest.password.encode()
    if version >= "2013-10-17":
        root["vendor_data.json"] = _json(extras.vendor_data)
    if version >= "2015-10-15":
        root["network_data.json"] = _json(network_data(guest.instance.vifs))
    if version >= "2016-10-06":
        root["vendor_data2.json"] = _json(extras.vendor_data2)
    return root


def content(guest: GuestMetadata) -> dict[str, Node]:
    """Return the injected files below /openstack/content/, by four-digit number."""
    return {
        f"{number:04d}": base64.b64decode(file.contents)
        for number, file in enumerate(guest.injected_files)
    }


def meta_data(guest: GuestMetadata, version: str, extras: Extras) -> dict[str, Any]:
    """Return meta_data.json as a value."""
    instance = guest.instance
    document: dict[str, Any] = {
        "uuid": instance.uuid,
        "name": instance.display_name,
        "hostname": extras.hostname,
        "launch_index": instance.launch_index,
        "availability_zone": instance.availability_zone,
    }
    if instance.metadata:
        document["meta"] = instance.metadata
    if guest.injected_files:
        document["files"] = [
            {"path": file.path, "content_path": f"/{CONTENT}/{number:04d}"}
            for number, file in enumerate(guest.injected_files)
        ]
    if instance.key_data:
        document["public_keys"] = {instance.key_name: instance.key_data}
        document["keys"] = [
            {
                "name": instance.key_name,
                "type": _key_type(instance.key_data),
                "data": instance.key_data,
            }
        ]
    if guest.admin_password is not None:
        document["admin_pass"] = guest.admin_password
    if version >= "2013-04-04":
        document["random_seed"] = base64.b64encode(extras.random_seed).decode()
    if version >= "2015-10-15":
        document["project_id"] = instance.project_id
    if version >= "2016-06-30":
        document["devices"] = _devices(guest)
    if version >= "2020-10-14":
        document["dedicated_cpus"] = []
    return document


def _key_type(key_data: str) -> str:
    return "x509" if key_data.startswith("-----BEGIN CERTIFICATE") else "ssh"


def _devices(guest: GuestMetadata) -> list[dict[str, Any]]:
    return [
        {"type": "nic", "bus": "none", "address": "none", "mac": vif.address, "tags": [vif.tag]}
        for vif in guest.instance.vifs
        if vif.tag
    ]


def _json(document: object) -> bytes:
    return json.dumps(document).encode()
