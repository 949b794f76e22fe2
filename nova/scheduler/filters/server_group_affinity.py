"""Server groups whose members stay together."""

from nova.objects.request_spec import RequestSpec
from nova.objects.server_group import GroupPolicy
from nova.scheduler import groups
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class ServerGroupAffinityFilter(HostFilter):
    """Accepts the hosts of a group's members; any host for the first member."""

    lacks = "without the other servers of the group"
    group_policy = GroupPolicy.AFFINITY

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Look where the other members are."""
        group = spec.group
        if group is None or group.policy is not self.group_policy:
            return None
        return group.refuses(host.host, groups.counts(spec, group))
