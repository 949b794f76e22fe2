"""VCPUs."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class CoreFilter(HostFilter):
    """Accepts hosts with enough VCPUs left, and with as many CPUs for one server alone."""

    lacks = "not enough free VCPUs"

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare with what is left; a host that reports no CPUs passes."""
        wanted = spec.flavor.vcpus
        if not host.node.vcpus:
            return None
        if wanted > host.node.vcpus:
            return f"{wanted} VCPUs wanted, the host has {host.node.vcpus} CPUs in all"
        if wanted > host.free_vcpus:
            return f"{wanted} VCPUs wanted, {host.free_vcpus:.0f} of {host.vcpu_capacity:.0f} free"
        return None
