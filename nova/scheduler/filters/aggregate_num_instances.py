"""Number of servers on a host, limited by aggregates."""

from nova.scheduler.filters.num_instances import NumInstancesFilter
from nova.scheduler.host_state import HostState


class AggregateNumInstancesFilter(NumInstancesFilter):
    """Like NumInstancesFilter, with the least max_instances_per_host of the host's aggregates."""

    def limit(self, host: HostState) -> int:
        """Return what aggregates say, else the option."""
        given = host.aggregate_numbers("max_instances_per_host")
        return int(min(given)) if given else super().limit(host)
