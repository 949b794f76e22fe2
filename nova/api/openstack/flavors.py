"""flavors: the sizes in which servers come."""

from nova import exception
from nova.api.openstack.answers import items, one
from nova.api.openstack.call import Call
from nova.api.openstack.links import Link
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import BOOL, NAME, NONNEGATIVE, PATTERN, POSITIVE
from nova.api.openstack.validation import one_of
from nova.api.openstack.values import boolean, integer
from nova.api.openstack.views import Field, View
from nova.objects.flavor import Flavor, FlavorChange, FlavorQuery, NewFlavor
from nova.policy import ADMIN, READER

_EXTRA_SPECS_RULE = "os_compute_api:os-flavor-extra-specs:index"

flavors = Resource(
    "os-flavor-manage",
    rules={"create": ADMIN, "update": ADMIN, "delete": ADMIN, _EXTRA_SPECS_RULE: READER},
)

_ID: Json = {
    "type": ["string", "number", "null"],
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^(?! )[a-zA-Z0-9. _-]+(?<! )\Z",
}
_MAX_FACTOR = 3.40282e38
_FACTOR: Json = {
    "type": ["number", "string"],
    "pattern": r"^[0-9]+(\.[0-9]+)?\Z",
    "maxLength": 40,
    "exclusiveMinimum": 0,
    "maximum": _MAX_FACTOR,
}
_DESCRIPTION: Json = {"type": ["string", "null"], "maxLength": 65535, "format": "printable"}

CREATE = Object(
    Key(
        "flavor",
        Object(
            Key("name", NAME, required=True),
            Key("id", _ID),
            Key("ram", POSITIVE, required=True),
            Key("vcpus", POSITIVE, required=True),
            Key("disk", NONNEGATIVE, required=True),
            Key("OS-FLV-EXT-DATA:ephemeral", NONNEGATIVE),
            Key("swap", NONNEGATIVE),
            Key("rxtx_factor", _FACTOR, until="2.101"),
            Key("os-flavor-access:is_public", BOOL),
            Key("description", _DESCRIPTION, since="2.55"),
        ),
        required=True,
    )
)
UPDATE = Object(
    Key("flavor", Object(Key("description", _DESCRIPTION, required=True)), required=True)
)

_SORT_KEYS = (
    "created_at", "description", "disabled", "ephemeral_gb", "flavorid", "id", "is_public",
    "memory_mb", "name", "root_gb", "swap", "updated_at", "vcpu_weight", "vcpus",
)  # fmt: skip
LIST = Query(
    Param("limit", NONNEGATIVE, repeat=True),
    Param("marker", repeat=True),
    Param("is_public", repeat=True),
    Param("minRam", repeat=True),
    Param("minDisk", repeat=True),
    Param("name", PATTERN, repeat=True, since="2.102"),
    Param("sort_key", {"enum": [*_SORT_KEYS, "rxtx_factor"]}, repeat=True, until="2.101"),
    Param("sort_key", {"enum": [*_SORT_KEYS]}, repeat=True, since="2.102"),
    Param("sort_dir", {"type": "string", "enum": ["asc", "desc"]}, repeat=True),
    strict_since="2.75",
)


def _links(flavor: Flavor, call: Call) -> list[Link]:
    return call.links.both("flavors", flavor.flavorid)


def _swap(flavor: Flavor, call: Call) -> int | str:
    return flavor.swap_mb or ""


LISTED = View(
    Flavor,
    "flavor",
    Field("id", "flavorid"),
    Field("name"),
    Field("links", _links),
    Field("description", since="2.55"),
)
SHOWN = View(
    Flavor,
    "flavor",
    Field("id", "flavorid"),
    Field("name"),
    Field("ram", "memory_mb"),
    Field("vcpus"),
    Field("disk", "root_gb"),
    Field("swap", _swap, until="2.74"),
    Field("swap", "swap_mb", since="2.75"),
    Field("OS-FLV-EXT-DATA:ephemeral", "ephemeral_gb"),
    Field("OS-FLV-DISABLED:disabled", "disabled", until="2.101"),
    Field("os-flavor-access:is_public", "is_public"),
    Field("rxtx_factor", until="2.101"),
    Field("links", _links),
    Field("description", since="2.55"),
    Field("extra_specs", since="2.61", policy=_EXTRA_SPECS_RULE),
)


