"""Writing many rows in one statement, in the dialect of the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from nova.db.engine import Transaction

Row = Mapping[str, Any]

_CHUNK = 500


def insert(tx: Transaction, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows, if there are any."""
    if rows:
        tx.execute(sa.insert(table), list(rows))


def insert_keyed(
    tx: Transaction, table: sa.Table, key: sa.Column[Any], rows: Sequence[Row]
) -> dict[str, int]:
    """Insert rows and return their ids by the value of another unique column."""
    if len(rows) == 1:
        result = tx.execute(sa.insert(table).values(**rows[0]))
        primary_key = result.inserted_primary_key
        assert primary_key is not None, "a row was inserted"
        return {rows[0][key.name]: primary_key[0]}
    if tx.dialect.insert_executemany_returning:
        returned = tx.execute(sa.insert(table).returning(key, table.c.id), list(rows))
        return _pairs(returned)
    insert(tx, table, rows)
    found = tx.execute(sa.select(key, table.c.id).where(key.in_([row[key.name] for row in rows])))
    return _pairs(found)


def _pairs(rows: Iterable[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in rows}


def insert_missing(tx: Transaction, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose keys are not there yet; existing ones stay as they are."""
    if not rows:
        return
    statement: Any
    if tx.dialect.name == "postgresql":
        statement = postgresql.insert(table).on_conflict_do_nothing()
    elif tx.dialect.name == "sqlite":
        statement = sqlite.insert(table).on_conflict_do_nothing()
    else:
        statement = sa.insert(table).prefix_with("IGNORE")
    tx.execute(statement, list(rows))


def chunks(values: Sequence[Any], size: int = _CHUNK) -> list[Sequence[Any]]:
    """Return pieces of at most size items, so that statements stay bounded."""
    return [values[start : start + size] for start in range(0, len(values), size)]
