"""os-tenant-networks: networks that a project makes for itself, up to 2.35.

Source: compute-api-routes (Networks, nova-network era).
"""

from typing import Any

from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.networks import CIDR, LABEL, check_ranges, delete_network
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import BOOL, POSITIVE, STRING
from nova.api.openstack.views import Field, View
from nova.exception import InvalidInput
from nova.objects.network import Network, NewNetwork
from nova.policy import MEMBER, READER

tenant_networks = Resource("os-tenant-networks", rules={"list": READER, "show": READER, "": MEMBER})

_UNTIL = "2.35"
CREATE = Object(
    Key(
        "network",
        Object(
            Key("label", LABEL, required=True),
            Key("cidr", CIDR),
            Key("cidr_v6", CIDR),
            Key("ipam", BOOL),
            Key("vlan_start", POSITIVE),
            Key("network_size", POSITIVE),
            Key("num_networks", POSITIVE),
        ),
        required=True,
    )
)
# The range is the text None where there is none.
SHOWN = View(
    Network,
    "network",
    Field("id", "uuid"),
    Field("label"),
    Field("cidr", lambda network, call: str(network.cidr or network.cidr_v6), type=STRING),
)


@tenant_networks.route(
    "GET /os-tenant-networks", policy="list", until=_UNTIL, answer=items("networks", SHOWN)
)
def index(call: Call) -> dict[str, object]:
    """List the networks that the project may use."""
    found = call.conductor.networks.list_networks(call.context, call.scope.project_id)
    return {"networks": SHOWN.items(found, call)}


@tenant_networks.route(
    "GET /os-tenant-networks/{id}", policy="show", until=_UNTIL, answer=named("network", SHOWN)
)
def show(call: Call) -> dict[str, object]:
    """Show one of them."""
    network = call.conductor.networks.get(call.context, call.args["id"], call.scope.project_id)
    return SHOWN.render(network, call)


@tenant_networks.route(
    "POST /os-tenant-networks",
    policy="",
    until=_UNTIL,
    body=CREATE,
    errors=(409, 503),
    answer=named("network", SHOWN),
)
def create(call: Call) -> dict[str, object]:
    """Create networks of the caller's project; the first one is shown."""
    wanted = call.body["network"]
    check_ranges(wanted)
    new = NewNetwork(
        label=wanted["label"],
        cidr=wanted.get("cidr"),
        cidr_v6=wanted.get("cidr_v6"),
        vlan_start=_number(wanted, "vlan_start"),
        network_size=_number(wanted, "network_size"),
        num_networks=_number(wanted, "num_networks") or 1,
        multi_host=call.settings.multi_host,
        share_address=call.settings.share_dhcp_address,
    )
    created = call.conductor.networks.create_for_project(call.context, _own(call), new)
    return SHOWN.render(created[0], call)


@tenant_networks.route(
    "DELETE /os-tenant-networks/{id}", policy="", ok=202, until=_UNTIL, errors=409
)
def delete(call: Call) -> None:
    """Delete a network of the caller's project."""
    delete_network(call)


def _number(wanted: Any, name: str) -> int | None:
    """Return a whole number, which JSON may write as 1, 1.0 and "1"."""
    return int(wanted[name]) if name in wanted else None


def _own(call: Call) -> str:
    if not call.context.project_id:
        raise InvalidInput(reason="The token has no project.")
    return call.context.project_id
