"""Notifications about what is not a server: key pairs, aggregates, server groups, flavors.

The endpoints here are the ordinary ones, with events around the calls that change something.
Source: daemons-and-config, section 6.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from nova.conductor.aggregates import AggregatesEndpoint
from nova.conductor.flavors import FlavorsEndpoint
from nova.conductor.hosts import HostsEndpoint
from nova.conductor.keypairs import KeypairsEndpoint
from nova.conductor.notify.notifier import Event, Notifier
from nova.conductor.notify.versioned import flavor_payload, wrap
from nova.conductor.server_groups import ServerGroupsEndpoint
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db.engine import Database
from nova.objects.aggregate import Aggregate, AggregateChange
from nova.objects.flavor import Flavor, FlavorChange, NewFlavor
from nova.objects.instance import Scope
from nova.objects.keypair import Keypair, NewKeypair
from nova.objects.server_group import NewServerGroup, ServerGroup
from nova.objects.service import Service, ServiceChange
from nova.rpc.bus import Bus

PUBLISHER = "conductor"

Payload = dict[str, Any]


@dataclasses.dataclass(slots=True, kw_only=True)
class _Telling:
    """Payloads of one event, to be completed while the change is made."""

    unversioned: Payload | None = None
    versioned: Payload | None = None


@contextlib.contextmanager
def _around(
    notifier: Notifier, context: RequestContext, unversioned: str, versioned: str
) -> Iterator[_Telling]:
    """Tell of the end of a change that has been made; of one that failed, nothing.

    Both phases are told once the change is stored: what is refused has not begun.
    """
    telling = _Telling()
    yield telling
    if not notifier.active:
        return
    for phase in ("start", "end"):
        notifier.tell_safely(
            context,
            Event(
                publisher_id=PUBLISHER,
                unversioned_type=f"{unversioned}.{phase}",
                unversioned=telling.unversioned,
                versioned_type=f"{versioned}.{phase}",
                versioned=telling.versioned,
            ),
        )


class ToldKeypairs(KeypairsEndpoint):
    """Key pairs, with events."""

    def __init__(self, db: Database, settings: ConductorSettings, notifier: Notifier) -> None:
        super().__init__(db, settings)
        self.notifier = notifier

    def create(self, context: RequestContext, new: NewKeypair) -> Keypair:
        """Store a key pair."""
        with _around(self.notifier, context, "keypair.create", "keypair.create") as telling:
            created = super().create(context, new)
            telling.unversioned = _keypair(context, created.user_id, created.name)
            data = {
                "user_id": created.user_id,
                "name": created.name,
                "fingerprint": created.fingerprint,
                "public_key": created.public_key,
                "type": created.type,
            }
            telling.versioned = wrap("KeypairPayload", "1.0", data)
        return created

    def delete(self, context: RequestContext, user_id: str, name: str) -> None:
        """Delete a key pair."""
        with _around(self.notifier, context, "keypair.delete", "keypair.delete") as telling:
            super().delete(context, user_id, name)
            telling.unversioned = _keypair(context, user_id, name)
            telling.versioned = wrap("KeypairPayload", "1.0", {"user_id": user_id, "name": name})


def _keypair(context: RequestContext, user_id: str, name: str) -> Payload:
    return {"tenant_id": context.project_id, "user_id": user_id, "key_name": name}


class ToldServerGroups(ServerGroupsEndpoint):
    """Server groups, with events."""

    def __init__(self, db: Database, settings: ConductorSettings, notifier: Notifier) -> None:
        super().__init__(db, settings)
        self.notifier = notifier

    def create(self, context: RequestContext, new: NewServerGroup) -> ServerGroup:
        """Make a group."""
        with _around(self.notifier, context, "servergroup.create", "server_group.create") as told:
            created = super().create(context, new)
            told.unversioned = {
                "server_group_id": created.uuid,
                "name": created.name,
                "policies": [created.policy],
            }
            data = {
                "uuid": created.uuid,
                "name": created.name,
                "project_id": created.project_id,
                "user_id": created.user_id,
                "policies": [created.policy],
                "policy": created.policy,
                "members": [],
                "hosts": None,
            }
            told.versioned = wrap("ServerGroupPayload", "1.1", data)
        return created

    def delete(self, context: RequestContext, scope: Scope, group_uuid: str) -> None:
        """Delete a group."""
        with _around(self.notifier, context, "servergroup.delete", "server_group.delete") as told:
            super().delete(context, scope, group_uuid)
            told.unversioned = {"server_group_id": group_uuid}
            told.versioned = wrap("ServerGroupPayload", "1.1", {"uuid": group_uuid})


class ToldAggregates(AggregatesEndpoint):
    """Aggregates, with events."""

    def __init__(
        self, db: Database, bus: Bus, settings: ConductorSettings, notifier: Notifier
    ) -> None:
        super().__init__(db, bus, settings)
        self.notifier = notifier

    def create(
        self, context: RequestContext, name: str, availability_zone: str | None = None
    ) -> Aggregate:
        """Make an aggregate."""
        with _around(self.notifier, context, "aggregate.create", "aggregate.create") as told:
            return _tell_of(told, super().create(context, name, availability_zone))

    def update(
        self, context: RequestContext, aggregate_id: int, change: AggregateChange
    ) -> Aggregate:
        """Rename an aggregate, or give it another zone."""
        with _around(
            self.notifier, context, "aggregate.updateprop", "aggregate.update_prop"
        ) as told:
            return _tell_of(told, super().update(context, aggregate_id, change))

    def set_metadata(
        self, context: RequestContext, aggregate_id: int, metadata: dict[str, str | None]
    ) -> Aggregate:
        """Change metadata."""
        with _around(
            self.notifier, context, "aggregate.updatemetadata", "aggregate.update_metadata"
        ) as told:
            return _tell_of(told, super().set_metadata(context, aggregate_id, metadata))

    def delete(self, context: RequestContext, aggregate_id: int) -> None:
        """Delete an aggregate."""
        with _around(self.notifier, context, "aggregate.delete", "aggregate.delete") as told:
            super().delete(context, aggregate_id)
            told.unversioned = {"aggregate_id": aggregate_id}
            told.versioned = wrap("AggregatePayload", "1.1", {"id": aggregate_id})

    def add_host(self, context: RequestContext, aggregate_id: int, host: str) -> Aggregate:
        """Put a host into an aggregate."""
        with _around(self.notifier, context, "aggregate.addhost", "aggregate.add_host") as told:
            return _tell_of(told, super().add_host(context, aggregate_id, host), host)

    def remove_host(self, context: RequestContext, aggregate_id: int, host: str) -> Aggregate:
        """Take a host out of an aggregate."""
        with _around(
            self.notifier, context, "aggregate.removehost", "aggregate.remove_host"
        ) as told:
            return _tell_of(told, super().remove_host(context, aggregate_id, host), host)


def _tell_of(told: _Telling, aggregate: Aggregate, host: str | None = None) -> Aggregate:
    told.unversioned = {
        "aggregate_id": aggregate.id,
        "name": aggregate.name,
        "host_name": host,
        "meta_data": dict(aggregate.metadata),
    }
    data = {
        "id": aggregate.id,
        "uuid": aggregate.uuid,
        "name": aggregate.name,
        "hosts": list(aggregate.hosts),
        "metadata": dict(aggregate.metadata),
    }
    told.versioned = wrap("AggregatePayload", "1.1", data)
    return aggregate


class ToldFlavors(FlavorsEndpoint):
    """Flavors, with events; these have the versioned form only."""

    def __init__(self, db: Database, notifier: Notifier) -> None:
        super().__init__(db)
        self.notifier = notifier

    def create(self, context: RequestContext, new: NewFlavor) -> Flavor:
        """Create a flavor."""
        created = super().create(context, new)
        self._tell(context, "create", flavor_payload(created))
        return created

    def update(self, context: RequestContext, flavorid: str, change: FlavorChange) -> Flavor:
        """Change a flavor."""
        changed = super().update(context, flavorid, change)
        self._tell(context, "update", flavor_payload(changed))
        return changed

    def delete(self, context: RequestContext, flavorid: str) -> None:
        """Delete a flavor."""
        super().delete(context, flavorid)
        self._tell(context, "delete", wrap("FlavorPayload", "1.4", {"flavorid": flavorid}))

    def _tell(self, context: RequestContext, verb: str, payload: Payload) -> None:
        event = Event(publisher_id=PUBLISHER, versioned_type=f"flavor.{verb}", versioned=payload)
        self.notifier.tell_safely(context, event)


class ToldHosts(HostsEndpoint):
    """Services and hosts, with events about services; these have the versioned form only."""

    def __init__(self, db: Database, settings: ConductorSettings, notifier: Notifier) -> None:
        super().__init__(db, settings)
        self.notifier = notifier

    def update_service(
        self,
        context: RequestContext,
        service_id: str,
        change: ServiceChange,
        binary: str | None = None,
    ) -> Service:
        """Change a service."""
        changed = super().update_service(context, service_id, change, binary)
        data = {
            "uuid": changed.uuid,
            "host": changed.host,
            "binary": changed.binary,
            "topic": changed.topic,
            "report_count": changed.report_count,
            "disabled": changed.disabled,
            "disabled_reason": changed.disabled_reason,
            "availability_zone": changed.availability_zone,
            "last_seen_up": None if changed.last_seen_up is None else str(changed.last_seen_up),
            "forced_down": changed.forced_down,
            "version": changed.version,
        }
        self._tell(context, "update", data)
        return changed

    def delete_service(self, context: RequestContext, service_id: str) -> None:
        """Forget a service."""
        super().delete_service(context, service_id)
        self._tell(context, "delete", {"uuid": service_id})

    def _tell(self, context: RequestContext, verb: str, data: Payload) -> None:
        event = Event(
            publisher_id=PUBLISHER,
            versioned_type=f"service.{verb}",
            versioned=wrap("ServiceStatusPayload", "1.1", data),
        )
        self.notifier.tell_safely(context, event)
