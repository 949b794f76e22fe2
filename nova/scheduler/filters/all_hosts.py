"""No condition at all."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class AllHostsFilter(HostFilter):
    """Accepts every host."""

    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Refuse nothing."""
        return None
