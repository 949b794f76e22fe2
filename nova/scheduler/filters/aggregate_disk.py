"""Disk, oversold as aggregates say."""

import dataclasses

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.disk import DiskFilter
from nova.scheduler.host_state import HostState


class AggregateDiskFilter(DiskFilter):
    """Like DiskFilter, with the least disk_allocation_ratio of the host's aggregates.

    It takes the place of DiskFilter: with both, a host must pass both.
    """

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare root, ephemeral and swap with what is left."""
        return super().refuses(_with_ratio(host), spec)

    def limits(self, host: HostState) -> dict[str, float]:
        """Return the capacity where aggregates change it."""
        given = host.aggregate_numbers("disk_allocation_ratio")
        return {"disk_gb": _with_ratio(host).local_gb_capacity} if given else {}


def _with_ratio(host: HostState) -> HostState:
    given = host.aggregate_numbers("disk_allocation_ratio")
    if not given:
        return host
    node = dataclasses.replace(host.node, disk_allocation_ratio=min(given))
    return dataclasses.replace(host, node=node)
