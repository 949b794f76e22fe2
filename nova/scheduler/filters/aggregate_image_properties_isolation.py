"""Image properties against aggregates."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class AggregateImagePropertiesIsolation(HostFilter):
    """Accepts hosts whose aggregates do not say otherwise than the image.

    For each key of the aggregates' metadata that the image has as a property, too, the
    image's value must be among theirs.  With a namespace set, only keys within it count.
    """

    lacks = "for images with other properties"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare each property that both have."""
        isolation = self.settings.image_isolation
        return isolation.refuses_aggregates(host.aggregate_metadata, spec.image_properties)
