"""Hosts that are for certain flavors only."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class AggregateTypeAffinityFilter(HostFilter):
    """Accepts hosts whose aggregates name no flavor as instance_type, or that of the request."""

    lacks = "for other flavors"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Look for the flavor's name in the lists with commas."""
        for value in host.aggregate_metadata.get("instance_type", ()):
            if spec.flavor.name not in [name.strip() for name in value.split(",")]:
                return f"for the flavors {value} only"
        return None
