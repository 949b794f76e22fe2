"""servers/{server_id}/ips: a server's addresses by network label."""

from nova import exception
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.server_views import ADDRESSES, Addresses, addresses_of
from nova.policy import READER

server_ips = Resource("ips", rules={"index": READER, "show": READER})


def _addresses(call: Call) -> Addresses:
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call))
    return addresses_of(server, full=False)


@server_ips.route(
    "GET /servers/{server_id}/ips", policy="index", answer=named("addresses", ADDRESSES)
)
def index(call: Call) -> dict[str, object]:
    """Show all addresses."""
    return {"addresses": _addresses(call)}


@server_ips.route("GET /servers/{server_id}/ips/{id}", policy="show", answer=ADDRESSES)
def show(call: Call) -> dict[str, object]:
    """Show the addresses in one network."""
    label = call.args["id"]
    addresses = _addresses(call)
    if label not in addresses:
        raise exception.NetworkNotFound(network_id=label)
    return {label: addresses[label]}
