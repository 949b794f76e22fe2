"""Server groups whose members are kept apart where possible."""

from nova.objects.request_spec import RequestSpec
from nova.objects.server_group import GroupPolicy
from nova.scheduler import groups
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher


class ServerGroupSoftAntiAffinityWeigher(HostWeigher):
    """Avoids hosts with other members of a group of the policy soft-anti-affinity."""

    option = "soft_anti_affinity_weight_multiplier"
    group_policy = GroupPolicy.SOFT_ANTI_AFFINITY

    def value(self, host: HostState, spec: RequestSpec) -> float:
        """Return the number of members here, negated."""
        group = spec.group
        if group is None or group.policy is not self.group_policy:
            return 0.0
        return -float(groups.counts(spec, group).get(host.host, 0))
