"""What a filter is."""

import dataclasses
from typing import ClassVar

from nova.objects.request_spec import RequestSpec
from nova.scheduler.host_state import HostState


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FilterSettings:
    """Values from the options that filters go by."""

    max_io_ops_per_host: int = 8
    max_instances_per_host: int = 50
    image_properties_default_architecture: str | None = None


class HostFilter:
    """Accepts or refuses one host for one request.

    lacks: what refused hosts have in common, in words for the tenant.
    once: one answer holds for all servers of a request.
    """

    lacks: ClassVar[str] = "not suitable"
    once: ClassVar[bool] = False

    def __init__(self, settings: FilterSettings) -> None:
        self.settings = settings

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Return why the host does not suit, with numbers; None when it does."""
        raise NotImplementedError
