"""How a server looks to users.

Source: compute-api-routes (SERVER representation).
"""

import datetime
import hashlib
from collections.abc import Iterable
from typing import Literal, NotRequired, TypedDict

from nova.api.openstack import image_properties
from nova.api.openstack.annotations import schema_of
from nova.api.openstack.call import Call
from nova.api.openstack.links import LINKS, Link
from nova.api.openstack.schema_types import (
    DISK_CONFIG,
    NO_ITEMS,
    NULL,
    STRING,
    STRING_OR_NULL,
    TRUE_OR_FALSE,
)
from nova.api.openstack.versions import Range
from nova.api.openstack.views import ABSENT, Absent, Field, View
from nova.objects.instance import Instance, InstanceSummary
from nova.objects.lifecycle import VmState, status

EXTENDED_ATTRIBUTES = "os-extended-server-attributes"
HOST_STATUS = "servers:show:host_status"
HOST_STATUS_UNKNOWN_ONLY = "servers:show:host_status:unknown-only"
FLAVOR_EXTRA_SPECS = "servers:show:flavor-extra-specs"

_WITH_PROGRESS = {"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"}
_WITH_FAULT = {"ERROR", "DELETED"}
_FULL_ADDRESSES_IN_UPDATE = Range("2.75")
_WITH_IMAGE_PROPERTIES = Range("2.98")


class ObjectLink(TypedDict):
    """An object of another kind, by id."""

    id: str
    links: list[Link]


class ImageLink(ObjectLink):
    """The image of a server, with the properties that are shown."""

    properties: NotRequired[dict[str, str]]


class FlavorCopy(TypedDict):
    """What a server has of the flavor that it was made with."""

    vcpus: int
    ram: int
    disk: int
    ephemeral: int
    swap: int
    original_name: str
    extra_specs: NotRequired[dict[str, str]]


class ShownFault(TypedDict):
    """The last error of a server."""

    code: int
    created: str | None
    message: str
    details: NotRequired[str]


class GroupName(TypedDict):
    """A security group."""

    name: str


Address = TypedDict(
    "Address",
    {
        "version": Literal[4, 6],
        "addr": str,
        "OS-EXT-IPS:type": NotRequired[str],
        "OS-EXT-IPS-MAC:mac_addr": NotRequired[str],
    },
)
Addresses = dict[str, list[Address]]


def status_of(instance: Instance) -> str:
    """Return the status word of a server."""
    return "DELETED" if instance.deleted else status(instance.vm_state, instance.task_state)


def to_seconds(moment: datetime.datetime | None) -> str | None:
    """Return the form of a server's own times."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def host_id(instance: Instance) -> str:
    """Return the opaque name of a server's host, different for each project."""
    if not instance.host:
        return ""
    return hashlib.sha224(f"{instance.project_id}{instance.host}".encode()).hexdigest()


def _image(instance: Instance, call: Call) -> ImageLink | Literal[""]:
    if not instance.image_ref:
        return ""
    link: Link = {"rel": "bookmark", "href": call.links.bookmark("images", instance.image_ref)}
    document: ImageLink = {"id": instance.image_ref, "links": [link]}
    if call.version in _WITH_IMAGE_PROPERTIES:
        document["properties"] = image_properties.known(instance.image_properties)
    return document


def _hints(instance: Instance, call: Call) -> dict[str, str | list[str]]:
    """Return what the scheduler was told, single values as they are mostly given."""
    return {
        name: values[0] if len(values) == 1 else list(values)
        for name, values in instance.scheduler_hints.items()
    }


def _flavor_link(instance: Instance, call: Call) -> ObjectLink:
    flavorid = instance.flavor.flavorid
    link: Link = {"rel": "bookmark", "href": call.links.bookmark("flavors", flavorid)}
    return {"id": flavorid, "links": [link]}


