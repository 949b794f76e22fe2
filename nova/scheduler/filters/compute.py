"""The compute service."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class ComputeFilter(HostFilter):
    """Accepts hosts whose nova-compute is enabled and alive."""

    lacks = "compute service disabled or down"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Look at the service, as the conductor judges it."""
        if host.service.disabled:
            reason = host.service.disabled_reason
            return f"nova-compute is disabled: {reason}" if reason else "nova-compute is disabled"
        if host.service.forced_down:
            return "nova-compute is forced down"
        if not host.service.is_up:
            return "nova-compute is down"
        return None
