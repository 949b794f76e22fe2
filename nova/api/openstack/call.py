"""One request as handlers see it: no HTTP, everything checked."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nova.api.core.caller import Caller
from nova.api.openstack.links import Link, Links
from nova.api.openstack.validation import QueryValues
from nova.api.openstack.versions import Range, Version


@dataclasses.dataclass(slots=True, kw_only=True)
class Call(Caller):
    """One request.

    args: the variable parts of the path.  body: checked by the route's schema.
    """

    version: Version
    links: Links
    args: Mapping[str, str]
    body: Any
    query: QueryValues

    def page_limit(self) -> int:
        """Return how many items a page may have: what the query says, up to the maximum."""
        given = self.query.get("limit")
        maximum = self.settings.max_limit
        return maximum if given is None else min(int(given), maximum)

    def next_link(
        self, count: int, marker: str | None, since: str | None = None
    ) -> list[Link] | None:
        """Return the link to the next page, None when this one was not full.

        since: version that brought paging to the list.
        """
        if marker is None or count < self.page_limit() or self.version not in Range(since):
            return None
        return self.links.next_page(marker)
