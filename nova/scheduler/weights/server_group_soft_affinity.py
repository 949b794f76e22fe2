"""Server groups whose members are kept together where possible."""

from nova.objects.request_spec import RequestSpec
from nova.objects.server_group import GroupPolicy
from nova.scheduler import groups
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher


class ServerGroupSoftAffinityWeigher(HostWeigher):
    """Prefers hosts with other members of a group of the policy soft-affinity."""

    option = "soft_affinity_weight_multiplier"
    group_policy = GroupPolicy.SOFT_AFFINITY

    def value(self, host: HostState, spec: RequestSpec) -> float:
        """Return the number of members here."""
        group = spec.group
        if group is None or group.policy is not self.group_policy:
            return 0.0
        return float(groups.counts(spec, group).get(host.host, 0))
