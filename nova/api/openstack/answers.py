"""Declarations of answers: the documents that routes return, version by version."""

from typing import Any

from nova.api.openstack.links import LINKS
from nova.api.openstack.schema import Json, Key, Object, Type, resolve
from nova.api.openstack.versions import Version
from nova.api.openstack.views import T, View


class Items:
    """A list of one type, as long as it may be."""

    __slots__ = ("item",)

    def __init__(self, item: Type) -> None:
        self.item = item

    def at(self, version: Version) -> Json:
        """Return the JSON schema of one version."""
        return {"type": "array", "items": resolve(self.item, version)}


class Extended:
    """A view's document with keys that are added where there is something to say."""

    __slots__ = ("keys", "view")

    def __init__(self, view: View[T], *keys: Key) -> None:
        self.view = view
        self.keys = keys

    def at(self, version: Version) -> Json:
        """Return the JSON schema of one version."""
        shown: Any = self.view.at(version)
        more: Any = Object(*self.keys).at(version)
        return {**shown, "properties": {**shown["properties"], **more["properties"]}}


def one(view: View[T], *more: Key) -> Object:
    """Return the document of a single object, in the key that its view is wrapped in."""
    return named(view.name, view, *more)


def named(name: str, entry: Type, *more: Key) -> Object:
    """Return a document with one key, and keys that may be there too."""
    return Object(Key(name, entry, required=True), *more)


def items(name: str, entry: Type, links: str | None = None, since: str | None = None) -> Object:
    """Return the document of a list.

    links: key of the link to the next page, None for lists without pages; since: version
    that brought paging.
    """
    more = () if links is None else (Key(links, LINKS, since=since),)
    return named(name, Items(entry), *more)
