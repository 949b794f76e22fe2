"""Services, hypervisors, zones, and the scheduler's view of hosts."""

import dataclasses

from nova import clock
from nova.conductor.liveness import COMPUTE_BINARY, NO_ZONES, judged, silent_before
from nova.conductor.reports import Reports
from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import aggregates, compute_nodes, host_usage, instances, server_migrations, services
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    ComputeHostNotFound,
    Conflict,
    HypervisorNotFound,
    MarkerNotFound,
    ServiceNotChangeable,
    ServiceNotFound,
)
from nova.objects.aggregate import ZONE_KEY
from nova.objects.host_usage import HostUsage
from nova.objects.service import (
    AvailabilityZone,
    ComputeNode,
    HostReport,
    HostsChanged,
    HostSnapshot,
    Hypervisor,
    HypervisorQuery,
    ReportAnswer,
    Service,
    ServiceChange,
)
from nova.objects.unset import UNSET

# How far a delta goes back before the last one: longer than a transaction lasts and clocks of
# controllers differ.
OVERLAP_US = 5_000_000


class HostsEndpoint(ConductorHosts):
    """Serves services and compute nodes of the database."""

    def __init__(self, db: Database, settings: ConductorSettings) -> None:
        self.db = db
        self.settings = settings
        self.reports = Reports(db, settings)

    def report(self, context: RequestContext, report: HostReport) -> ReportAnswer:
        """Take a daemon's heartbeat, resources and power states."""
        return self.reports.take(context, report)

    @retried
    def hosts_changed_since(self, context: RequestContext, generation: int) -> HostsChanged:
        """Return what changed after a generation; 0 asks for everything.

        Hosts changed within seconds before it are part of the answer again, and hosts that
        are down always: a reader knows by the node's own generation what it has already.
        """
        now = clock.utcnow()
        present = compute_nodes.generation_of(now)
        since = max(0, generation - OVERLAP_US) if generation <= present + OVERLAP_US else 0
        with self.db.reading() as tx:
            found = compute_nodes.list_changed(tx, since, silent_before(self.settings, now))
            removed = compute_nodes.list_removed(tx, since) if since else []
            hosts = [node.host for node, _service in found]
            uuids = instances.uuids_by_host(tx, hosts)
            metadata = aggregates.metadata_of_hosts(tx, hosts)
        changed = []
        for node, row in found:
            items = metadata.get(node.host, {})
            zones = {node.host: items[ZONE_KEY][0]} if ZONE_KEY in items else NO_ZONES
            service = judged(self.settings, row, now, zones)
            changed.append(
                HostSnapshot(
                    node=node,
                    service=service,
                    availability_zone=service.availability_zone or "",
                    aggregate_metadata=items,
                    instance_uuids=tuple(uuids.get(node.host, ())),
                )
            )
        return HostsChanged(
            generation=max(present, generation) if since else present,
            changed=tuple(changed),
            removed=tuple(removed),
        )

    # --- Services

    @retried
    def list_services(
        self, context: RequestContext, host: str | None = None, binary: str | None = None
    ) -> tuple[Service, ...]:
        """Return services in order of their id."""
        now = clock.utcnow()
        with self.db.reading() as tx:
            found = services.list_all(tx, host, binary)
            zones = aggregates.zones(tx, None if host is None else [host])
        return tuple(judged(self.settings, service, now, zones) for service in found)

    @retried
    def update_service(
        self,
        context: RequestContext,
        service_id: str,
        change: ServiceChange,
        binary: str | None = None,
    ) -> Service:
        """Change a service named by uuid, or by "host/binary"."""
        now = clock.utcnow()
        values = {
            field.name: getattr(change, field.name)
            for field in dataclasses.fields(change)
            if getattr(change, field.name) is not UNSET
        }
        if values.get("disabled") is False:
            values["disabled_reason"] = None
        with self.db.transaction() as tx:
            service = self._find(tx, service_id)
            if binary is not None and service.binary != binary:
                raise ServiceNotChangeable(binary=service.binary, only=binary)
            if values:
                services.update(tx, service.id, {**values, "updated_at": now})
                if service.binary == COMPUTE_BINARY:
                    compute_nodes.touch(tx, [service.host], now)
                service = dataclasses.replace(service, **values, updated_at=now)
            zones = aggregates.zones(tx, [service.host])
        return judged(self.settings, service, now, zones)

    def _find(self, tx: Transaction, service_id: str) -> Service:
        host, slash, binary = service_id.rpartition("/")
        found = services.find(tx, host, binary) if slash else services.find_by_id(tx, service_id)
        if found is None:
            raise ServiceNotFound(service_id=service_id)
        return found

    @retried
    def delete_service(self, context: RequestContext, service_id: str) -> None:
        """Forget a service by uuid or row id."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            service = self._find(tx, service_id)
            if service.binary == COMPUTE_BINARY:
                if instances.count_on_host(tx, service.host):
                    raise Conflict(
                        reason="Unable to delete compute service that is hosting instances. "
                        "Migrate or delete the instances first."
                    )
                if server_migrations.is_any_on_host(tx, service.host):
                    raise Conflict(
                        reason="Unable to delete compute service with migrations in progress. "
                        "Confirm or revert them first."
                    )
                compute_nodes.delete_of_host(tx, service.host, now)
                aggregates.forget_host(tx, service.host)
            services.delete(tx, service.id)

    # --- Hypervisors and zones

    @retried
    def page_hypervisors(
        self, context: RequestContext, query: HypervisorQuery
    ) -> tuple[Hypervisor, ...]:
        """Return one page of hypervisors."""
        now = clock.utcnow()
        with self.db.reading() as tx:
            found = self._nodes(tx, query)
            servers: dict[str, list[tuple[str, str]]] = {}
            if query.with_servers:
                servers = instances.names_by_host(tx, [node.host for node, _service in found])
            zones = aggregates.zones(tx, [node.host for node, _service in found])
        return tuple(
            Hypervisor(
                node=node,
                service=judged(self.settings, service, now, zones),
                servers=tuple(servers.get(node.host, ())),
            )
            for node, service in found
        )

    def _nodes(self, tx: Transaction, query: HypervisorQuery) -> list[tuple[ComputeNode, Service]]:
        if query.hypervisor_id is not None:
            one = compute_nodes.find_by_id(tx, query.hypervisor_id)
            if one is None:
                raise HypervisorNotFound(hypervisor_id=query.hypervisor_id)
            return [one]
        after = None
        if query.marker is not None:
            marker = compute_nodes.find_by_id(tx, query.marker)
            if marker is None:
                raise MarkerNotFound(marker=query.marker)
            after = marker[0].id
        return compute_nodes.page(tx, query.limit, after, query.hostname_pattern)

    @retried
    def usage(self, context: RequestContext, host: str) -> HostUsage:
        """Return what a compute host has and who uses it."""
        with self.db.reading() as tx:
            found = host_usage.find(tx, host)
        if found is None:
            raise ComputeHostNotFound(host=host)
        return found

    @retried
    def list_zones(self, context: RequestContext) -> tuple[AvailabilityZone, ...]:
        """Return the availability zones with their hosts and services."""
        now = clock.utcnow()
        with self.db.reading() as tx:
            found = services.list_all(tx)
            zone_of = aggregates.zones(tx)
        zones: dict[str, dict[str, tuple[Service, ...]]] = {}
        for row in found:
            service = judged(self.settings, row, now, zone_of)
            hosts = zones.setdefault(service.availability_zone or "", {})
            hosts[service.host] = (*hosts.get(service.host, ()), service)
        return tuple(
            AvailabilityZone(name=name, available=_has_enabled(hosts), hosts=hosts)
            for name, hosts in sorted(zones.items())
        )


def _has_enabled(hosts: dict[str, tuple[Service, ...]]) -> bool:
    return any(not service.disabled for members in hosts.values() for service in members)