def project_limit(call: Call) -> str | None:
    """Return the project whose access to private flavors counts; None for administrators."""
    return None if call.context.is_admin else call.context.project_id or ""


@flavors.route(
    "GET /flavors", policy=None, query=LIST, answer=items("flavors", LISTED, "flavors_links")
)
def index(call: Call) -> dict[str, object]:
    """List flavors by name."""
    return _page(call, LISTED)


@flavors.route(
    "GET /flavors/detail", policy=None, query=LIST, answer=items("flavors", SHOWN, "flavors_links")
)
def detail(call: Call) -> dict[str, object]:
    """List flavors with all their fields."""
    return _page(call, SHOWN)


def _page(call: Call, view: View[Flavor]) -> dict[str, object]:
    query = call.query
    found = call.conductor.flavors.page(
        call.context,
        FlavorQuery(
            is_public=_is_public(call),
            project_id=project_limit(call),
            min_ram_mb=integer("minRam", query.get("minRam")),
            min_disk_gb=integer("minDisk", query.get("minDisk")),
            name_pattern=query.get("name"),
            sort_key=query.get("sort_key") or "flavorid",
            sort_dir=query.get("sort_dir") or "asc",
            limit=call.page_limit(),
            marker=query.get("marker"),
        ),
    )
    body: dict[str, object] = {"flavors": view.items(found, call)}
    more = call.next_link(len(found), found[-1].flavorid if found else None)
    if more:
        body["flavors_links"] = more
    return body


def _is_public(call: Call) -> bool | None:
    if not call.context.is_admin:
        return None
    given = call.query.get("is_public")
    if given is None:
        return True
    return None if given.lower() == "none" else boolean("is_public", given)


@flavors.route("GET /flavors/{id}", policy=None, answer=one(SHOWN))
def show(call: Call) -> dict[str, object]:
    """Show a flavor."""
    found = call.conductor.flavors.get(call.context, call.args["id"], project_limit(call))
    return SHOWN.render(found, call)


@flavors.route("POST /flavors", policy="create", body=CREATE, errors=409, answer=one(SHOWN))
def create(call: Call) -> dict[str, object]:
    """Create a flavor."""
    wanted = call.body["flavor"]
    new = NewFlavor(
        name=wanted["name"].strip(),
        flavorid=_flavorid(wanted.get("id")),
        memory_mb=int(wanted["ram"]),
        vcpus=int(wanted["vcpus"]),
        root_gb=int(wanted["disk"]),
        ephemeral_gb=int(wanted.get("OS-FLV-EXT-DATA:ephemeral", 0)),
        swap_mb=int(wanted.get("swap", 0)),
        rxtx_factor=_factor(wanted.get("rxtx_factor", 1.0)),
        is_public=boolean("is_public", wanted.get("os-flavor-access:is_public", True)),
        description=wanted.get("description"),
    )
    return SHOWN.render(call.conductor.flavors.create(call.context, new), call)


def _flavorid(given: str | float | None) -> str | None:
    """Return the id wished for, None when one is to be made.

    Raises: InvalidInput.
    """
    if given is None or given == "auto":
        return None
    text = str(given)
    if not one_of({**_ID, "type": "string"}, text):
        raise exception.InvalidInput(reason="id is not usable as the id of a flavor.")
    return text


def _factor(given: str | float) -> float:
    """Return a factor; texts are checked here, numbers by the schema.

    Raises: InvalidInput.
    """
    factor = float(given)
    if not 0 < factor <= _MAX_FACTOR:
        raise exception.InvalidInput(reason="rxtx_factor must be a number above 0.")
    return factor


@flavors.route("PUT /flavors/{id}", policy="update", since="2.55", body=UPDATE, answer=one(SHOWN))
def update(call: Call) -> dict[str, object]:
    """Change a flavor's description."""
    change = FlavorChange(description=call.body["flavor"]["description"])
    return SHOWN.render(call.conductor.flavors.update(call.context, call.args["id"], change), call)


@flavors.route("DELETE /flavors/{id}", policy="delete", ok=202)
def delete(call: Call) -> None:
    """Delete a flavor; servers keep their copy."""
    call.conductor.flavors.delete(call.context, call.args["id"])
