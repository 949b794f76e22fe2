"""images: what the image service has, for clients that do not ask it themselves.

Everything is asked for with the caller's token: the image service decides who sees what.
Source: compute-api-routes (Image, volume and bare metal proxies).
"""

from nova import clock
from nova.api.openstack.answers import items, one
from nova.api.openstack.call import Call
from nova.api.openstack.image_views import LISTED, SHOWN, STATUSES
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Param, Query
from nova.api.openstack.schema_types import POSITIVE
from nova.api.openstack.values import integer
from nova.api.openstack.views import View
from nova.exception import InvalidInput
from nova.objects.image import Image, ImageQuery, is_free_property

images = Resource("images")

_UNTIL = "2.35"
_PROPERTY = "property-"
LIST = Query(
    *(
        Param(name, repeat=True)
        for name in ("name", "status", "changes-since", "server", "type", "minRam", "minDisk")
    ),
    Param("limit", POSITIVE, repeat=True),
    Param("page_size", POSITIVE, repeat=True),
    Param("marker", repeat=True),
    Param("offset", POSITIVE, repeat=True),
)


@images.route(
    "GET /images",
    policy=None,
    query=LIST,
    until=_UNTIL,
    answer=items("images", LISTED, "images_links"),
)
def index(call: Call) -> dict[str, object]:
    """List images by name."""
    return _page(call, LISTED)


@images.route(
    "GET /images/detail",
    policy=None,
    query=LIST,
    until=_UNTIL,
    answer=items("images", SHOWN, "images_links"),
)
def detail(call: Call) -> dict[str, object]:
    """List images with all their fields."""
    return _page(call, SHOWN)


@images.route("GET /images/{id}", policy=None, until=_UNTIL, answer=one(SHOWN))
def show(call: Call) -> dict[str, object]:
    """Show an image."""
    return SHOWN.render(call.services.images.get(call.token, call.args["id"]), call)


@images.route("DELETE /images/{id}", policy=None, ok=204, until=_UNTIL, errors=403)
def delete(call: Call) -> None:
    """Delete an image."""
    call.services.images.delete(call.token, call.args["id"])


def _page(call: Call, view: View[Image]) -> dict[str, object]:
    query = _query(call)
    found = () if query is None else call.services.images.page(call.token, query)
    body: dict[str, object] = {"images": view.items(found, call)}
    more = call.next_link(len(found), found[-1].id if found else None)
    if more:
        body["images_links"] = more
    return body


def _query(call: Call) -> ImageQuery | None:
    """Return what is asked for, None for a status that no image has.  Raises: InvalidInput."""
    query = call.query
    statuses: tuple[str, ...] = ()
    status = query.get("status")
    if status is not None:
        statuses = STATUSES.get(status.upper(), ())
        if not statuses:
            return None
    since = query.get("changes-since")
    try:
        changes_since = None if since is None else clock.parse(since)
    except ValueError as error:
        raise InvalidInput(reason="changes-since must be a time.") from error
    return ImageQuery(
        name=query.get("name"),
        statuses=statuses,
        min_disk_gb=integer("minDisk", query.get("minDisk")),
        min_ram_mb=integer("minRam", query.get("minRam")),
        changes_since=changes_since,
        properties=_properties(call),
        limit=call.page_limit(),
        marker=query.get("marker"),
    )


def _properties(call: Call) -> dict[str, str]:
    """Return the properties that images must have; a server may be named by its address."""
    wanted = {
        name.removeprefix(_PROPERTY): value
        for name, value in call.links.query
        if name.startswith(_PROPERTY) and is_free_property(name.removeprefix(_PROPERTY))
    }
    server, kind = call.query.get("server"), call.query.get("type")
    if server is not None:
        wanted["instance_uuid"] = server.rstrip("/").rpartition("/")[2]
    if kind is not None:
        wanted["image_type"] = kind
    return wanted
