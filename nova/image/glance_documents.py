"""What is written to Glance and read from it, as its version 2 has it."""

from collections.abc import Iterable, Mapping
from typing import Any

from nova import clock, exception
from nova.objects.image import (
    IMAGE_FIELDS,
    Image,
    ImageChange,
    ImageQuery,
    NewImage,
    is_free_property,
)
from nova.objects.unset import UNSET

PATCH_TYPE = "application/openstack-images-v2.1-json-patch"

# Parameters of a list that stand for something else than a property of that name.
_LIST_PARAMETERS = frozenset(
    {"limit", "marker", "sort", "sort_key", "sort_dir", "tag", "size_min", "size_max"}
)


def image_from_document(document: Mapping[str, Any]) -> Image:
    """Return the image that a document of the v2 API describes.

    Raises: KeyError, ValueError, TypeError.
    """
    return Image(
        id=str(document["id"]),
        name=document.get("name"),
        status=str(document["status"]),
        disk_format=document.get("disk_format"),
        container_format=document.get("container_format"),
        size_bytes=document.get("size"),
        min_disk_gb=int(document.get("min_disk") or 0),
        min_ram_mb=int(document.get("min_ram") or 0),
        os_hash_algo=document.get("os_hash_algo"),
        os_hash_value=document.get("os_hash_value"),
        owner=document.get("owner"),
        visibility=str(document.get("visibility") or "private"),
        created_at=clock.parse(document["created_at"]) if "created_at" in document else None,
        updated_at=clock.parse(document["updated_at"]) if "updated_at" in document else None,
        properties={
            str(key): str(value)
            for key, value in document.items()
            if key not in IMAGE_FIELDS and value is not None
        },
    )


def document_of(new: NewImage, image_id: str) -> dict[str, Any]:
    """Return the body that makes a private image of an id.  Raises: ImagePropertyRefused."""
    _check_names(new.properties)
    return {
        **new.properties,
        "id": image_id,
        "name": new.name,
        "visibility": "private",
        "min_disk": new.min_disk_gb,
        "min_ram": new.min_ram_mb,
    }


def patch_of(change: ImageChange) -> list[dict[str, str]]:
    """Return the steps of a change.  Raises: ImagePropertyRefused."""
    _check_names((*change.set_properties, *change.remove_properties))
    fields = {
        "name": change.name,
        "disk_format": change.disk_format,
        "container_format": change.container_format,
        "visibility": change.visibility,
    }
    return [
        *(
            {"op": "replace", "path": f"/{name}", "value": value}
            for name, value in fields.items()
            if value is not UNSET
        ),
        *(
            {"op": "add", "path": _pointer(name), "value": value}
            for name, value in change.set_properties.items()
        ),
        *({"op": "remove", "path": _pointer(name)} for name in change.remove_properties),
    ]


def parameters_of(query: ImageQuery) -> dict[str, str]:
    """Return the parameters of a list, without those of paging."""
    wanted: dict[str, str | None] = {
        name: value
        for name, value in query.properties.items()
        if is_free_property(name) and name not in _LIST_PARAMETERS
    }
    since = query.changes_since
    wanted |= {
        "name": query.name,
        "owner": query.owner,
        "status": _any_of(query.statuses),
        "min_disk": None if query.min_disk_gb is None else str(query.min_disk_gb),
        "min_ram": None if query.min_ram_mb is None else str(query.min_ram_mb),
        "updated_at": None if since is None else f"gte:{clock.isoformat(since)}",
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _any_of(values: tuple[str, ...]) -> str | None:
    if not values:
        return None
    return values[0] if len(values) == 1 else f"in:{','.join(values)}"


def _pointer(name: str) -> str:
    """Return the JSON pointer to a property."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not is_free_property(name):
            raise exception.ImagePropertyRefused(name=name)
