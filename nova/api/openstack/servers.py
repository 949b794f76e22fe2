"""servers: create, list, show, update, delete.

Source: compute-api-routes (Servers).
"""

import json
from typing import Any

from nova.api.core import actions, boot, passwords
from nova.api.openstack import server_filters
from nova.api.openstack.answers import items, named, one
from nova.api.openstack.call import Call
from nova.api.openstack.links import LINKS
from nova.api.openstack.resource import Reply, Resource
from nova.api.openstack.schema import AnyOf, Key, Object
from nova.api.openstack.schema_types import DISK_CONFIG, STRING
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.server_schemas import CREATE, LIST, UPDATE
from nova.api.openstack.server_views import (
    DETAIL,
    EXTENDED_ATTRIBUTES,
    FLAVOR_EXTRA_SPECS,
    GROUP_NAMES,
    HOST_STATUS,
    HOST_STATUS_UNKNOWN_ONLY,
    SHOWN,
    SUMMARY,
    UPDATED,
)
from nova.api.openstack.validation import boolean
from nova.api.openstack.values import canonical_address
from nova.api.openstack.versions import Range
from nova.exception import CertificatesNotValidated, InvalidInput, NotFound
from nova.objects.instance import InjectedFile, InstanceChange
from nova.objects.network import NetworkMode
from nova.objects.unset import UNSET
from nova.policy import ADMIN, MEMBER, NAMESPACE, READER

_ZERO_DISK = "servers:create:zero_disk_flavor"
_TRUSTED_CERTS = "servers:create:trusted_certs"

servers = Resource(
    "servers",
    rules={
        "index": READER,
        "detail": READER,
        "show": READER,
        "create": MEMBER,
        "update": MEMBER,
        "delete": MEMBER,
        "index:get_all_tenants": ADMIN,
        "detail:get_all_tenants": ADMIN,
        "allow_all_filters": ADMIN,
        "create:forced_host": ADMIN,
        "create:zero_disk_flavor": ADMIN,
        "create:attach_network": MEMBER,
        "create:trusted_certs": MEMBER,
        boot.REQUESTED_DESTINATION: ADMIN,
        f"{NAMESPACE}:{EXTENDED_ATTRIBUTES}": ADMIN,
        f"{NAMESPACE}:{HOST_STATUS}": ADMIN,
        f"{NAMESPACE}:{HOST_STATUS_UNKNOWN_ONLY}": ADMIN,
        f"{NAMESPACE}:{FLAVOR_EXTRA_SPECS}": READER,
    },
)

_DESCRIBED = Range("2.19")
CREATED = AnyOf(
    named("reservation_id", STRING),
    named(
        "server",
        Object(
            Key("id", STRING, required=True),
            Key("links", LINKS, required=True),
            Key("OS-DCF:diskConfig", DISK_CONFIG, required=True),
            Key("security_groups", GROUP_NAMES, required=True),
            Key("adminPass", STRING),
        ),
    ),
)


# --- Lists ------------------------------------------------------------------------------------


@servers.route(
    "GET /servers", policy="index", query=LIST, answer=items("servers", SUMMARY, "servers_links")
)
def index(call: Call) -> dict[str, object]:
    """List servers by name."""
    try:
        query = server_filters.build_query(call, "servers:index:get_all_tenants")
    except server_filters.NothingMatches:
        return {"servers": []}
    found = call.conductor.instances.page_summaries(call.context, query)
    return _page(call, SUMMARY.items(found, call), found[-1].uuid if found else None)


@servers.route(
    "GET /servers/detail",
    policy="detail",
    query=LIST,
    answer=items("servers", DETAIL, "servers_links"),
)
def detail(call: Call) -> dict[str, object]:
    """List servers with everything."""
    try:
        query = server_filters.build_query(call, "servers:detail:get_all_tenants")
    except server_filters.NothingMatches:
        return {"servers": []}
    found = call.conductor.instances.page(call.context, query)
    return _page(call, DETAIL.items(found, call), found[-1].uuid if found else None)


