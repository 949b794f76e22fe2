"""servers/{server_id}/consoles: consoles of pools on XenServer hosts, of which there are none.

A list of none is right; whoever asks for one, or for one to be made, is told that there is no
pool.  Source: compute-api-routes (Server sub-resources), consoles section 7.
"""

from typing import NoReturn

from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import ANYTHING
from nova.api.openstack.server_ids import server_uuid
from nova.exception import ConsoleNotFound, ConsolePoolNotFound
from nova.policy import MEMBER, READER

consoles = Resource(
    "os-consoles", rules={"index": READER, "create": MEMBER, "show": READER, "delete": MEMBER}
)

CREATE = Object(Key("console", ANYTHING), optional=True)


def _require_server(call: Call) -> str:
    """Return the id of a server that the caller may see.  Raises: InstanceNotFound."""
    return call.conductor.instances.get(call.context, call.scope, server_uuid(call)).uuid


def _no_console(call: Call) -> NoReturn:
    _require_server(call)
    raise ConsoleNotFound(console_id=call.args["id"])


@consoles.route(
    "GET /servers/{server_id}/consoles", policy="index", answer=items("consoles", Object())
)
def index(call: Call) -> dict[str, object]:
    """List a server's pooled consoles."""
    _require_server(call)
    return {"consoles": []}


@consoles.route("POST /servers/{server_id}/consoles", policy="create", body=CREATE, errors=404)
def create(call: Call) -> None:
    """Refuse to make a console of a pool.  Raises: ConsolePoolNotFound."""
    raise ConsolePoolNotFound(instance_uuid=_require_server(call))


@consoles.route(
    "GET /servers/{server_id}/consoles/{id}",
    policy="show",
    errors=404,
    answer=named("console", Object()),
)
def show(call: Call) -> None:
    """Find no console.  Raises: ConsoleNotFound."""
    _no_console(call)


@consoles.route("DELETE /servers/{server_id}/consoles/{id}", policy="delete", ok=202, errors=404)
def delete(call: Call) -> None:
    """Find no console to delete.  Raises: ConsoleNotFound."""
    _no_console(call)
