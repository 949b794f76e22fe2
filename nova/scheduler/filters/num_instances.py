"""Number of servers on a host."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class NumInstancesFilter(HostFilter):
    """Accepts hosts with fewer servers than max_instances_per_host."""

    lacks = "as many servers as allowed"

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare the number of servers."""
        limit = self.limit(host)
        if host.num_instances < limit:
            return None
        return f"{host.num_instances} servers, at most {limit} allowed"

    def limit(self, host: HostState) -> int:
        """Return the number of servers that a host may have."""
        return self.settings.max_instances_per_host
