"""servers/{server_id}/tags: words by which users group servers."""

from nova import exception
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Reply, Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import STRINGS, TAG, array_of
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.validation import one_of
from nova.policy import MEMBER, READER

MAX_TAGS = 50

server_tags = Resource(
    "os-server-tags",
    rules={
        "index": READER,
        "show": READER,
        "update": MEMBER,
        "update_all": MEMBER,
        "delete": MEMBER,
        "delete_all": MEMBER,
    },
)

SHOWN = named("tags", STRINGS)
ALL = Object(Key("tags", array_of(TAG, maximum=MAX_TAGS), required=True))


def _tags(call: Call) -> tuple[str, ...]:
    return call.conductor.instances.get(call.context, call.scope, server_uuid(call)).tags


@server_tags.route("GET /servers/{server_id}/tags", policy="index", since="2.26", answer=SHOWN)
def index(call: Call) -> dict[str, object]:
    """List a server's tags."""
    return {"tags": list(_tags(call))}


@server_tags.route(
    "PUT /servers/{server_id}/tags",
    policy="update_all",
    since="2.26",
    body=ALL,
    errors=409,
    answer=SHOWN,
)
def update_all(call: Call) -> dict[str, object]:
    """Replace all tags."""
    wanted = tuple(dict.fromkeys(call.body["tags"]))
    tags = call.conductor.instances.set_tags(call.context, call.scope, server_uuid(call), wanted)
    return {"tags": list(tags)}


@server_tags.route(
    "DELETE /servers/{server_id}/tags", policy="delete_all", since="2.26", ok=204, errors=409
)
def delete_all(call: Call) -> None:
    """Remove all tags."""
    call.conductor.instances.set_tags(call.context, call.scope, server_uuid(call), ())


@server_tags.route("GET /servers/{server_id}/tags/{id}", policy="show", since="2.26", ok=204)
def show(call: Call) -> None:
    """Tell whether a server has a tag."""
    uuid, tag = server_uuid(call), call.args["id"]
    if tag not in _tags(call):
        raise exception.InstanceTagNotFound(instance_uuid=uuid, tag=tag)


@server_tags.route(
    "PUT /servers/{server_id}/tags/{id}", policy="update", since="2.26", ok=(201, 204), errors=409
)
def update(call: Call) -> Reply:
    """Add a tag."""
    uuid, tag = server_uuid(call), call.args["id"]
    if not one_of(TAG, tag):
        raise exception.InvalidInput(
            reason="A tag has 1 to 60 characters, among them no slash and no comma."
        )
    if not call.conductor.instances.add_tag(call.context, call.scope, uuid, tag):
        return Reply(status=204)
    return Reply(status=201, location=call.links.child_link("servers", uuid, "tags", tag))


@server_tags.route(
    "DELETE /servers/{server_id}/tags/{id}", policy="delete", since="2.26", ok=204, errors=409
)
def delete(call: Call) -> None:
    """Remove a tag."""
    call.conductor.instances.delete_tag(
        call.context, call.scope, server_uuid(call), call.args["id"]
    )
