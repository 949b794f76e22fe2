"""Conductor interface: server groups: servers that shall be kept together or apart."""

from nova.context import RequestContext
from nova.objects.instance import (
    Scope,
)
from nova.objects.server_group import NewServerGroup, ServerGroup
from nova.rpc.interface import Interface, call


class ConductorServerGroups(Interface):
    """Server groups: servers that shall be kept together or apart."""

    topic = "conductor"
    namespace = "server_groups"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def page(
        self, context: RequestContext, scope: Scope, limit: int = 1000, offset: int = 0
    ) -> tuple[ServerGroup, ...]:
        """Return groups in the order in which they were made, after the first offset ones."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, scope: Scope, group_uuid: str) -> ServerGroup:
        """Return a group.  Raises: ServerGroupNotFound."""

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewServerGroup) -> ServerGroup:
        """Make a group without servers.  Raises: QuotaExceeded."""

    @call(since="1.0")
    def delete(self, context: RequestContext, scope: Scope, group_uuid: str) -> None:
        """Delete a group; its servers live on without it.  Raises: ServerGroupNotFound."""
