"""Links in answers, built from configuration or from what the server itself knows.

Source: api-conventions sections 3 and 6.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NotRequired, TypedDict
from urllib.parse import quote, urlencode

from nova.api.openstack.annotations import schema_of
from nova.api.openstack.versions import CURRENT_MOUNT

_HOST = re.compile(r"^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?\Z")
_PREFIX = re.compile(r"^(?:/[A-Za-z0-9._~-]+)*\Z")


class Link(TypedDict):
    """One link; type is that of what it leads to."""

    rel: str
    href: str
    type: NotRequired[str]


LINKS = schema_of(list[Link])


def base_url(environ: Mapping[str, object], prefix: str | None, trust_proxy: bool) -> str:
    """Return scheme, host and mount point of the service as its users reach it.

    A configured prefix wins.  Headers of a proxy count only if trust_proxy; a host that is
    no host name falls back to the address the server listens on.
    """
    if prefix:
        return prefix.rstrip("/")
    scheme = str(environ["wsgi.url_scheme"])
    host = str(environ.get("HTTP_HOST", ""))
    path = str(environ.get("SCRIPT_NAME", ""))
    if trust_proxy:
        scheme = _forwarded(environ, "PROTO", scheme)
        host = _forwarded(environ, "HOST", host)
        path = _forwarded(environ, "PREFIX", path)
    if scheme not in ("http", "https"):
        scheme = "http"
    if not _HOST.match(host):
        host = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    path = path.rstrip("/")
    return f"{scheme}://{host}{path if _PREFIX.match(path) else ''}"


def _forwarded(environ: Mapping[str, object], name: str, default: str) -> str:
    value = str(environ.get(f"HTTP_X_FORWARDED_{name}", ""))
    return value.split(",")[0].strip() or default


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Builder of the links of one request.

    project_part is "" or "/" and the project id, as it was in the request's path.
    path and query are those of the request, the path without the service's base; mount is
    what the path began with.
    """

    base: str
    project_part: str = ""
    path: str = ""
    query: Sequence[tuple[str, str]] = ()
    mount: str = CURRENT_MOUNT

    def self_link(self, collection: str, item_id: str) -> str:
        """Return the address of an object under the version in use."""
        return f"{self.base}{self.mount}{self.project_part}/{collection}/{quote(item_id, safe='')}"

    def child_link(self, collection: str, item_id: str, kind: str, child_id: str) -> str:
        """Return the address of something that belongs to an object."""
        return f"{self.self_link(collection, item_id)}/{kind}/{quote(child_id, safe='')}"

    def bookmark(self, collection: str, item_id: str) -> str:
        """Return the address of an object that names no version."""
        return f"{self.base}{self.project_part}/{collection}/{quote(item_id, safe='')}"

    def both(self, collection: str, item_id: str) -> list[Link]:
        """Return the two links that most objects carry."""
        rest = f"{self.project_part}/{collection}/{quote(item_id, safe='')}"
        return [
            {"rel": "self", "href": f"{self.base}{self.mount}{rest}"},
            {"rel": "bookmark", "href": f"{self.base}{rest}"},
        ]

    def next_page(self, marker: str) -> list[Link]:
        """Return the link to the page after an item."""
        kept: Iterable[tuple[str, str]] = (pair for pair in self.query if pair[0] != "marker")
        pairs = sorted([*kept, ("marker", marker)], key=lambda pair: pair[0])
        return [{"rel": "next", "href": f"{self.base}{quote(self.path)}?{urlencode(pairs)}"}]
