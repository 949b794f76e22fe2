"""os-assisted-volume-snapshots: for a volume service, of whose volumes no server has one.

Source: compute-api-routes (Migrations, events, usage, console tokens).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object, Param, Query
from nova.api.openstack.validation import one_of, parse_json
from nova.exception import InvalidInput, MalformedRequestBody, NotFound
from nova.policy import SERVICE

assisted_volume_snapshots = Resource(
    "os-assisted-volume-snapshots", rules={"create": SERVICE, "delete": SERVICE}
)

_TEXT: Json = {"type": "string", "minLength": 1}
_INFO = Object(
    Key("snapshot_id", _TEXT, required=True),
    Key("type", {"enum": ["qcow2"]}, required=True),
    Key("new_file", _TEXT, required=True),
    Key("id", _TEXT),
)
CREATE = Object(
    Key(
        "snapshot",
        Object(Key("volume_id", _TEXT, required=True), Key("create_info", _INFO, required=True)),
        required=True,
    )
)
DELETE = Query(Param("delete_info", repeat=True), strict_since="2.75")
_DELETE_INFO: Json = {
    "type": "object",
    "properties": {"volume_id": _TEXT},
    "required": ["volume_id"],
}


@assisted_volume_snapshots.route("POST /os-assisted-volume-snapshots", policy="create", body=CREATE)
def create(call: Call) -> None:
    """Make a snapshot of a volume that a server uses."""
    volume_id = call.body["snapshot"]["volume_id"]
    raise InvalidInput(reason=f"No server uses the volume {volume_id[:80]}.")


@assisted_volume_snapshots.route(
    "DELETE /os-assisted-volume-snapshots/{id}", policy="delete", ok=204, query=DELETE
)
def delete(call: Call) -> None:
    """Merge a snapshot into its volume again."""
    text = call.query.get("delete_info") or ""
    try:
        info = parse_json(text.encode())
    except MalformedRequestBody as error:
        raise InvalidInput(reason="delete_info is not valid JSON.") from error
    if not one_of(_DELETE_INFO, info):
        raise InvalidInput(reason="delete_info must be an object with a volume_id.")
    raise NotFound(reason=f"Snapshot {call.args['id'][:80]} could not be found.")
