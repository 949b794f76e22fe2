"""Memory."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class RamFilter(HostFilter):
    """Accepts hosts with enough memory left, and with as much at all."""

    lacks = "not enough free memory"

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare with what is left and, for one server alone, with the physical memory."""
        wanted = spec.flavor.memory_mb
        if wanted > host.node.memory_mb:
            return f"{wanted} MB wanted, the host has {host.node.memory_mb} MB in all"
        if wanted > host.free_memory_mb:
            return (
                f"{wanted} MB wanted, {host.free_memory_mb:.0f} MB of "
                f"{host.memory_mb_capacity:.0f} MB free"
            )
        return None
