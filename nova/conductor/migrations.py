"""Records of moves and resizes."""

from nova.conductor.rpcapi.migrations import ConductorMigrations
from nova.context import RequestContext
from nova.db import server_migrations
from nova.db.engine import Database, retried
from nova.exception import MarkerNotFound
from nova.objects.migration import Migration, MigrationQuery


class MigrationsEndpoint(ConductorMigrations):
    """Serves the migrations of the database."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    def page(self, context: RequestContext, query: MigrationQuery) -> tuple[Migration, ...]:
        """Return one page of migrations."""
        with self.db.reading() as tx:
            found = server_migrations.page(tx, query)
        if found is None:
            raise MarkerNotFound(marker=query.marker)
        return tuple(found)
