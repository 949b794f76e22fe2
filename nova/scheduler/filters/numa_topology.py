"""NUMA cells, dedicated processors and pages."""

from nova import exception
from nova.objects.numa import GuestNuma
from nova.objects.numa_request import numa_request
from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import FilterSettings, HostFilter
from nova.scheduler.host_state import HostState


class NUMATopologyFilter(HostFilter):
    """Accepts hosts whose cells have room for those of the server."""

    lacks = "no room for the NUMA cells or dedicated CPUs"

    def __init__(self, settings: FilterSettings) -> None:
        super().__init__(settings)
        # What the last request wants: it is the same for all hosts.
        self._last: tuple[RequestSpec, GuestNuma | str | None] | None = None

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Try to place the cells; a server without any passes everywhere."""
        wanted = self._wanted(spec)
        if wanted is None or isinstance(wanted, str):
            return wanted
        fitted = host.numa_fit(wanted)
        return None if fitted.guest is not None else fitted.reason

    def _wanted(self, spec: RequestSpec) -> GuestNuma | str | None:
        """Return the cells that are asked for, or why nothing can be asked for like that."""
        last = self._last
        if last is None or last[0] is not spec:
            last = self._last = (spec, _wanted(spec))
        return last[1]


def _wanted(spec: RequestSpec) -> GuestNuma | str | None:
    try:
        return numa_request(spec.flavor, spec.image_properties)
    except exception.Invalid as error:
        return str(error)
