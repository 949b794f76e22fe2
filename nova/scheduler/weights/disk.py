"""Free disk."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher


class DiskWeigher(HostWeigher):
    """Prefers hosts with much free disk."""

    option = "disk_weight_multiplier"

    def value(self, host: HostState, spec: RequestSpec) -> float:
        """Return the free disk in GB."""
        return max(0.0, host.free_gb)
