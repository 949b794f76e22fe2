"""os-aggregates: sets of compute hosts with metadata.

Source: compute-api-routes (Aggregates and availability zones).
"""

from nova.api.openstack.answers import items, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf, Json, Key, ListOf, Object
from nova.api.openstack.schema_types import (
    FQDN,
    METADATA,
    NAME,
    NULL,
    TEXT255_OR_NULL,
    TRUE_OR_FALSE,
    UUID,
    ZONE,
)
from nova.api.openstack.views import Field, View
from nova.exception import AggregateNotFound, ImageNotFound, InvalidInput
from nova.objects.aggregate import Aggregate, AggregateChange
from nova.objects.unset import UNSET
from nova.policy import ADMIN

_IMAGES = "compute:aggregates:images"
_MAX_ID = 2**31 - 1
_MAX_IMAGES = 100

aggregates = Resource(
    "os-aggregates",
    rules={
        "index": ADMIN,
        "create": ADMIN,
        "show": ADMIN,
        "update": ADMIN,
        "delete": ADMIN,
        "add_host": ADMIN,
        "remove_host": ADMIN,
        "set_metadata": ADMIN,
        _IMAGES: ADMIN,
    },
)

_ZONE = AnyOf(ZONE, NULL)
_SPACED_NAME: Json = {**NAME, "format": "printable", "pattern": r"\S"}
_METADATA_KEY = next(iter(METADATA["patternProperties"]))  # type: ignore[call-overload]
_METADATA_OR_NULL: Json = {**METADATA, "patternProperties": {_METADATA_KEY: TEXT255_OR_NULL}}

CREATE = Object(
    Key(
        "aggregate",
        Object(Key("name", NAME, required=True), Key("availability_zone", _ZONE)),
        required=True,
    )
)
UPDATE = Object(
    Key(
        "aggregate",
        Object(Key("name", _SPACED_NAME), Key("availability_zone", _ZONE)),
        required=True,
    )
)
ADD_HOST = Object(Key("add_host", Object(Key("host", FQDN, required=True)), required=True))
REMOVE_HOST = Object(Key("remove_host", Object(Key("host", FQDN, required=True)), required=True))
SET_METADATA = Object(
    Key(
        "set_metadata",
        Object(Key("metadata", _METADATA_OR_NULL, required=True)),
        required=True,
    )
)
CACHE = Object(
    Key(
        "cache",
        ListOf(Object(Key("id", UUID, required=True)), minimum=1, maximum=_MAX_IMAGES, unique=True),
        required=True,
    )
)

CREATED = View(
    Aggregate,
    "aggregate",
    Field("id"),
    Field("uuid", since="2.41"),
    Field("name"),
    Field("availability_zone"),
    Field("created_at"),
    Field("updated_at"),
    Field("deleted", lambda aggregate, call: False, type=TRUE_OR_FALSE),
    Field("deleted_at", lambda aggregate, call: None, type=NULL),
)
SHOWN = CREATED.extended(Field("hosts"), Field("metadata"))


def _id_of(call: Call) -> int:
    """Return the id in the path; clients try a name there first, and want 404 for it.

    Raises: AggregateNotFound.
    """
    text = call.args["id"]
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_ID))
    if not is_number or int(text) > _MAX_ID:
        raise AggregateNotFound(aggregate_id=text[:64])
    return int(text)


@aggregates.route("GET /os-aggregates", policy="index", answer=items("aggregates", SHOWN))
def index(call: Call) -> dict[str, object]:
    """List all aggregates."""
    found = call.conductor.aggregates.list_all(call.context)
    return {"aggregates": SHOWN.items(found, call)}


@aggregates.route(
    "POST /os-aggregates", policy="create", body=CREATE, errors=409, answer=one(CREATED)
)
def create(call: Call) -> dict[str, object]:
    """Make an aggregate without hosts."""
    wanted = call.body["aggregate"]
    created = call.conductor.aggregates.create(
        call.context, wanted["name"], wanted.get("availability_zone")
    )
    return CREATED.render(created, call)


@aggregates.route("GET /os-aggregates/{id}", policy="show", answer=one(SHOWN))
def show(call: Call) -> dict[str, object]:
    """Show an aggregate."""
    return SHOWN.render(call.conductor.aggregates.get(call.context, _id_of(call)), call)


@aggregates.route(
    "PUT /os-aggregates/{id}", policy="update", body=UPDATE, errors=409, answer=one(SHOWN)
)
def update(call: Call) -> dict[str, object]:
    """Rename an aggregate, or give it another zone."""
    wanted = call.body["aggregate"]
    if not wanted:
        raise InvalidInput(reason="give name or availability_zone.")
    change = AggregateChange(
        name=wanted["name"].strip() if "name" in wanted else UNSET,
        availability_zone=wanted.get("availability_zone", UNSET),
    )
    return SHOWN.render(call.conductor.aggregates.update(call.context, _id_of(call), change), call)


@aggregates.route("DELETE /os-aggregates/{id}", policy="delete")
def delete(call: Call) -> None:
    """Delete an aggregate without hosts."""
    call.conductor.aggregates.delete(call.context, _id_of(call))


@aggregates.route(
    "POST /os-aggregates/{id}/action add_host",
    policy="add_host",
    body=ADD_HOST,
    errors=409,
    answer=one(SHOWN),
)
def add_host(call: Call) -> dict[str, object]:
    """Put a host into an aggregate."""
    host = call.body["add_host"]["host"]
    return SHOWN.render(call.conductor.aggregates.add_host(call.context, _id_of(call), host), call)


@aggregates.route(
    "POST /os-aggregates/{id}/action remove_host",
    policy="remove_host",
    body=REMOVE_HOST,
    errors=409,
    answer=one(SHOWN),
)
def remove_host(call: Call) -> dict[str, object]:
    """Take a host out of an aggregate."""
    host = call.body["remove_host"]["host"]
    changed = call.conductor.aggregates.remove_host(call.context, _id_of(call), host)
    return SHOWN.render(changed, call)


@aggregates.route(
    "POST /os-aggregates/{id}/action set_metadata",
    policy="set_metadata",
    body=SET_METADATA,
    answer=one(SHOWN),
)
def set_metadata(call: Call) -> dict[str, object]:
    """Add or overwrite metadata; null removes an item."""
    items = call.body["set_metadata"]["metadata"]
    changed = call.conductor.aggregates.set_metadata(call.context, _id_of(call), items)
    return SHOWN.render(changed, call)


@aggregates.route(
    "POST /os-aggregates/{id}/images", policy=_IMAGES, ok=202, since="2.81", body=CACHE
)
def cache_images(call: Call) -> None:
    """Ask the hosts of an aggregate to fetch images ahead of the servers made from them."""
    aggregate_id = _id_of(call)
    image_ids = tuple(entry["id"].lower() for entry in call.body["cache"])
    if len(set(image_ids)) < len(image_ids):
        raise InvalidInput(reason="an image is named twice.")
    for image_id in image_ids:
        try:
            call.services.images.get(call.token, image_id)
        except ImageNotFound as error:
            raise InvalidInput(reason=str(error)) from error
    call.conductor.aggregates.cache_images(call.context, aggregate_id, image_ids)
