"""Conductor interface: records of moves and resizes."""

from nova.context import RequestContext
from nova.objects.migration import Migration, MigrationQuery
from nova.rpc.interface import Interface, call


class ConductorMigrations(Interface):
    """Records of moves and resizes."""

    topic = "conductor"
    namespace = "migrations"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def page(self, context: RequestContext, query: MigrationQuery) -> tuple[Migration, ...]:
        """Return one page of migrations, newest first.  Raises: MarkerNotFound."""
