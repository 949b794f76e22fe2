"""Memory, oversold as aggregates say."""

import dataclasses

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.ram import RamFilter
from nova.scheduler.host_state import HostState


class AggregateRamFilter(RamFilter):
    """Like RamFilter, with the least ram_allocation_ratio of the host's aggregates.

    It takes the place of RamFilter: with both, a host must pass both.
    """

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare with what is left and with the physical memory."""
        return super().refuses(_with_ratio(host), spec)

    def limits(self, host: HostState) -> dict[str, float]:
        """Return the capacity where aggregates change it."""
        given = host.aggregate_numbers("ram_allocation_ratio")
        return {"memory_mb": _with_ratio(host).memory_mb_capacity} if given else {}


def _with_ratio(host: HostState) -> HostState:
    given = host.aggregate_numbers("ram_allocation_ratio")
    if not given:
        return host
    node = dataclasses.replace(host.node, ram_allocation_ratio=min(given))
    return dataclasses.replace(host, node=node)
