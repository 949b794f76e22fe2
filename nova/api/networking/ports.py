"""/v2.0/ports: the interfaces of servers, and those that wait for a server."""

from typing import Any

from nova import exception
from nova.api.networking.collections import FIELDS, Document, filters, query_of, shown, whole
from nova.api.networking.words import (
    OWNER_KEYS,
    Wish,
    is_uuid,
    moment,
    only,
    project_filter,
    project_of,
    resource,
    unchanged,
    wrapped,
)
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Key, ListOf, Object
from nova.api.openstack.schema_types import (
    ANYTHING,
    BOOL,
    IP,
    STRING,
    STRING_OR_NULL,
    TEXT255,
    UUID,
)
from nova.api.openstack.views import Field, View
from nova.objects.action_request import ActionRequest, InterfaceRequest
from nova.objects.addresses import subnet_uuid
from nova.objects.port import NewPort, Port, PortQuery
from nova.policy import ADMIN

_BINDING = "networking:ports:binding"

ports = resource("ports", binding=ADMIN)


def _fixed_ips(port: Port, call: Call) -> list[dict[str, str]]:
    vif = port.vif
    found = [*((4, address) for address in vif.fixed_ips), (6, vif.fixed_ip_v6)]
    return [
        {"subnet_id": subnet_uuid(vif.network.uuid, version), "ip_address": address}
        for version, address in found
        if address is not None
    ]


def _owner(port: Port, call: Call) -> str:
    if port.vif.instance_uuid is None:
        return ""
    return f"compute:{port.availability_zone or 'nova'}"


SHOWN = View(
    Port,
    "port",
    Field("id", "vif.id"),
    Field("name"),
    Field("network_id", "vif.network.uuid"),
    Field("tenant_id", "project_id"),
    Field("project_id"),
    Field("device_id", lambda port, call: port.vif.instance_uuid or ""),
    Field("device_owner", _owner),
    Field("mac_address", "vif.address"),
    Field("fixed_ips", _fixed_ips),
    Field("security_groups", lambda port, call: list(port.group_uuids)),
    Field("status", lambda port, call: "ACTIVE" if port.active else "DOWN"),
    Field("admin_state_up", lambda port, call: True),
    Field("port_security_enabled", lambda port, call: True),
    Field("allowed_address_pairs", lambda port, call: []),
    Field("extra_dhcp_opts", lambda port, call: []),
    Field("binding:vnic_type", lambda port, call: "normal"),
    Field("binding:host_id", lambda port, call: port.host or "", policy=_BINDING),
    Field(
        "binding:vif_type",
        lambda port, call: "bridge" if port.host else "unbound",
        policy=_BINDING,
    ),
    Field("binding:vif_details", lambda port, call: {}, policy=_BINDING),
    Field("binding:profile", lambda port, call: {}, policy=_BINDING),
    Field("description", lambda port, call: ""),
    Field("tags", lambda port, call: []),
    Field("created_at", lambda port, call: moment(port.created_at)),
    Field("updated_at", lambda port, call: moment(port.created_at)),
)

_ADDRESS = Object(Key("ip_address", IP), Key("subnet_id", UUID))
_KEYS = (
    Key("name", TEXT255),
    *OWNER_KEYS,
    Key("device_id", STRING),
    Key("device_owner", STRING),
    Key("mac_address", STRING),
    Key("fixed_ips", ListOf(_ADDRESS, maximum=2)),
    Key("security_groups", ListOf(STRING)),
    Key("admin_state_up", BOOL),
    Key("port_security_enabled", BOOL),
    Key("allowed_address_pairs", ListOf(ANYTHING)),
    Key("extra_dhcp_opts", ListOf(ANYTHING)),
    Key("binding:vnic_type", STRING),
    Key("binding:host_id", STRING_OR_NULL),
    Key("binding:profile", ANYTHING),
    Key("description", STRING_OR_NULL),
    Key("tags", ListOf(STRING)),
)
CREATE = wrapped("port", Key("network_id", UUID, required=True), *_KEYS)
UPDATE = wrapped("port", *_KEYS)

MOST = 5000

# Filters that the conductor applies.
_ASKED = {"mac_address": "macs", "name": "names", "id": "ids", "network_id": "network_uuids"}


