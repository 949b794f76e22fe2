"""Hosts that are for certain projects only."""

import re

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState

_KEY = re.compile(r"filter_tenant_id[0-9]*")


class AggregateMultiTenancyIsolation(HostFilter):
    """Accepts hosts whose aggregates name no project, or the one of the request.

    Keys are filter_tenant_id, filter_tenant_id1 and so on, values lists with commas.
    """

    lacks = "reserved for other projects"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Look for the project among those that are named."""
        named = {
            project.strip()
            for key, values in host.aggregate_metadata.items()
            if _KEY.fullmatch(key)
            for value in values
            for project in value.split(",")
            if project.strip()
        }
        if not named or spec.project_id in named:
            return None
        return f"reserved for {len(named)} other projects"
