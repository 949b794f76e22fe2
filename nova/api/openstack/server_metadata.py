"""servers/{server_id}/metadata: keys and values that users attach to servers."""

from nova import exception
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import METADATA, ONE_METADATA, STRING_VALUES
from nova.api.openstack.server_ids import server_uuid
from nova.policy import MEMBER, READER

server_metadata = Resource(
    "server-metadata",
    rules={
        "index": READER,
        "show": READER,
        "create": MEMBER,
        "update": MEMBER,
        "update_all": MEMBER,
        "delete": MEMBER,
    },
)

ALL = Object(Key("metadata", METADATA, required=True))
ONE = Object(Key("meta", ONE_METADATA, required=True))
SHOWN = named("metadata", STRING_VALUES)
ONE_SHOWN = named("meta", STRING_VALUES)


def _metadata(call: Call) -> dict[str, str]:
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call))
    return server.metadata


def _set(call: Call, metadata: dict[str, str], replace: bool = False) -> dict[str, str]:
    return call.conductor.instances.set_metadata(
        call.context, call.scope, server_uuid(call), metadata, replace=replace
    )


@server_metadata.route("GET /servers/{server_id}/metadata", policy="index", answer=SHOWN)
def index(call: Call) -> dict[str, object]:
    """Show all metadata."""
    return {"metadata": _metadata(call)}


@server_metadata.route(
    "POST /servers/{server_id}/metadata", policy="create", body=ALL, errors=409, answer=SHOWN
)
def create(call: Call) -> dict[str, object]:
    """Add metadata to what is there."""
    return {"metadata": _set(call, call.body["metadata"])}


@server_metadata.route(
    "PUT /servers/{server_id}/metadata", policy="update_all", body=ALL, errors=409, answer=SHOWN
)
def update_all(call: Call) -> dict[str, object]:
    """Replace all metadata."""
    return {"metadata": _set(call, call.body["metadata"], replace=True)}


@server_metadata.route("GET /servers/{server_id}/metadata/{id}", policy="show", answer=ONE_SHOWN)
def show(call: Call) -> dict[str, object]:
    """Show one item."""
    key = call.args["id"]
    metadata = _metadata(call)
    if key not in metadata:
        raise exception.InstanceMetadataNotFound(key=key)
    return {"meta": {key: metadata[key]}}


@server_metadata.route(
    "PUT /servers/{server_id}/metadata/{id}",
    policy="update",
    body=ONE,
    errors=409,
    answer=ONE_SHOWN,
)
def update(call: Call) -> dict[str, object]:
    """Set one item."""
    meta = call.body["meta"]
    if call.args["id"] not in meta:
        raise exception.InvalidInput(reason="The key in the path and the key in meta must agree.")
    _set(call, meta)
    return {"meta": meta}


@server_metadata.route(
    "DELETE /servers/{server_id}/metadata/{id}", policy="delete", ok=204, errors=409
)
def delete(call: Call) -> None:
    """Remove one item."""
    call.conductor.instances.delete_metadata(
        call.context, call.scope, server_uuid(call), call.args["id"]
    )
