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
        settings = self.settings
        isolated_host = host.host in settings.isolated_hosts
        isolated_image = spec.image_id in settings.isolated_images
        if isolated_image and not isolated_host:
            return "the image runs on isolated hosts only"
        kept = isolated_host and settings.restrict_isolated_hosts_to_isolated_images
        if kept and not isolated_image:
            return "the host is for isolated images only"
        return None
