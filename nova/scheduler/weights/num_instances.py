"""Number of servers."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher


class NumInstancesWeigher(HostWeigher):
    """Packs (positive multiplier) or spreads (negative) by the number of servers."""

    option = "num_instances_weight_multiplier"

    def value(self, host: HostState, spec: RequestSpec) -> float:
        """Return the number of servers."""
        return float(host.num_instances)
