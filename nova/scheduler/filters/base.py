"""What a filter is."""

import dataclasses
from typing import ClassVar

from nova.objects.image_isolation import ImageIsolation
from nova.objects.request_spec import RequestSpec
from nova.objects.server_group import GroupPolicy
from nova.scheduler.host_state import HostState


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FilterSettings:
    """Values from the options that filters go by."""

    max_io_ops_per_host: int = 8
    max_instances_per_host: int = 50
    image_properties_default_architecture: str | None = None
    image_isolation: ImageIsolation = dataclasses.field(default_factory=ImageIsolation)


class HostFilter:
    """Accepts or refuses one host for one request.

    lacks: what refused hosts have in common, in words for the tenant.
    once: one answer holds for all servers of a request.
    group_policy: the policy of server groups that the filter looks after.
    """

    lacks: ClassVar[str] = "not suitable"
    once: ClassVar[bool] = False
    group_policy: ClassVar[GroupPolicy | None] = None

    def __init__(self, settings: FilterSettings) -> None:
        self.settings = settings

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Return why the host does not suit, with numbers; None when it does."""
        raise NotImplementedError

    def limits(self, host: HostState) -> dict[str, float]:
        """Return capacities (vcpu, memory_mb, disk_gb) that the claim goes by as well.

        Only a filter whose capacities are not those of the node gives any.
        """
        return {}
