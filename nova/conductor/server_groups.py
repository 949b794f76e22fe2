"""Server groups: servers that shall be kept together or apart."""

import uuid

from nova import clock
from nova.conductor.rpcapi.server_groups import ConductorServerGroups
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import quotas, server_groups
from nova.db.engine import Database, retried
from nova.exception import QuotaExceeded, ServerGroupNotFound
from nova.objects.instance import Scope
from nova.objects.server_group import NewServerGroup, ServerGroup

MAX_PAGE = 1000
_ONE = {"server_groups": 1}


class ServerGroupsEndpoint(ConductorServerGroups):
    """Serves the server groups of the database."""

    def __init__(self, db: Database, settings: ConductorSettings) -> None:
        self.db = db
        self.settings = settings

    @retried
    def page(
        self, context: RequestContext, scope: Scope, limit: int = MAX_PAGE, offset: int = 0
    ) -> tuple[ServerGroup, ...]:
        """Return groups in the order in which they were made."""
        with self.db.reading() as tx:
            return tuple(server_groups.page(tx, scope, max(0, min(limit, MAX_PAGE)), offset))

    @retried
    def get(self, context: RequestContext, scope: Scope, group_uuid: str) -> ServerGroup:
        """Return a group."""
        with self.db.reading() as tx:
            found = server_groups.find(tx, group_uuid, scope)
        if found is None:
            raise ServerGroupNotFound(group_uuid=group_uuid)
        return found

    @retried
    def create(self, context: RequestContext, new: NewServerGroup) -> ServerGroup:
        """Make a group without servers."""
        now = clock.utcnow()
        group_uuid = str(uuid.uuid4())
        row = {
            "uuid": group_uuid,
            "name": new.name,
            "project_id": new.project_id,
            "user_id": new.user_id,
            "policy": new.policy,
            "max_server_per_host": new.max_server_per_host,
            "created_at": now,
            "updated_at": now,
        }
        with self.db.transaction() as tx:
            server_groups.create(tx, row)
            created = server_groups.find(tx, group_uuid, Scope())
            # Last, because the project's other requests wait for these rows until the commit.
            quotas.ensure_rows(tx, new.project_id, new.user_id, list(_ONE))
            defaults = self.settings.quotas
            if not quotas.claim(tx, new.project_id, new.user_id, _ONE, defaults):
                limits = quotas.limits(tx, new.project_id, defaults, new.user_id)
                raise QuotaExceeded(resource="server groups", allowed=limits["server_groups"])
        assert created is not None, "the row was just inserted"
        return created

    @retried
    def delete(self, context: RequestContext, scope: Scope, group_uuid: str) -> None:
        """Delete a group; its servers live on without it."""
        with self.db.transaction() as tx:
            owner = server_groups.delete(tx, group_uuid, scope)
            if owner is None:
                raise ServerGroupNotFound(group_uuid=group_uuid)
            quotas.release(tx, *owner, _ONE)
