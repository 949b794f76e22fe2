"""Server groups whose members stay apart."""

from nova.objects.request_spec import RequestSpec
from nova.objects.server_group import GroupPolicy
from nova.scheduler import groups
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class ServerGroupAntiAffinityFilter(HostFilter):
    """Accepts hosts with fewer members of a group than its max_server_per_host."""

    lacks = "with as many servers of the group as allowed"
    group_policy = GroupPolicy.ANTI_AFFINITY

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Count the other members here."""
        group = spec.group
        if group is None or group.policy is not self.group_policy:
            return None
        return group.refuses(host.host, groups.counts(spec, group))
