"""Aggregates: sets of compute hosts, and the availability zones that they make."""

import datetime
import logging
import uuid
from collections.abc import Mapping, Sequence

from nova import clock
from nova.compute.rpcapi import ComputeAPI
from nova.conductor.liveness import COMPUTE_BINARY, judged
from nova.conductor.rpcapi.aggregates import ConductorAggregates
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import aggregates, compute_nodes, services
from nova.db.duplicates import refused_as
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    AggregateHostExists,
    AggregateHostNotFound,
    AggregateInUse,
    AggregateNameExists,
    AggregateNotFound,
    AggregateZoneConflict,
    ComputeHostNotFound,
    InvalidAggregateAction,
    InvalidInput,
    NovaException,
)
from nova.objects.aggregate import ZONE_KEY, Aggregate, AggregateChange
from nova.objects.unset import UNSET
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

MAX_ZONE_CHARS = 255


class AggregatesEndpoint(ConductorAggregates):
    """Serves the aggregates of the database.

    Each change gives the hosts concerned a new generation, by which schedulers learn of it.
    """

    def __init__(self, db: Database, bus: Bus, settings: ConductorSettings) -> None:
        self.db = db
        self.bus = bus
        self.settings = settings

    @retried
    def list_all(self, context: RequestContext) -> tuple[Aggregate, ...]:
        """Return all aggregates in order of their ids."""
        with self.db.reading() as tx:
            return tuple(aggregates.list_all(tx))

    @retried
    def get(self, context: RequestContext, aggregate_id: int) -> Aggregate:
        """Return an aggregate."""
        with self.db.reading() as tx:
            return _get(tx, aggregate_id)

    @retried
    def create(
        self, context: RequestContext, name: str, availability_zone: str | None = None
    ) -> Aggregate:
        """Make an aggregate without hosts."""
        now = clock.utcnow()
        row = {"uuid": str(uuid.uuid4()), "name": name, "created_at": now, "updated_at": None}
        taken = AggregateNameExists(name=name)
        with self.db.transaction() as tx:
            if aggregates.exists_name(tx, name):
                raise taken
            with refused_as(taken):
                aggregate_id = aggregates.create(tx, row)
            if availability_zone is not None:
                _check_zone_name(availability_zone)
                aggregates.set_metadata(tx, aggregate_id, {ZONE_KEY: availability_zone})
            return _get(tx, aggregate_id)

    @retried
    def update(
        self, context: RequestContext, aggregate_id: int, change: AggregateChange
    ) -> Aggregate:
        """Rename an aggregate, or give it another zone."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            before = self._lock(tx, aggregate_id, now)
            if change.name is not UNSET and change.name != before.name:
                taken = AggregateNameExists(name=change.name)
                if aggregates.exists_name(tx, change.name):
                    raise taken
                with refused_as(taken):
                    aggregates.update(tx, aggregate_id, {"name": change.name})
            if change.availability_zone is not UNSET:
                self._set_items(tx, before, {ZONE_KEY: change.availability_zone}, now)
            return _get(tx, aggregate_id)

    @retried
    def set_metadata(
        self, context: RequestContext, aggregate_id: int, metadata: dict[str, str | None]
    ) -> Aggregate:
        """Add or overwrite metadata; None removes an item."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            before = self._lock(tx, aggregate_id, now)
            self._set_items(tx, before, metadata, now)
            return _get(tx, aggregate_id)

    @retried
    def delete(self, context: RequestContext, aggregate_id: int) -> None:
        """Delete an aggregate that has no hosts."""
        with self.db.transaction() as tx:
            if self._lock(tx, aggregate_id, clock.utcnow()).hosts:
                raise AggregateInUse(aggregate_id=aggregate_id)
            aggregates.delete(tx, aggregate_id)

    @retried
    def add_host(self, context: RequestContext, aggregate_id: int, host: str) -> Aggregate:
        """Put a host into an aggregate."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            aggregate = self._lock(tx, aggregate_id, now)
            if services.find(tx, host, COMPUTE_BINARY) is None:
                raise ComputeHostNotFound(host=host)
            if host in aggregate.hosts:
                raise AggregateHostExists(aggregate_id=aggregate_id, host=host)
            compute_nodes.touch(tx, [host], now)
            self._check_zones(tx, aggregate, [host], (None, aggregate.availability_zone))
            aggregates.add_host(tx, aggregate_id, host)
            return _get(tx, aggregate_id)

    @retried
    def remove_host(self, context: RequestContext, aggregate_id: int, host: str) -> Aggregate:
        """Take a host out of an aggregate."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            aggregate = self._lock(tx, aggregate_id, now)
            if host not in aggregate.hosts:
                raise AggregateHostNotFound(aggregate_id=aggregate_id, host=host)
            compute_nodes.touch(tx, [host], now)
            self._check_zones(tx, aggregate, [host], (aggregate.availability_zone, None))
            aggregates.remove_host(tx, aggregate_id, host)
            return _get(tx, aggregate_id)

    def cache_images(
        self, context: RequestContext, aggregate_id: int, image_ids: tuple[str, ...]
    ) -> None:
        """Ask the live hosts of an aggregate to fetch images."""
        compute = self.bus.client(ComputeAPI)
        for host in self._live_hosts(aggregate_id):
            try:
                compute.on(host).cache_images(context, image_ids)
            except NovaException as error:
                LOG.warning("Host %s could not be asked to fetch images: %s", host, error)

    @retried
    def _live_hosts(self, aggregate_id: int) -> Sequence[str]:
        now = clock.utcnow()
        with self.db.reading() as tx:
            hosts = _get(tx, aggregate_id).hosts
            found = services.list_all(tx, binary=COMPUTE_BINARY)
        up = {service.host for service in found if judged(self.settings, service, now).is_up}
        return [host for host in hosts if host in up]

    # --- Rules

    def _lock(self, tx: Transaction, aggregate_id: int, now: datetime.datetime) -> Aggregate:
        """Return an aggregate that nobody else changes until the end of the transaction."""
        if not aggregates.update(tx, aggregate_id, {"updated_at": now}):
            raise AggregateNotFound(aggregate_id=aggregate_id)
        return _get(tx, aggregate_id)

    def _set_items(
        self,
        tx: Transaction,
        before: Aggregate,
        items: Mapping[str, str | None],
        now: datetime.datetime,
    ) -> None:
        compute_nodes.touch(tx, before.hosts, now)
        if ZONE_KEY in items:
            zone = items[ZONE_KEY]
            if zone is not None:
                _check_zone_name(zone)
            try:
                self._check_zones(tx, before, before.hosts, (before.availability_zone, zone))
            except AggregateZoneConflict as error:
                raise InvalidAggregateAction(**error.kwargs) from error
        aggregates.set_metadata(tx, before.id, items)

    def _check_zones(
        self,
        tx: Transaction,
        aggregate: Aggregate,
        hosts: Sequence[str],
        change: tuple[str | None, str | None],
    ) -> None:
        """Refuse a second zone for a host, and another zone for one that has servers.

        change: the zone that the aggregate gives the hosts now, and then.  The hosts' rows
        must be locked, so that no server comes to them meanwhile.
        Raises: AggregateZoneConflict.
        """
        now, then = change
        if now == then:
            return
        others = aggregates.zones(tx, hosts, without=aggregate.id)
        torn = sorted(host for host in hosts if then and others.get(host, then) != then)
        if torn:
            raise AggregateZoneConflict(
                aggregate_id=aggregate.id,
                reason=f"{_named(torn)} would be in more than one availability zone",
            )
        default = self.settings.default_availability_zone
        moved = [
            host
            for host in hosts
            if (now or others.get(host, default)) != (then or others.get(host, default))
        ]
        busy = sorted(aggregates.hosts_with_servers(tx, moved)) if moved else []
        if busy:
            raise AggregateZoneConflict(
                aggregate_id=aggregate.id,
                reason=f"{_named(busy)} would change the availability zone with servers on it",
            )


def _named(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - 1} more" if len(hosts) > 1 else ""
    return f"host {hosts[0]}{more}"


def _check_zone_name(zone: str) -> None:
    if not zone.strip() or ":" in zone or len(zone) > MAX_ZONE_CHARS:
        raise InvalidInput(reason="the name of a zone has 1 to 255 characters and no colon.")


def _get(tx: Transaction, aggregate_id: int) -> Aggregate:
    found = aggregates.find(tx, aggregate_id)
    if found is None:
        raise AggregateNotFound(aggregate_id=aggregate_id)
    return found