def _page(call: Call, items: list[dict[str, object]], last: str | None) -> dict[str, object]:
    body: dict[str, object] = {"servers": items}
    more = call.next_link(len(items), last)
    if more:
        body["servers_links"] = more
    return body


# --- Single servers ---------------------------------------------------------------------------


@servers.route("GET /servers/{id}", policy="show", answer=one(SHOWN))
def show(call: Call) -> dict[str, object]:
    """Show a server."""
    found = call.conductor.instances.get(call.context, call.scope, server_uuid(call, "id"))
    return SHOWN.render(found, call)


@servers.route("PUT /servers/{id}", policy="update", body=UPDATE, errors=409, answer=one(UPDATED))
def update(call: Call) -> dict[str, object]:
    """Change a server's name, description, access addresses, disk configuration or pin."""
    wanted = call.body["server"]
    change = InstanceChange(
        display_name=wanted.get("name", UNSET),
        display_description=wanted.get("description", UNSET),
        access_ip_v4=_cleared(wanted, "accessIPv4"),
        access_ip_v6=canonical_address(_cleared(wanted, "accessIPv6")),
        auto_disk_config=(
            wanted["OS-DCF:diskConfig"] == "AUTO" if "OS-DCF:diskConfig" in wanted else UNSET
        ),
        hostname=wanted.get("hostname", UNSET),
        pinned_availability_zone=wanted.get("pinned_availability_zone", UNSET),
    )
    found = call.conductor.instances.update(
        call.context, call.scope, server_uuid(call, "id"), change
    )
    return UPDATED.render(found, call)


def _cleared(wanted: dict[str, Any], name: str) -> Any:
    """Return a text, None for an empty one, UNSET for none."""
    return wanted[name] or None if name in wanted else UNSET


