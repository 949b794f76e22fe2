"""Whether a host is kept for certain images, or an image for certain hosts.  Pure."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImageIsolation:
    """Values of the options that say which hosts and images belong together.

    restrict: whether isolated hosts refuse other images.  by_host and by_aggregate: whether
    the filters IsolatedHostsFilter and AggregateImagePropertiesIsolation are in use.
    """

    hosts: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    restrict: bool = True
    namespace: str | None = None
    separator: str = "."
    by_host: bool = False
    by_aggregate: bool = False

    def refuses_host(self, host: str, image_id: str | None) -> str | None:
        """Return why a host does not suit an image, None when it does."""
        isolated_image = image_id in self.images
        isolated_host = host in self.hosts
        if isolated_image and not isolated_host:
            return "the image runs on isolated hosts only"
        if isolated_host and self.restrict and not isolated_image:
            return "the host is for isolated images only"
        return None

    def refuses_aggregates(
        self, metadata: Mapping[str, tuple[str, ...]], properties: Mapping[str, str]
    ) -> str | None:
        """Return why a host's aggregates do not suit an image, None when they do.

        Keys that both have count; with a namespace only those within it.
        """
        prefix = f"{self.namespace}{self.separator}" if self.namespace else ""
        for key, values in metadata.items():
            wanted = properties.get(key)
            if wanted is not None and key.startswith(prefix) and wanted not in values:
                return f"the image has {key} {wanted}, aggregates want {', '.join(values)}"
        return None
