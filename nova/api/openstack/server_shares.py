"""servers/{server_id}/shares: no server has a shared file system, as none are served here.

Source: compute-api-routes (Server sub-resources).
"""

from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import NO_ITEMS, PROJECT_ID, UUID
from nova.api.openstack.server_ids import server_uuid
from nova.exception import NotFound, NotSupported
from nova.policy import MEMBER, READER

server_shares = Resource(
    "os-server-shares",
    rules={"index": READER, "show": READER, "create": MEMBER, "delete": MEMBER},
)

_ALL = "/servers/{server_id}/shares"
_ONE = f"{_ALL}/{{id}}"
CREATE = Object(
    Key(
        "share", Object(Key("share_id", UUID, required=True), Key("tag", PROJECT_ID)), required=True
    )
)


def _require_server(call: Call) -> None:
    """Refuse a server that is not there.  Raises: InstanceNotFound."""
    call.conductor.instances.get(call.context, call.scope, server_uuid(call))


def _not_attached(call: Call) -> NotFound:
    return NotFound(reason=f"Share {call.args['id'][:80]} is not attached to this server.")


@server_shares.route(f"GET {_ALL}", policy="index", since="2.97", answer=named("shares", NO_ITEMS))
def index(call: Call) -> dict[str, object]:
    """List a server's shares."""
    _require_server(call)
    return {"shares": []}


@server_shares.route(
    f"POST {_ALL}", policy="create", ok=201, since="2.97", body=CREATE, errors=(409, 501)
)
def create(call: Call) -> None:
    """Attach a share."""
    _require_server(call)
    raise NotSupported(reason="No service of shared file systems is available.")


@server_shares.route(f"GET {_ONE}", policy="show", since="2.97")
def show(call: Call) -> None:
    """Show a share of a server."""
    _require_server(call)
    raise _not_attached(call)


@server_shares.route(f"DELETE {_ONE}", policy="delete", since="2.97", errors=409)
def delete(call: Call) -> None:
    """Detach a share."""
    _require_server(call)
    raise _not_attached(call)
