"""Servers: what the API asks for."""

import dataclasses
import logging

from nova import clock
from nova.conductor.beginning import Beginnings
from nova.conductor.checks import check_pin, require
from nova.conductor.creation import Creation, MadeBefore
from nova.conductor.history import History
from nova.conductor.immediate import ImmediateActions
from nova.conductor.notify.notifier import Notifier
from nova.conductor.server_items import ServerItems
from nova.conductor.settings import ConductorSettings
from nova.conductor.tasks.build import BuildTask, Pool
from nova.context import RequestContext
from nova.db import dns, instance_pages, instances
from nova.db.engine import Database, retried
from nova.network.rpcapi import NetworkAPI
from nova.objects.instance import (
    CreatedServers,
    Instance,
    InstanceChange,
    InstanceQuery,
    InstanceSummary,
    NewServers,
    Scope,
)
from nova.objects.unset import UNSET
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

MAX_TAGS = 50


class InstancesEndpoint(Beginnings, ImmediateActions, ServerItems, History):
    """Serves the servers of the database."""

    def __init__(
        self, db: Database, bus: Bus, settings: ConductorSettings, build: BuildTask, pool: Pool
    ) -> None:
        self.db = db
        self.bus = bus
        self.settings = settings
        self.build = build
        self.pool = pool
        self.creation = Creation(db, settings)
        self.notifier = Notifier(bus, db, settings.notifications)

    # --- Create, read, change

    def create_servers(self, context: RequestContext, new: NewServers) -> CreatedServers:
        """Store servers and begin to build them."""
        try:
            job = self.creation.create(context, new)
        except MadeBefore as made:
            return self._made_before(made.reservation_id)
        self.pool.spawn(self.build.run, context, job)
        first = job.instances[0]
        return CreatedServers(
            reservation_id=first.reservation_id or "",
            instance_uuids=tuple(instance.uuid for instance in job.instances),
        )

    @retried
    def _made_before(self, reservation_id: str) -> CreatedServers:
        """Return the servers of a reservation that are there still."""
        query = InstanceQuery(scope=Scope(), exact={"reservation_id": (reservation_id,)})
        with self.db.reading() as tx:
            found = instance_pages.page_summaries(tx, query)
        return CreatedServers(
            reservation_id=reservation_id, instance_uuids=tuple(one.uuid for one in found)
        )

    @retried
    def hosts_of(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...]
    ) -> dict[str, str]:
        """Return the hosts of the live servers among some."""
        with self.db.reading() as tx:
            found = instances.hosts_of(tx, instance_uuids, scope)
        return {uuid: host or "" for uuid, host in found.items()}

    @retried
    def page_summaries(
        self, context: RequestContext, query: InstanceQuery
    ) -> tuple[InstanceSummary, ...]:
        """Return one page of servers, names only."""
        with self.db.reading() as tx:
            return tuple(instance_pages.page_summaries(tx, query))

    @retried
    def page(self, context: RequestContext, query: InstanceQuery) -> tuple[Instance, ...]:
        """Return one page of servers with everything."""
        with self.db.reading() as tx:
            return tuple(instance_pages.page(tx, query))

    @retried
    def get(self, context: RequestContext, scope: Scope, instance_uuid: str) -> Instance:
        """Return a server."""
        with self.db.reading() as tx:
            return require(tx, scope, instance_uuid)

    def update(
        self, context: RequestContext, scope: Scope, instance_uuid: str, change: InstanceChange
    ) -> Instance:
        """Change what the owner may change."""
        changed = self._update(scope, instance_uuid, change)
        if self.settings.update_dns_entries and change.hostname is not UNSET:
            self.bus.client(NetworkAPI).everyone().networks_changed(context)
        return changed

    @retried
    def _update(self, scope: Scope, instance_uuid: str, change: InstanceChange) -> Instance:
        values = {
            field.name: getattr(change, field.name)
            for field in dataclasses.fields(change)
            if getattr(change, field.name) is not UNSET
        }
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            if not values:
                return instance
            check_pin(instance, values.get("pinned_availability_zone"))
            now = clock.utcnow()
            values["updated_at"] = now
            instances.compare_and_set(tx, instance.uuid, {}, values)
            if self.settings.update_dns_entries and isinstance(change.hostname, str):
                dns.rename_server(tx, instance.uuid, instance.hostname, change.hostname, now)
        return dataclasses.replace(instance, **values)
