"""Failed builds."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher


class BuildFailureWeigher(HostWeigher):
    """Avoids hosts on which builds failed lately."""

    option = "build_failure_weight_multiplier"

    def value(self, host: HostState, spec: RequestSpec) -> float:
        """Return the number of failed builds, negated."""
        return -float(host.node.failed_builds)
