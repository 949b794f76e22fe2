"""Copies a server many times in the database, or removes the copies; no host knows of them.

Runs under the daemons' interpreter: copy_servers.py FILE make UUID COUNT, or copy_servers.py
FILE remove; the configuration file names the database.
"""

from __future__ import annotations

import configparser
import datetime
import sys
import uuid
from typing import Any

import sqlalchemy as sa

from nova.db.engine import Database, DatabaseSettings
from nova.db.tables import instances

# A host that never reports: nobody compares its guests with what is stored.
HOST = "copies"
CHUNK = 500
PER_SECOND = 10


def main(arguments: list[str]) -> None:
    """Make or remove copies."""
    file, verb, *rest = arguments
    configuration = configparser.RawConfigParser()
    configuration.read(file)
    database = Database(DatabaseSettings(connection=configuration["database"]["connection"]))
    try:
        if verb == "make":
            _make(database, rest[0], int(rest[1]))
        else:
            _remove(database)
    except sa.exc.DBAPIError as error:  # its text alone: the statement is very long
        sys.exit(f"{error.orig}")
    finally:
        database.close()


def _make(database: Database, original: str, count: int) -> None:
    with database.transaction() as tx:
        query = sa.select(instances).where(instances.c.uuid == original)
        row = dict(tx.execute(query).mappings().one())
        del row["id"]
        for first in range(0, count, CHUNK):
            copies = [_copy(row, number) for number in range(first, min(first + CHUNK, count))]
            tx.execute(sa.insert(instances), copies)


def _copy(row: dict[str, Any], number: int) -> dict[str, Any]:
    age = datetime.timedelta(seconds=number // PER_SECOND)
    name = f"copy-{number}"
    own = {"uuid": str(uuid.uuid4()), "host": HOST, "display_name": name, "hostname": name}
    return {**row, **own, "created_at": row["created_at"] - age}


def _remove(database: Database) -> None:
    with database.transaction() as tx:
        tx.execute(sa.delete(instances).where(instances.c.host == HOST))


if __name__ == "__main__":
    main(sys.argv[1:])
