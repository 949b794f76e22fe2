"""Hosts that are kept for certain images."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class IsolatedHostsFilter(HostFilter):
    """Accepts isolated hosts for isolated images, and other hosts for other images."""

    lacks = "not for this image"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare what the options say of the host and of the image."""
        return self.settings.image_isolation.refuses_host(host.host, spec.image_id)
