"""Work in progress."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher


class IoOpsWeigher(HostWeigher):
    """Prefers, with its negative multiplier, hosts that build few servers."""

    option = "io_ops_weight_multiplier"

    def value(self, host: HostState, spec: RequestSpec) -> float:
        """Return the number of servers being built."""
        return float(max(0, host.num_io_ops))
