"""Work in progress on a host, limited by aggregates."""

from nova.scheduler.filters.io_ops import IoOpsFilter
from nova.scheduler.host_state import HostState


class AggregateIoOpsFilter(IoOpsFilter):
    """Like IoOpsFilter, with the least max_io_ops_per_host of the host's aggregates."""

    def limit(self, host: HostState) -> int:
        """Return what aggregates say, else the option."""
        given = host.aggregate_numbers("max_io_ops_per_host")
        return int(min(given)) if given else super().limit(host)
