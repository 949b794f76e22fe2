"""Disk."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class DiskFilter(HostFilter):
    """Accepts hosts with enough disk left."""

    lacks = "not enough free disk"

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare root, ephemeral and swap with what is left."""
        wanted = spec.flavor.disk_gb
        if wanted > host.free_gb:
            return (
                f"{wanted} GB wanted, {host.free_gb:.0f} GB of {host.local_gb_capacity:.0f} GB free"
            )
        return None
