"""servers/{server_id}/os-server-password: what a guest posted to the metadata service.

The guest encrypts it with its owner's public key; nobody here can read it.
Source: compute-api-routes (Server sub-resources).
"""

from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema_types import STRING
from nova.api.openstack.server_ids import server_uuid
from nova.policy import MEMBER, READER

server_password = Resource("os-server-password", rules={"show": READER, "clear": MEMBER})


@server_password.route(
    "GET /servers/{server_id}/os-server-password", policy="show", answer=named("password", STRING)
)
def show(call: Call) -> dict[str, object]:
    """Show the encrypted password, an empty text if there is none."""
    instances = call.conductor.instances
    return {"password": instances.get_password(call.context, call.scope, server_uuid(call))}


@server_password.route("DELETE /servers/{server_id}/os-server-password", policy="clear", ok=204)
def clear(call: Call) -> None:
    """Forget the stored copy; the password inside the guest stays as it is."""
    call.conductor.instances.clear_password(call.context, call.scope, server_uuid(call))
