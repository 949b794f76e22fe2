"""images/{image_id}/metadata: the properties of images.

Source: compute-api-routes (Image, volume and bare metal proxies).
"""

from nova import exception
from nova.api.openstack.call import Call
from nova.api.openstack.create_image import check_quota
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import METADATA, ONE_METADATA
from nova.api.openstack.server_metadata import ONE_SHOWN, SHOWN
from nova.objects.image import ImageChange, is_free_property

image_metadata = Resource("image-metadata")

_UNTIL = "2.38"
_ALL = "/images/{image_id}/metadata"
_ONE = "/images/{image_id}/metadata/{id}"

ALL = Object(Key("metadata", METADATA, required=True))
ONE = Object(Key("meta", ONE_METADATA, required=True))


def _properties(call: Call) -> dict[str, str]:
    return call.services.images.get(call.token, call.args["image_id"]).properties


def _change(call: Call, change: ImageChange) -> dict[str, str]:
    changed = call.services.images.update(call.token, call.args["image_id"], change)
    return changed.properties


def _found(call: Call) -> tuple[str, str]:
    """Return the item that the path names.  Raises: ImageNotFound, ImageMetadataNotFound."""
    key, properties = call.args["id"], _properties(call)
    if key not in properties:
        raise exception.ImageMetadataNotFound(key=key)
    return key, properties[key]


@image_metadata.route(f"GET {_ALL}", policy=None, until=_UNTIL, errors=403, answer=SHOWN)
def index(call: Call) -> dict[str, object]:
    """Show all metadata."""
    return {"metadata": _properties(call)}


@image_metadata.route(f"POST {_ALL}", policy=None, body=ALL, until=_UNTIL, errors=403, answer=SHOWN)
def create(call: Call) -> dict[str, object]:
    """Add metadata to what is there."""
    wanted, present = call.body["metadata"], _properties(call)
    check_quota(call, len(present | wanted))
    return {"metadata": _change(call, ImageChange(set_properties=wanted))}


@image_metadata.route(f"PUT {_ALL}", policy=None, body=ALL, until=_UNTIL, errors=403, answer=SHOWN)
def update_all(call: Call) -> dict[str, object]:
    """Replace all metadata."""
    wanted, present = call.body["metadata"], _properties(call)
    check_quota(call, len(wanted))
    gone = tuple(name for name in present if name not in wanted and is_free_property(name))
    change = ImageChange(set_properties=wanted, remove_properties=gone)
    return {"metadata": _change(call, change)}


@image_metadata.route(f"GET {_ONE}", policy=None, until=_UNTIL, errors=403, answer=ONE_SHOWN)
def show(call: Call) -> dict[str, object]:
    """Show one item."""
    key, value = _found(call)
    return {"meta": {key: value}}


@image_metadata.route(
    f"PUT {_ONE}", policy=None, body=ONE, until=_UNTIL, errors=403, answer=ONE_SHOWN
)
def update(call: Call) -> dict[str, object]:
    """Set one item."""
    meta, present = call.body["meta"], _properties(call)
    if call.args["id"] not in meta:
        raise exception.InvalidInput(reason="The key in the path and the key in meta must agree.")
    check_quota(call, len(present | meta))
    _change(call, ImageChange(set_properties=meta))
    return {"meta": meta}


@image_metadata.route(f"DELETE {_ONE}", policy=None, ok=204, until=_UNTIL, errors=403)
def delete(call: Call) -> None:
    """Remove one item."""
    key, _value = _found(call)
    _change(call, ImageChange(remove_properties=(key,)))
