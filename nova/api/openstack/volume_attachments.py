"""servers/{server_id}/os-volume_attachments: no server has a volume, as none are served here.

Source: compute-api-routes (Server sub-resources).
"""

from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.refusals import no_volumes
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import BOOL, NO_ITEMS, NONNEGATIVE, TAG, UUID
from nova.api.openstack.server_ids import server_uuid
from nova.exception import NotFound
from nova.policy import MEMBER, READER, SERVICE

volume_attachments = Resource(
    "os-volumes-attachments",
    rules={
        "index": READER,
        "show": READER,
        "create": MEMBER,
        "update": MEMBER,
        "swap": SERVICE,
        "delete": MEMBER,
    },
)

_UPDATE = f"{volume_attachments.policy}:update"
_SWAP = f"{volume_attachments.policy}:swap"
_ALL = "/servers/{server_id}/os-volume_attachments"
_ONE = f"{_ALL}/{{id}}"
_DEVICE: Json = {
    "type": ["string", "null"],
    "pattern": r"(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*\Z",
    "maxLength": 255,
}
CREATE = Object(
    Key(
        "volumeAttachment",
        Object(
            Key("volumeId", UUID, required=True),
            Key("device", _DEVICE),
            Key("tag", TAG, since="2.49"),
            Key("delete_on_termination", BOOL, since="2.79"),
        ),
        required=True,
    )
)
UPDATE = Object(
    Key(
        "volumeAttachment",
        Object(
            Key("volumeId", UUID, required=True),
            Key("device", _DEVICE, since="2.85"),
            Key("tag", TAG, since="2.85"),
            Key("delete_on_termination", BOOL, since="2.85"),
            Key("serverId", UUID, since="2.85"),
            Key("id", UUID, since="2.85"),
        ),
        required=True,
    )
)
LIST = Query(
    Param("limit", NONNEGATIVE, repeat=True),
    Param("offset", NONNEGATIVE, repeat=True),
    strict_since="2.75",
)


def _require_server(call: Call) -> None:
    """Refuse a server that is not there.  Raises: InstanceNotFound."""
    call.conductor.instances.get(call.context, call.scope, server_uuid(call))


def _not_attached(call: Call) -> NotFound:
    return NotFound(reason=f"Volume {call.args['id'][:80]} is not attached to this server.")


@volume_attachments.route(
    f"GET {_ALL}", policy="index", query=LIST, answer=named("volumeAttachments", NO_ITEMS)
)
def index(call: Call) -> dict[str, object]:
    """List a server's volumes."""
    _require_server(call)
    return {"volumeAttachments": []}


@volume_attachments.route(
    f"POST {_ALL}", policy="create", until="2.100", body=CREATE, errors=(409, 501)
)
@volume_attachments.route(
    f"POST {_ALL}", policy="create", ok=202, since="2.101", body=CREATE, errors=(409, 501)
)
def create(call: Call) -> None:
    """Attach a volume."""
    _require_server(call)
    raise no_volumes()


@volume_attachments.route(f"GET {_ONE}", policy="show")
def show(call: Call) -> None:
    """Show a volume of a server."""
    _require_server(call)
    raise _not_attached(call)


@volume_attachments.route(f"PUT {_ONE}", policy=None, ok=202, body=UPDATE, errors=(403, 409))
def update(call: Call) -> None:
    """Put another volume in the place of one, or change how it is attached.

    Another volume is for the volume service to ask for.
    """
    scope = call.scope_of(_UPDATE)
    call.conductor.instances.get(call.context, scope, server_uuid(call))
    same = call.body["volumeAttachment"]["volumeId"].lower() == call.args["id"].lower()
    call.authorize(_UPDATE if same and call.version >= (2, 85) else _SWAP)
    raise _not_attached(call)


@volume_attachments.route(f"DELETE {_ONE}", policy="delete", ok=202, errors=409)
def delete(call: Call) -> None:
    """Detach a volume."""
    _require_server(call)
    raise _not_attached(call)
