"""nova-manage db: the schema of the database."""

import argparse
from typing import Any

from nova.db import migrations_api
from nova.manage.command import Argument, Command, never
from nova.manage.output import Result


def sync(conf: Any, args: argparse.Namespace) -> Result:
    """Bring the schema to a version, by default the newest."""
    version = migrations_api.sync(conf.database.connection, args.version)
    return Result(message=f"The database is at version {version}.", document={"version": version})


def version(conf: Any, args: argparse.Namespace) -> Result:
    """Tell the version of the schema."""
    current = migrations_api.version(conf.database.connection)
    return Result(message=current or "none", document={"version": current})


COMMANDS = (
    Command(
        category="db",
        name="sync",
        help="create the tables, or bring them up to date",
        run=sync,
        arguments=(
            Argument(
                "version", nargs="?", default="head", help="version to go to (default: newest)"
            ),
        ),
        needs_conductor=False,
    ),
    Command(
        category="db",
        name="version",
        help="print the version of the tables",
        run=version,
        changes=never,
        needs_conductor=False,
    ),
)
