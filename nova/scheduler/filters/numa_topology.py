"""NUMA cells, dedicated processors and pages."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class NUMATopologyFilter(HostFilter):
    """Accepts hosts whose cells have room for those of the server."""

    lacks = "no room for the NUMA cells or dedicated CPUs"

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Try to place the cells; a server without any passes everywhere."""
        fitted = host.numa_fit(spec.flavor, spec.image_properties)
        return None if fitted is None or fitted.guest is not None else fitted.reason
