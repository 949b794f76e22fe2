"""Conductor interface: services, hypervisors, zones, and the scheduler's view of hosts."""

from nova.context import RequestContext
from nova.objects.host_usage import HostUsage
from nova.objects.service import (
    AvailabilityZone,
    HostReport,
    HostsChanged,
    Hypervisor,
    HypervisorQuery,
    ReportAnswer,
    Service,
    ServiceChange,
)
from nova.rpc.interface import Interface, call


class ConductorHosts(Interface):
    """Services, hypervisors, zones, and the scheduler's view of hosts."""

    topic = "conductor"
    namespace = "hosts"
    version = "1.1"

    @call(since="1.0", timeout_s=10, retry_safe=True)
    def report(self, context: RequestContext, report: HostReport) -> ReportAnswer:
        """Take a daemon's heartbeat, resources and power states.

        The first report of a (host, binary) pair registers the service.
        """

    @call(since="1.0", retry_safe=True)
    def hosts_changed_since(self, context: RequestContext, generation: int) -> HostsChanged:
        """Return what changed after a generation; 0 asks for everything."""

    @call(since="1.0", retry_safe=True)
    def list_services(
        self,
        context: RequestContext,
        host: str | None = None,
        binary: str | None = None,
    ) -> tuple[Service, ...]:
        """Return services in order of their id."""

    @call(since="1.0", args={"binary": "1.1"})
    def update_service(
        self,
        context: RequestContext,
        service_id: str,
        change: ServiceChange,
        binary: str | None = None,
    ) -> Service:
        """Change a service named by uuid, or by "host/binary".

        binary: the only one that may be changed.  Raises: ServiceNotFound, ServiceNotChangeable.
        """

    @call(since="1.0")
    def delete_service(self, context: RequestContext, service_id: str) -> None:
        """Forget a service by uuid or row id.

        Raises: ServiceNotFound, Conflict when servers are still on its host.
        """

    @call(since="1.0", retry_safe=True)
    def page_hypervisors(
        self, context: RequestContext, query: HypervisorQuery
    ) -> tuple[Hypervisor, ...]:
        """Return one page of hypervisors; hypervisor_id (uuid or row id) asks for one.

        Raises: HypervisorNotFound, MarkerNotFound.
        """

    @call(since="1.1", retry_safe=True)
    def usage(self, context: RequestContext, host: str) -> HostUsage:
        """Return what a compute host has and who uses it.  Raises: ComputeHostNotFound."""

    @call(since="1.0", retry_safe=True)
    def list_zones(self, context: RequestContext) -> tuple[AvailabilityZone, ...]:
        """Return the availability zones with their hosts and services."""
