"""Placement away from given servers."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class DifferentHostFilter(HostFilter):
    """Accepts hosts without any of the servers in the hint different_host."""

    lacks = "servers of the hint different_host"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Look for the hinted servers."""
        found = host.instance_uuids.intersection(spec.hints.get("different_host", ()))
        if not found:
            return None
        return f"holds {', '.join(sorted(found))}"
