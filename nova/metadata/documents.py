"""Everything a guest can read: the whole tree, and the same as files of a config drive.

Source: ec2-api, sections 8.3 to 8.5.
"""

import dataclasses
import json
import secrets
from typing import Any

from nova.metadata import ec2, openstack
from nova.metadata.tree import Node
from nova.metadata.versions import EC2_VERSIONS, LATEST, OPENSTACK_VERSIONS, resolve
from nova.objects.guest_metadata import GuestMetadata

RANDOM_SEED_BYTES = 512


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSettings:
    """What the operator sets about metadata.

    skip_ec2_versions: EC2 dates left out on config drives.  vendor_data: content of the
    operator's JSON file.
    """

    dhcp_domain: str = "novalocal"
    skip_ec2_versions: tuple[str, ...] = EC2_VERSIONS[:-1]
    vendor_data: dict[str, Any] = dataclasses.field(default_factory=dict)


def full_hostname(hostname: str, dhcp_domain: str) -> str:
    """Return the name of a guest with its domain."""
    return f"{hostname}.{dhcp_domain}" if dhcp_domain else hostname


def extras(
    guest: GuestMetadata,
    settings: DocumentSettings,
    vendor_data2: dict[str, Any] | None = None,
) -> openstack.Extras:
    """Return what the OpenStack documents need beside the record; draws a new random seed."""
    return openstack.Extras(
        hostname=full_hostname(guest.instance.hostname, settings.dhcp_domain),
        random_seed=secrets.token_bytes(RANDOM_SEED_BYTES),
        vendor_data=settings.vendor_data,
        vendor_data2=vendor_data2 or {},
    )


def ec2_tree(guest: GuestMetadata, version: str, settings: DocumentSettings) -> Node | None:
    """Return the EC2 documents of a version word, None for an unknown version."""
    date = resolve(version, EC2_VERSIONS)
    if date is None:
        return None
    return ec2.tree(guest, date, full_hostname(guest.instance.hostname, settings.dhcp_domain))


def openstack_tree(guest: GuestMetadata, version: str, additions: openstack.Extras) -> Node | None:
    """Return the OpenStack documents of a version word, None for an unknown version."""
    if version == openstack.CONTENT:
        return openstack.content(guest)
    date = resolve(version, OPENSTACK_VERSIONS)
    return None if date is None else openstack.tree(guest, date, additions)


def config_drive_files(
    guest: GuestMetadata,
    settings: DocumentSettings,
    vendor_data2: dict[str, Any] | None = None,
) -> dict[str, bytes]:
    """Return the files of a config drive by their path."""
    additions = extras(guest, settings, vendor_data2)
    files: dict[str, bytes] = {}
    for version in (*OPENSTACK_VERSIONS, LATEST):
        documents = openstack_tree(guest, version, additions)
        assert isinstance(documents, dict)
        for name, document in documents.items():
            if name != "password" and isinstance(document, bytes):
                files[f"openstack/{version}/{name}"] = document
    for number, data in openstack.content(guest).items():
        assert isinstance(data, bytes)
        files[f"openstack/{openstack.CONTENT}/{number}"] = data
    for version in (*EC2_VERSIONS, LATEST):
        if version in settings.skip_ec2_versions:
            continue
        documents = ec2_tree(guest, version, settings)
        assert isinstance(documents, dict)
        files[f"ec2/{version}/meta-data.json"] = json.dumps(
            ec2.as_plain(documents["meta-data"])
        ).encode()
        user_data = documents.get("user-data")
        if isinstance(user_data, bytes):
            files[f"ec2/{version}/user-data"] = user_data
    return files