@ports.route("GET /ports", policy="list", query=query_of(SHOWN))
def index(call: Call) -> dict[str, object]:
    """List the interfaces of the project's servers, and its others."""
    wanted = filters(call.query)
    chosen: dict[str, Any] = {name: wanted[key] for key, name in _ASKED.items() if key in wanted}
    # Without a server is a filter too, which the documents are held against.
    if "" not in wanted.get("device_id", ("",)):
        chosen["instance_uuids"] = wanted["device_id"]
    addresses = [value.removeprefix("ip_address=") for value in wanted.get("fixed_ips", ())]
    if addresses and not any("=" in address for address in addresses):
        chosen["addresses"] = tuple(addresses)
    query = PortQuery(scope=project_filter(call), limit=MOST, **chosen)
    found = call.conductor.ports.page(call.context, query)
    return whole(call, "ports", SHOWN.items(found, call))


@ports.route("GET /ports/{id}", policy="show", query=FIELDS)
def show(call: Call) -> dict[str, object]:
    """Show one of them."""
    return {"port": shown(call, _document(call))}


@ports.route("POST /ports", policy="create", body=CREATE, ok=201, errors=(404, 409))
def create(call: Call) -> dict[str, object]:
    """Make an interface that a server can be given."""
    wish = call.body["port"]
    _check(wish)
    only(wish, device_id=("",), device_owner=("",), security_groups=([],))
    network_uuid = wish["network_id"]
    new = NewPort(
        project_id=project_of(call, wish),
        network_uuid=network_uuid,
        name=wish.get("name", ""),
        fixed_ip=_wanted_address(wish, network_uuid),
        mac=wish.get("mac_address"),
    )
    return SHOWN.render(call.conductor.ports.create(call.context, new), call)


@ports.route("PUT /ports/{id}", policy="update", body=UPDATE, errors=409)
def update(call: Call) -> dict[str, object]:
    """Rename an interface; groups belong to servers, and the rest can not be changed."""
    wish, port_id = dict(call.body["port"]), _port_id(call)
    name = wish.pop("name", None)
    if name is not None and not wish:
        found = call.conductor.ports.rename(call.context, call.scope, port_id, name)
        return SHOWN.render(found, call)
    document = _document(call)
    _check(wish)
    if sorted(wish.pop("security_groups", document["security_groups"])) != sorted(
        document["security_groups"]
    ):
        raise exception.NetworkingUnsupported(
            what="security groups of a port; they belong to servers: use the actions "
            "addSecurityGroup and removeSecurityGroup of the Compute API"
        )
    unchanged(wish, document)
    if name is None or name == document["name"]:
        return {"port": document}
    found = call.conductor.ports.rename(call.context, call.scope, port_id, name)
    return SHOWN.render(found, call)


@ports.route("DELETE /ports/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Delete an interface; a server that has it loses it."""
    port_id = _port_id(call)
    try:
        call.conductor.ports.delete(call.context, call.scope, port_id)
    except exception.PortInUse as error:
        request = InterfaceRequest(vif_uuid=port_id, forget=True)
        call.conductor.instances.begin_action(
            call.context,
            call.scope,
            error.kwargs["instance_uuid"],
            "detach_interface",
            request=ActionRequest(interface=request),
        )


def _check(wish: Wish) -> None:
    """Refuse what interfaces of nova-network can not have.  Raises: NetworkingUnsupported."""
    only(
        wish,
        admin_state_up=(True,),
        port_security_enabled=(True,),
        allowed_address_pairs=([],),
        extra_dhcp_opts=([],),
        binding_vnic_type=("normal",),
        binding_host_id=("", None),
        binding_profile=({}, None),
        description=("", None),
        tags=([],),
    )


def _wanted_address(wish: Wish, network_uuid: str) -> str | None:
    """Return the IPv4 address that is asked for, None for any.

    Raises: NetworkingUnsupported, PortInvalid.
    """
    entries = wish.get("fixed_ips") or []
    known = {subnet_uuid(network_uuid, version) for version in (4, 6)}
    for entry in entries:
        if entry.get("subnet_id", next(iter(known))) not in known:
            raise exception.PortInvalid(reason="The subnet is of another network.")
    addresses = [entry["ip_address"] for entry in entries if "ip_address" in entry]
    if len(addresses) > 1 or any(":" in address for address in addresses):
        raise exception.NetworkingUnsupported(
            what="more than one chosen address, or an IPv6 address, which follows from the MAC"
        )
    return addresses[0] if addresses else None


def _port_id(call: Call) -> str:
    port_id = call.args["id"]
    if not is_uuid(port_id):
        raise exception.PortNotFound(port_id=port_id)
    return port_id


def _document(call: Call) -> Document:
    found = call.conductor.ports.get(call.context, call.scope, _port_id(call))
    return SHOWN.item(found, call)
