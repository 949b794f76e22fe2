"""servers/{server_id}/os-interface: a server's interfaces, which may come and go.

What clients call a port is an interface of a server, or one that waits for a server.
Source: compute-api-routes (os-interface).
"""

from typing import TypedDict

from nova import exception
from nova.api.openstack.annotations import schema_of
from nova.api.openstack.answers import Extended, items, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, ListOf, Object
from nova.api.openstack.schema_types import IP, TAG, UUID
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.views import Field, View
from nova.objects.action_request import ActionRequest, InterfaceRequest
from nova.objects.addresses import subnet_uuid
from nova.objects.instance import Instance
from nova.objects.lifecycle import PowerState
from nova.objects.network import RequestedNetwork, Vif
from nova.policy import MEMBER, READER

attach_interfaces = Resource(
    "os-attach-interfaces",
    rules={"list": READER, "show": READER, "create": MEMBER, "delete": MEMBER},
)

CREATE = Object(
    Key(
        "interfaceAttachment",
        Object(
            Key("net_id", UUID),
            Key("port_id", UUID),
            Key(
                "fixed_ips",
                ListOf(Object(Key("ip_address", IP, required=True)), minimum=1, maximum=1),
            ),
            Key("tag", TAG, since="2.49"),
        ),
    )
)

_ON = (PowerState.RUNNING, PowerState.PAUSED)


class FixedAddress(TypedDict):
    """A fixed address of an interface."""

    subnet_id: str
    ip_address: str


def _fixed_ips(vif: Vif) -> list[FixedAddress]:
    found = [*((4, address) for address in vif.fixed_ips), (6, vif.fixed_ip_v6)]
    return [
        {"subnet_id": subnet_uuid(vif.network.uuid, version), "ip_address": address}
        for version, address in found
        if address is not None
    ]


_SHOWN = View(
    Vif,
    "interface",
    Field("net_id", "network.uuid"),
    Field("port_id", "id"),
    Field("mac_addr", "address"),
    Field("fixed_ips", lambda vif, call: _fixed_ips(vif), type=schema_of(list[FixedAddress])),
    Field("tag", since="2.70"),
)


_ATTACHED = Extended(
    _SHOWN, Key("port_state", {"type": "string", "enum": ["ACTIVE", "DOWN"]}, required=True)
)
_ONE = named("interfaceAttachment", _ATTACHED)


def _render(vif: Vif, instance: Instance, call: Call) -> dict[str, object]:
    state = "ACTIVE" if instance.power_state in _ON else "DOWN"
    return {**_SHOWN.item(vif, call), "port_state": state}


@attach_interfaces.route(
    "GET /servers/{server_id}/os-interface",
    policy="list",
    errors=501,
    answer=items("interfaceAttachments", _ATTACHED),
)
def index(call: Call) -> dict[str, object]:
    """List a server's interfaces."""
    instance = call.conductor.instances.get(call.context, call.scope, server_uuid(call))
    shown = [_render(vif, instance, call) for vif in instance.vifs]
    return {"interfaceAttachments": shown}


@attach_interfaces.route("GET /servers/{server_id}/os-interface/{id}", policy="show", answer=_ONE)
def show(call: Call) -> dict[str, object]:
    """Show one of them."""
    instance = call.conductor.instances.get(call.context, call.scope, server_uuid(call))
    vif = _find(instance, call.args["id"])
    return {"interfaceAttachment": _render(vif, instance, call)}


@attach_interfaces.route(
    "POST /servers/{server_id}/os-interface",
    policy="create",
    body=CREATE,
    errors=(409, 501),
    answer=_ONE,
)
def create(call: Call) -> dict[str, object]:
    """Give a server an interface; its host attaches it."""
    wanted = call.body.get("interfaceAttachment", {})
    network_uuid, port_uuid = wanted.get("net_id"), wanted.get("port_id")
    addresses = wanted.get("fixed_ips")
    if network_uuid and port_uuid:
        raise exception.InvalidInput(reason="Give net_id or port_id, not both.")
    if addresses and not network_uuid:
        raise exception.InvalidInput(reason="fixed_ips needs net_id.")
    uuid = server_uuid(call)
    request = InterfaceRequest(tag=wanted.get("tag"))
    if port_uuid:
        port = RequestedNetwork(network_uuid="", port_id=port_uuid)
        request = InterfaceRequest(network=port, tag=wanted.get("tag"))
    elif network_uuid:
        fixed_ip = addresses[0]["ip_address"] if addresses else None
        network = RequestedNetwork(network_uuid=network_uuid, fixed_ip=fixed_ip)
        request = InterfaceRequest(network=network, tag=wanted.get("tag"))
    instance = _begin(call, uuid, "attach_interface", request)
    return {"interfaceAttachment": _render(instance.vifs[-1], instance, call)}


@attach_interfaces.route(
    "DELETE /servers/{server_id}/os-interface/{id}", policy="delete", ok=202, errors=(409, 501)
)
def delete(call: Call) -> None:
    """Take an interface away from a server; its host detaches it."""
    request = InterfaceRequest(vif_uuid=call.args["id"])
    _begin(call, server_uuid(call), "detach_interface", request)


def _begin(call: Call, uuid: str, action: str, request: InterfaceRequest) -> Instance:
    return call.conductor.instances.begin_action(
        call.context, call.scope, uuid, action, request=ActionRequest(interface=request)
    )


def _find(instance: Instance, vif_uuid: str) -> Vif:
    """Return an interface of this server and no other (AZ-03).  Raises: PortNotFound."""
    for vif in instance.vifs:
        if vif.id == vif_uuid:
            return vif
    raise exception.PortNotFound(port_id=vif_uuid)
