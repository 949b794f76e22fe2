"""What an image asks of the hypervisor."""

from nova.objects.image_fit import why_not_here
from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class ImagePropertiesFilter(HostFilter):
    """Accepts hosts that run the image's architecture, hypervisor type and vm mode."""

    lacks = "architecture or hypervisor not as the image needs"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare with what the host reports."""
        default = self.settings.image_properties_default_architecture
        return why_not_here(host.node, spec.image_properties, default)