def _flavor_copy(instance: Instance, call: Call) -> FlavorCopy:
    flavor = instance.flavor
    document: FlavorCopy = {
        "vcpus": flavor.vcpus,
        "ram": flavor.memory_mb,
        "disk": flavor.root_gb,
        "ephemeral": flavor.ephemeral_gb,
        "swap": flavor.swap_mb,
        "original_name": flavor.name,
    }
    if call.allows(FLAVOR_EXTRA_SPECS, instance.project_id, instance.user_id):
        document["extra_specs"] = flavor.extra_specs
    return document


def addresses_of(instance: Instance, full: bool) -> Addresses:
    """Return a server's addresses by network label; full adds their kind and MAC."""
    labels: Addresses = {}
    if instance.vm_state is VmState.BUILDING:
        return labels
    for vif in instance.vifs:
        entries = labels.setdefault(vif.network.label, [])
        fixed = [*vif.fixed_ips, *([vif.fixed_ip_v6] if vif.fixed_ip_v6 else [])]
        kinds = [("fixed", address) for address in fixed]
        kinds += [("floating", address) for address in vif.floating_ips]
        for kind, address in kinds:
            entry: Address = {"version": 6 if ":" in address else 4, "addr": address}
            if full:
                entry["OS-EXT-IPS:type"] = kind
                entry["OS-EXT-IPS-MAC:mac_addr"] = vif.address
            entries.append(entry)
    return labels


def _progress(instance: Instance, call: Call) -> int | Absent:
    return instance.progress if status_of(instance) in _WITH_PROGRESS else ABSENT


def _fault(instance: Instance, call: Call) -> ShownFault | Absent:
    fault = instance.fault
    if fault is None or status_of(instance) not in _WITH_FAULT:
        return ABSENT
    document: ShownFault = {
        "code": fault.code,
        "created": to_seconds(fault.created_at or instance.updated_at or instance.created_at),
        "message": fault.message,
    }
    if fault.details and call.context.is_admin:
        document["details"] = fault.details
    return document


def _host_status(instance: Instance, call: Call) -> str | Absent:
    owner = (instance.project_id, instance.user_id)
    if call.allows(HOST_STATUS, *owner):
        return call.services.host_states.of(instance.host)
    if call.allows(HOST_STATUS_UNKNOWN_ONLY, *owner):
        state = call.services.host_states.of(instance.host)
        return state if state == "UNKNOWN" else ABSENT
    return ABSENT


def _security_groups(instance: Instance, call: Call) -> list[GroupName] | Absent:
    return [{"name": name} for name in instance.security_groups] or ABSENT


Fields = Iterable[Field[Instance]]

ADDRESSES = schema_of(Addresses)
GROUP_NAMES = schema_of(list[GroupName])

_ALWAYS: tuple[Field[Instance], ...] = (
    Field("id", "uuid"),
    Field("name", "display_name"),
    Field("status", lambda instance, call: status_of(instance), type=STRING),
    Field("tenant_id", "project_id"),
    Field("user_id"),
    Field("metadata"),
    Field("hostId", lambda instance, call: host_id(instance), type=STRING),
    Field("image", _image),
    Field("flavor", _flavor_link, until="2.46"),
    Field("flavor", _flavor_copy, since="2.47"),
    Field("created", lambda instance, call: to_seconds(instance.created_at), type=STRING_OR_NULL),
    Field("updated", lambda instance, call: to_seconds(instance.updated_at), type=STRING_OR_NULL),
    Field("accessIPv4", lambda instance, call: instance.access_ip_v4 or "", type=STRING),
    Field("accessIPv6", lambda instance, call: instance.access_ip_v6 or "", type=STRING),
    Field("links", lambda instance, call: call.links.both("servers", instance.uuid), type=LINKS),
    Field("progress", _progress),
    Field("fault", _fault),
    Field(
        "OS-DCF:diskConfig",
        lambda instance, call: "AUTO" if instance.auto_disk_config else "MANUAL",
        type=DISK_CONFIG,
    ),
    Field(
        "locked",
        lambda instance, call: instance.locked_by is not None,
        since="2.9",
        type=TRUE_OR_FALSE,
    ),
    Field("description", "display_description", since="2.19"),
    Field("tags", since="2.26"),
    # No server has any: requests with certificates are refused.
    Field("trusted_image_certificates", lambda instance, call: None, since="2.63", type=NULL),
    Field("locked_reason", since="2.73"),
    Field("pinned_availability_zone", since="2.96"),
    Field("scheduler_hints", _hints, since="2.100"),
)

