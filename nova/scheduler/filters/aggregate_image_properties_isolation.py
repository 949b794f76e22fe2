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
        for key, values in host.aggregate_metadata.items():
            wanted = spec.image_properties.get(key)
            if wanted is not None and self._counts(key) and wanted not in values:
                return f"the image has {key} {wanted}, aggregates want {', '.join(values)}"
        return None

    def _counts(self, key: str) -> bool:
        namespace = self.settings.aggregate_image_properties_isolation_namespace
        separator = self.settings.aggregate_image_properties_isolation_separator
        return not namespace or key.startswith(namespace + separator)
