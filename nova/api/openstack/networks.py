"""os-networks: the networks of nova-network, for requests up to 2.35."""

from collections.abc import Callable

from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Handler, Resource
from nova.api.openstack.schema import AnyOf, Json, Key, Object, Type
from nova.api.openstack.schema_types import (
    BOOL,
    FQDN,
    IP,
    IPV4,
    IPV6,
    NULL,
    POSITIVE,
    PROJECT_ID,
    STRING_OR_NULL,
    TRUE_OR_FALSE,
)
from nova.api.openstack.validation import boolean
from nova.api.openstack.values import canonical_address
from nova.api.openstack.views import Field, View
from nova.exception import InvalidInput
from nova.objects.network import Network, NewNetwork
from nova.policy import ADMIN, READER

_ADMIN_RULE = "os_compute_api:os-networks"

networks = Resource("os-networks", rules={"list": READER, "show": READER, "": ADMIN})
networks_associate = Resource("os-networks-associate", rules={"": ADMIN})

_FOR_ALL: tuple[Field[Network], ...] = (
    Field("id", "uuid"),
    Field("label"),
    Field("cidr"),
    Field("netmask"),
    Field("gateway"),
    Field("broadcast"),
    Field("dns1"),
    Field("dns2"),
    Field("cidr_v6"),
    Field("gateway_v6"),
    Field("netmask_v6"),
)
_FOR_ADMIN = (
    "created_at", "updated_at", "injected", "bridge", "vlan", "vpn_public_address",
    "vpn_public_port", "vpn_private_address", "dhcp_start", "project_id", "host",
    "bridge_interface", "multi_host", "priority", "rxtx_base", "mtu", "dhcp_server",
    "enable_dhcp", "share_address",
)  # fmt: skip

SHOWN = View(Network, "network", *_FOR_ALL)
SHOWN_TO_ADMIN = SHOWN.extended(
    *(Field(name) for name in _FOR_ADMIN),
    Field("deleted", lambda network, call: False, type=TRUE_OR_FALSE),
    Field("deleted_at", lambda network, call: None, type=NULL),
)

_UNTIL = "2.35"
LABEL: Json = {"type": "string", "maxLength": 255}
CIDR: Json = {"type": "string", "maxLength": 43, "pattern": r"^[0-9a-fA-F.:]+/[0-9]{1,3}\Z"}
_DEVICE: Json = {"type": "string", "maxLength": 255}
_KEYS: dict[str, Type] = {
    "cidr": CIDR,
    "cidr_v6": CIDR,
    "ipam": BOOL,
    "project_id": PROJECT_ID,
    "multi_host": BOOL,
    "gateway": IPV4,
    "gateway_v6": IPV6,
    "bridge": _DEVICE,
    "bridge_interface": _DEVICE,
    "dns1": IPV4,
    "dns2": IPV4,
    "dhcp_server": IPV4,
    "fixed_cidr": CIDR,
    "allowed_start": IP,
    "allowed_end": IP,
    "enable_dhcp": BOOL,
    "share_address": BOOL,
    "mtu": POSITIVE,
    "vlan": POSITIVE,
    "vlan_start": POSITIVE,
    "vpn_start": {"type": "string", "pattern": r"^[0-9]{1,10}\Z", "format": "int32"},
}
CREATE = Object(
    Key(
        "network",
        Object(
            Key("label", LABEL, required=True), *(Key(name, kind) for name, kind in _KEYS.items())
        ),
        required=True,
    )
)
ADD = Object(Key("id", STRING_OR_NULL, required=True))
ASSOCIATE_HOST = Object(Key("associate_host", FQDN, required=True))
DISASSOCIATE = Object(Key("disassociate", NULL, required=True))
DISASSOCIATE_HOST = Object(Key("disassociate_host", NULL, required=True))
DISASSOCIATE_PROJECT = Object(Key("disassociate_project", NULL, required=True))

_NUMBERS = ("mtu", "vlan", "vlan_start", "vpn_start")
_TRUTHS = ("multi_host", "enable_dhcp", "share_address")
_ADDRESSES = ("gateway", "gateway_v6", "dns1", "dns2", "dhcp_server")
_TEXTS = (
    "label", "cidr", "cidr_v6", "project_id", "bridge", "bridge_interface", "fixed_cidr",
    "allowed_start", "allowed_end",
)  # fmt: skip

# Administrators see all of it.
_EITHER = AnyOf(SHOWN, SHOWN_TO_ADMIN)


