"""Brings the database to the schema of this release."""

import importlib.resources

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from nova.db.engine import Database, DatabaseSettings
from nova.exception import ConfigurationError


def sync(url: str, revision: str = "head") -> str | None:
    """Migrate the database to a revision, and return it; it may be empty.

    Raises: ConfigurationError.
    """
    database = Database(DatabaseSettings(connection=url))
    try:
        sync_database(database, revision)
        with database.reading() as connection:
            return current(connection)
    finally:
        database.close()


def sync_database(database: Database, revision: str = "head") -> None:
    """Migrate an open database to a revision.  Raises: ConfigurationError."""
    with database.transaction() as connection:
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            raise ConfigurationError(reason=f"the schema has no version {revision}") from error


def version(url: str) -> str | None:
    """Return the revision of the database, None when it is empty."""
    database = Database(DatabaseSettings(connection=url))
    try:
        with database.reading() as connection:
            return current(connection)
    finally:
        database.close()


def current(connection: sa.Connection) -> str | None:
    """Return the revision of an open database."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Return the revision that this release needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the package has migrations"
    return head


def _config() -> Config:
    folder = importlib.resources.files("nova.db.migrations")
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config
