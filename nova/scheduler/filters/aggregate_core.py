"""VCPUs, oversold as aggregates say."""

import dataclasses

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.core import CoreFilter
from nova.scheduler.host_state import HostState


class AggregateCoreFilter(CoreFilter):
    """Like CoreFilter, with the least cpu_allocation_ratio of the host's aggregates.

    It takes the place of CoreFilter: with both, a host must pass both.
    """

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare with what is left; a host that reports no CPUs passes."""
        return super().refuses(_with_ratio(host), spec)

    def limits(self, host: HostState) -> dict[str, float]:
        """Return the capacity where aggregates change it."""
        given = host.aggregate_numbers("cpu_allocation_ratio")
        return {"vcpu": _with_ratio(host).vcpu_capacity} if given else {}


def _with_ratio(host: HostState) -> HostState:
    given = host.aggregate_numbers("cpu_allocation_ratio")
    if not given:
        return host
    node = dataclasses.replace(host.node, cpu_allocation_ratio=min(given))
    return dataclasses.replace(host, node=node)