def _view(call: Call) -> View[Network]:
    return SHOWN_TO_ADMIN if call.allows(_ADMIN_RULE) else SHOWN


@networks.route("GET /os-networks", policy="list", until="2.35", answer=items("networks", _EITHER))
def index(call: Call) -> dict[str, object]:
    """List the networks that the project may use."""
    found = call.conductor.networks.list_networks(call.context, call.scope.project_id)
    return {"networks": _view(call).items(found, call)}


@networks.route(
    "GET /os-networks/{id}", policy="show", until=_UNTIL, answer=named("network", _EITHER)
)
def show(call: Call) -> dict[str, object]:
    """Show a network named by its uuid."""
    network = call.conductor.networks.get(call.context, call.args["id"], call.scope.project_id)
    return _view(call).render(network, call)


def check_ranges(wanted: Json) -> None:
    """Let a request name one range.  Raises: InvalidInput."""
    if ("cidr" in wanted) == ("cidr_v6" in wanted):
        raise InvalidInput(reason="Exactly one of cidr and cidr_v6 is needed.")


def _new_network(call: Call) -> NewNetwork:
    """Return what is asked for; ipam means nothing to this network service."""
    wanted = call.body["network"]
    check_ranges(wanted)
    values = {name: wanted[name] for name in _TEXTS if name in wanted}
    values |= {name: canonical_address(wanted[name]) for name in _ADDRESSES if name in wanted}
    values |= {name: int(wanted[name]) for name in _NUMBERS if name in wanted}
    values |= {name: boolean(wanted[name]) for name in _TRUTHS if name in wanted}
    values.setdefault("multi_host", call.settings.multi_host)
    values.setdefault("share_address", call.settings.share_dhcp_address)
    return NewNetwork(**values)


@networks.route(
    "POST /os-networks",
    policy="",
    until=_UNTIL,
    body=CREATE,
    errors=(409, 501),
    answer=named("network", _EITHER),
)
def create(call: Call) -> dict[str, object]:
    """Create a network."""
    client, project_id, new = call.conductor.networks, call.scope.project_id, _new_network(call)
    if project_id is None:
        (network,) = client.create(call.context, new)
    else:
        (network,) = client.create_for_project(call.context, project_id, new)
    return _view(call).render(network, call)


def delete_network(call: Call) -> None:
    """Delete the network that the path names, if it is the caller's to delete."""
    client, project_id = call.conductor.networks, call.scope.project_id
    if project_id is None:
        client.delete(call.context, call.args["id"], require_disassociated=False)
    else:
        client.delete_of_project(call.context, project_id, call.args["id"])


@networks.route("DELETE /os-networks/{id}", policy="", ok=202, until=_UNTIL, errors=409)
def delete(call: Call) -> None:
    """Delete a network that no server is in."""
    delete_network(call)


@networks.route(
    "POST /os-networks/add", policy="", ok=202, until=_UNTIL, body=ADD, errors=(400, 501)
)
def add(call: Call) -> None:
    """Give the caller's project a VLAN network of nobody."""
    project_id = call.context.project_id
    if not project_id:
        raise InvalidInput(reason="The token has no project.")
    call.conductor.networks.associate(call.context, project_id, call.body["id"])


def _action(resource: Resource, name: str, body: Object) -> Callable[[Handler], Handler]:
    """Declare an action of networks."""
    spec = f"POST /os-networks/{{id}}/action {name}"
    return resource.route(spec, policy="", ok=202, until=_UNTIL, body=body, errors=501)


@_action(networks, "disassociate", DISASSOCIATE)
def disassociate(call: Call) -> None:
    """Take a network from its project and its host."""
    call.conductor.networks.disassociate(call.context, call.scope, call.args["id"])


@_action(networks_associate, "disassociate_host", DISASSOCIATE_HOST)
def disassociate_host(call: Call) -> None:
    """Take a network from its host."""
    call.conductor.networks.set_host(call.context, call.scope, call.args["id"], None)


@_action(networks_associate, "disassociate_project", DISASSOCIATE_PROJECT)
def disassociate_project(call: Call) -> None:
    """Take a network from its project."""
    call.conductor.networks.set_project(call.context, call.scope, call.args["id"], None)


@_action(networks_associate, "associate_host", ASSOCIATE_HOST)
def associate_host(call: Call) -> None:
    """Let a host serve a network."""
    host = call.body["associate_host"]
    call.conductor.networks.set_host(call.context, call.scope, call.args["id"], host)
