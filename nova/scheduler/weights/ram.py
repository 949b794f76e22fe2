"""Free memory."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher


class RAMWeigher(HostWeigher):
    """Prefers hosts with much free memory."""

    option = "ram_weight_multiplier"

    def value(self, host: HostState, spec: RequestSpec) -> float:
        """Return the free memory in MB."""
        return max(0.0, host.free_memory_mb)
