"""os-networks: the networks of nova-network, for requests up to 2.35."""

from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf
from nova.api.openstack.schema_types import NULL, TRUE_OR_FALSE
from nova.api.openstack.views import Field, View
from nova.objects.network import Network
from nova.policy import ADMIN, READER

_ADMIN_RULE = "os_compute_api:os-networks"

networks = Resource("os-networks", rules={"list": READER, "show": READER, "": ADMIN})

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
    "GET /os-networks/{id}", policy="show", until="2.35", answer=named("network", _EITHER)
)
def show(call: Call) -> dict[str, object]:
    """Show a network named by its uuid."""
    network = call.conductor.networks.get(call.context, call.args["id"], call.scope.project_id)
    return _view(call).render(network, call)
