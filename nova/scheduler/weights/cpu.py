"""Free VCPUs."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher


class CPUWeigher(HostWeigher):
    """Prefers hosts with many free VCPUs."""

    option = "cpu_weight_multiplier"

    def value(self, host: HostState, spec: RequestSpec) -> float:
        """Return the number of free VCPUs."""
        return max(0.0, host.free_vcpus)
