"""What has happened to servers: their actions, and why they were placed where they are."""

import dataclasses

from nova.conductor.rpcapi.instances import ConductorInstances
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import archive, instances, operations, placement_reports
from nova.db.engine import Database, Transaction, retried
from nova.exception import ActionNotFound, InstanceNotFound, MarkerNotFound
from nova.objects.instance import Instance, Scope
from nova.objects.lifecycle import PUBLIC_ACTION_NAMES
from nova.objects.operation import ActionQuery, ActionRecord
from nova.objects.request_spec import PlacementReport


class History(ConductorInstances):
    """Serves the past of live and deleted servers."""

    db: Database
    settings: ConductorSettings

    @retried
    def page_actions(
        self, context: RequestContext, scope: Scope, instance_uuid: str, query: ActionQuery
    ) -> tuple[ActionRecord, ...]:
        """Return one page of a server's actions."""
        with self.db.reading() as tx:
            _require_any(tx, scope, instance_uuid)
            found = operations.page(tx, instance_uuid, query)
        if found is None:
            raise MarkerNotFound(marker=query.marker)
        return tuple(_public(record) for record in found)

    @retried
    def get_action(
        self, context: RequestContext, scope: Scope, instance_uuid: str, request_id: str
    ) -> ActionRecord:
        """Return one action with its events."""
        with self.db.reading() as tx:
            _require_any(tx, scope, instance_uuid)
            found = operations.find_record(tx, instance_uuid, request_id)
        if found is None:
            raise ActionNotFound(request_id=request_id, instance_uuid=instance_uuid)
        return _public(found)

    @retried
    def explain(
        self, context: RequestContext, scope: Scope, instance_uuid: str
    ) -> tuple[PlacementReport, ...]:
        """Return the placement reports of a server."""
        with self.db.reading() as tx:
            instance = _require_any(tx, scope, instance_uuid)
            reservation_id = instance.reservation_id or instance.uuid
            kept = self.settings.placement_reports_kept
            return tuple(placement_reports.list_for(tx, reservation_id, instance.uuid, kept))


def _require_any(tx: Transaction, scope: Scope, instance_uuid: str) -> Instance:
    """Return a live or deleted server.  Raises: InstanceNotFound."""
    found = archive.find(tx, instance_uuid, scope) or instances.find(tx, instance_uuid, scope)
    if found is None:
        raise InstanceNotFound(instance_uuid=instance_uuid)
    return found


def _public(record: ActionRecord) -> ActionRecord:
    return dataclasses.replace(record, action=PUBLIC_ACTION_NAMES.get(record.action, record.action))
