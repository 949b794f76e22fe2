"""Documents of images, as clients knew them before they asked the image service itself."""

import datetime
from typing import Literal, TypedDict

from nova.api.openstack.call import Call
from nova.api.openstack.links import Link
from nova.api.openstack.schema_types import INTEGER, STRING, STRING_OR_NULL
from nova.api.openstack.values import boolean
from nova.api.openstack.views import ABSENT, Absent, Field, View
from nova.exception import InvalidInput
from nova.objects.image import Image

IMAGE_TYPE = "application/vnd.openstack.image"
OTHER_STATUS = "UNKNOWN"

# Statuses of the image service by those that are shown.
STATUSES: dict[str, tuple[str, ...]] = {
    "ACTIVE": ("active",),
    "SAVING": ("queued", "saving"),
    "DELETED": ("deleted", "pending_delete"),
    "ERROR": ("killed",),
}
_SHOWN = {name: shown for shown, names in STATUSES.items() for name in names}
_PROGRESS = {"queued": 25, "saving": 50, "active": 100}


class ServerOfImage(TypedDict):
    """The server that an image is a snapshot of."""

    id: str
    links: list[Link]


def _links(image: Image, call: Call) -> list[Link]:
    alternate: Link = {
        "rel": "alternate",
        "type": IMAGE_TYPE,
        "href": call.services.images.url_of(image.id),
    }
    return [*call.links.both("images", image.id), alternate]


def _server(image: Image, call: Call) -> ServerOfImage | Absent:
    """Return the server that an image is a snapshot of."""
    uuid = image.properties.get("instance_uuid")
    return {"id": uuid, "links": call.links.both("servers", uuid)} if uuid else ABSENT


def _disk_config(image: Image, call: Call) -> Literal["AUTO", "MANUAL"] | Absent:
    text = image.properties.get("auto_disk_config")
    if text is None:
        return ABSENT
    try:
        return "AUTO" if boolean("auto_disk_config", text) else "MANUAL"
    except InvalidInput:
        return "MANUAL"


def _moment(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


LISTED = View(Image, "image", Field("id"), Field("name"), Field("links", _links))
SHOWN = LISTED.extended(
    Field("created", lambda image, call: _moment(image.created_at), type=STRING_OR_NULL),
    Field("updated", lambda image, call: _moment(image.updated_at), type=STRING_OR_NULL),
    Field("status", lambda image, call: _SHOWN.get(image.status, OTHER_STATUS), type=STRING),
    Field("progress", lambda image, call: _PROGRESS.get(image.status, 0), type=INTEGER),
    Field("minDisk", "min_disk_gb"),
    Field("minRam", "min_ram_mb"),
    Field("metadata", "properties"),
    Field("server", _server),
    Field("OS-DCF:diskConfig", _disk_config),
    Field("OS-EXT-IMG-SIZE:size", lambda image, call: image.size_bytes or 0, type=INTEGER),
)
