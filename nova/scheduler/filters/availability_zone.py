"""Availability zones."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class AvailabilityZoneFilter(HostFilter):
    """Accepts hosts of the zone that was asked for."""

    lacks = "not in the requested availability zone"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare zones; no zone asked for suits every host."""
        wanted = spec.availability_zone
        if wanted is None or wanted == host.availability_zone:
            return None
        return f"zone {wanted} wanted, the host is in {host.availability_zone}"
