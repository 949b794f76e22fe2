"""Placement beside given servers."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class SameHostFilter(HostFilter):
    """Accepts hosts of one of the servers in the hint same_host."""

    lacks = "none of the servers of the hint same_host"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Look for the hinted servers; without the hint every host suits.

        Of servers in the hint only the project's own are left, which may be none.
        """
        if "same_host" not in spec.hints:
            return None
        wanted = spec.hints["same_host"]
        if host.instance_uuids.intersection(wanted):
            return None
        return f"none of the {len(wanted)} servers of same_host is here"