_SERVER_GROUPS: Field[Instance] = Field("server_groups", since="2.71")


def _extended(first: str) -> tuple[Field[Instance], ...]:
    """Return what GET shows from the beginning and PUT from 2.75 on."""

    def since(version: str) -> str:
        return max(version, first, key=lambda text: Range(text).since)

    def attribute(
        name: str, source: str, version: str, until: str | None = None
    ) -> Field[Instance]:
        return Field(
            f"OS-EXT-SRV-ATTR:{name}",
            source,
            since=since(version),
            until=until,
            policy=EXTENDED_ATTRIBUTES,
        )

    return (
        Field(
            "config_drive",
            lambda instance, call: "True" if instance.config_drive else "",
            type=STRING,
            since=since("2.0"),
        ),
        Field("key_name", since=since("2.0")),
        Field("security_groups", _security_groups, since=since("2.0")),
        Field(
            "OS-EXT-AZ:availability_zone",
            lambda instance, call: instance.availability_zone or "",
            type=STRING,
            since=since("2.0"),
        ),
        Field("OS-EXT-STS:vm_state", "vm_state", since=since("2.0")),
        Field("OS-EXT-STS:task_state", "task_state", since=since("2.0")),
        Field("OS-EXT-STS:power_state", "power_state", since=since("2.0")),
        Field("OS-SRV-USG:launched_at", "launched_at", since=since("2.0")),
        Field("OS-SRV-USG:terminated_at", "terminated_at", since=since("2.0")),
        Field(
            "os-extended-volumes:volumes_attached",
            lambda instance, call: [],
            type=NO_ITEMS,
            since=since("2.0"),
        ),
        attribute("host", "host", "2.0"),
        attribute("hypervisor_hostname", "node", "2.0"),
        attribute("instance_name", "name", "2.0"),
        attribute("hostname", "hostname", "2.3", until="2.89"),
        Field("OS-EXT-SRV-ATTR:hostname", "hostname", since=since("2.90")),
        attribute("kernel_id", "kernel_id", "2.3"),
        attribute("ramdisk_id", "ramdisk_id", "2.3"),
        attribute("launch_index", "launch_index", "2.3"),
        attribute("reservation_id", "reservation_id", "2.3"),
        attribute("root_device_name", "root_device_name", "2.3"),
        Field("host_status", _host_status, since=since("2.16")),
    )


_IN_LISTS: tuple[Field[Instance], ...] = (
    *_ALWAYS,
    Field("addresses", lambda instance, call: addresses_of(instance, full=True), type=ADDRESSES),
    *_extended("2.0"),
    Field("OS-EXT-SRV-ATTR:user_data", "user_data", since="2.3", policy=EXTENDED_ATTRIBUTES),
)

SUMMARY = View(
    InstanceSummary,
    "server",
    Field("id", "uuid"),
    Field("name", "display_name"),
    Field("links", lambda summary, call: call.links.both("servers", summary.uuid), type=LINKS),
)
DETAIL = View(Instance, "server", *_IN_LISTS)
SHOWN = View(Instance, "server", *_IN_LISTS, _SERVER_GROUPS)
UPDATED = View(
    Instance,
    "server",
    *_ALWAYS,
    Field(
        "addresses",
        lambda instance, call: addresses_of(instance, call.version in _FULL_ADDRESSES_IN_UPDATE),
        type=ADDRESSES,
    ),
    *_extended("2.75"),
    _SERVER_GROUPS,
)
