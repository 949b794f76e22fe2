"""Work in progress on a host."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class IoOpsFilter(HostFilter):
    """Accepts hosts that build fewer servers than max_io_ops_per_host."""

    lacks = "busy building other servers"

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare the number of servers being built."""
        limit = self.limit(host)
        if host.num_io_ops < limit:
            return None
        return f"{host.num_io_ops} I/O operations in progress, at most {limit} allowed"

    def limit(self, host: HostState) -> int:
        """Return the number of servers that may be built at a time."""
        return self.settings.max_io_ops_per_host