@servers.route("DELETE /servers/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Delete a server, whatever it is doing; it is kept for a while where that is configured."""
    actions.delete(call, call.scope, server_uuid(call, "id"))


# --- Creation ---------------------------------------------------------------------------------


@servers.route("POST /servers", policy="create", ok=202, body=CREATE, errors=409, answer=CREATED)
def create(call: Call) -> Reply:
    """Make one or several servers."""
    wanted = call.body["server"]
    password = wanted.get("adminPass") or passwords.generate(call.settings.password_length)
    wish = _wish(call, wanted, password)
    boot.authorize(call, wish)
    _refuse_certificates(call)
    try:
        made = boot.create_servers(
            call.context, call.token, wish, call.services.images, call.conductor.instances
        )
    except NotFound as error:
        # What the request names and the caller can not see is a fault of the request.
        raise InvalidInput(reason=str(error)) from error
    if boolean(wanted.get("return_reservation_id", False)):
        return Reply(body={"reservation_id": made.reservation_id})
    return _created(call, made.instance_uuids[0], wish, password)


def _created(call: Call, uuid: str, wish: boot.BootWish, password: str) -> Reply:
    server: dict[str, object] = {
        "id": uuid,
        "links": call.links.both("servers", uuid),
        "OS-DCF:diskConfig": "MANUAL" if wish.auto_disk_config is False else "AUTO",
        "security_groups": [{"name": name} for name in wish.security_groups or ("default",)],
    }
    if call.settings.enable_instance_password:
        server["adminPass"] = password
    return Reply(body={"server": server}, location=call.links.self_link("servers", uuid))


def _refuse_certificates(call: Call) -> None:
    """Raises: PolicyNotAuthorized, CertificatesNotValidated."""
    if call.body["server"].get("trusted_image_certificates"):
        call.authorize(_TRUSTED_CERTS)
        raise CertificatesNotValidated()


def _wish(call: Call, wanted: dict[str, Any], password: str) -> boot.BootWish:
    mode, networks = _networks(wanted.get("networks"))
    min_count = int(wanted.get("min_count", 1))
    name = wanted["name"]
    return boot.BootWish(
        name=name,
        flavor_ref=str(wanted["flavorRef"]),
        image_ref=wanted.get("imageRef"),
        admin_password=password,
        description=wanted.get("description") if call.version in _DESCRIBED else name,
        hostname=wanted.get("hostname"),
        key_name=wanted.get("key_name"),
        user_data=wanted.get("user_data"),
        config_drive=boolean(wanted.get("config_drive", False)),
        min_count=min_count,
        max_count=int(wanted.get("max_count", min_count)),
        metadata=wanted.get("metadata", {}),
        tags=tuple(wanted.get("tags", ())),
        files=_files(wanted.get("personality", ())),
        network_mode=mode,
        networks=networks,
        security_groups=tuple(
            group["name"] for group in wanted.get("security_groups", ()) if "name" in group
        ),
        disks=_disks(wanted),
        zone=wanted.get("availability_zone"),
        host=wanted.get("host"),
        node=wanted.get("hypervisor_hostname"),
        hints=_hints(call.body),
        access_ip_v4=wanted.get("accessIPv4"),
        access_ip_v6=canonical_address(wanted.get("accessIPv6")),
        auto_disk_config=(
            wanted["OS-DCF:diskConfig"] == "AUTO" if "OS-DCF:diskConfig" in wanted else None
        ),
        zero_disk_allowed=call.allows(_ZERO_DISK),
    )


def _networks(wanted: Any) -> tuple[NetworkMode, tuple[boot.NetworkWish, ...]]:
    if isinstance(wanted, str):
        return NetworkMode(wanted), ()
    wishes = tuple(
        boot.NetworkWish(
            uuid=entry.get("uuid"),
            port=entry.get("port"),
            fixed_ip=entry.get("fixed_ip"),
            tag=entry.get("tag"),
        )
        for entry in wanted or ()
    )
    return (NetworkMode.EXPLICIT if wishes else NetworkMode.AUTO), wishes


def _files(wanted: Any) -> tuple[InjectedFile, ...]:
    if any(not entry.get("path") or "contents" not in entry for entry in wanted):
        raise InvalidInput(reason="Each entry of personality needs a path and contents.")
    return tuple(InjectedFile(path=entry["path"], contents=entry["contents"]) for entry in wanted)


def _disks(wanted: dict[str, Any]) -> tuple[boot.DiskWish, ...]:
    if wanted.get("block_device_mapping"):
        if wanted.get("block_device_mapping_v2"):
            raise InvalidInput(
                reason="Use block_device_mapping_v2 or block_device_mapping, not both."
            )
        return (boot.DiskWish(source_type="volume", destination_type="volume"),)
    return tuple(_disk(entry) for entry in wanted.get("block_device_mapping_v2", ()))


def _disk(entry: dict[str, Any]) -> boot.DiskWish:
    boot_index = entry.get("boot_index")
    size = entry.get("volume_size")
    return boot.DiskWish(
        source_type="volume" if entry.get("volume_id") else entry.get("source_type"),
        destination_type=entry.get("destination_type"),
        image_id=entry.get("image_id") or entry.get("uuid"),
        boot_index=None if boot_index is None else int(boot_index),
        delete_on_termination=boolean(entry.get("delete_on_termination", False)),
        volume_size_gb=None if size is None else int(size),
        device_name=entry.get("device_name"),
        device_type=entry.get("device_type"),
        disk_bus=entry.get("disk_bus"),
        tag=entry.get("tag"),
    )


def _hints(body: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return scheduler hints as lists of texts; objects become JSON text."""
    given = body.get("os:scheduler_hints") or body.get("OS-SCH-HNT:scheduler_hints") or {}
    hints = {}
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        hints[name] = tuple(
            entry if isinstance(entry, str) else json.dumps(entry) for entry in values
        )
    return hints
