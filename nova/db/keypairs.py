"""Key pairs of users."""

import dataclasses

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import key_pairs
from nova.objects.keypair import Keypair

_COLUMNS = [
    key_pairs.c[field.name] for field in dataclasses.fields(Keypair) if field.name != "private_key"
]


def find(tx: Transaction, user_id: str, name: str) -> Keypair | None:
    """Return a key pair."""
    query = sa.select(*_COLUMNS).where(key_pairs.c.user_id == user_id, key_pairs.c.name == name)
    row = tx.execute(query).mappings().first()
    return None if row is None else Keypair(**row)


def page(tx: Transaction, user_id: str, limit: int, after: str | None) -> list[Keypair]:
    """Return one page of a user's key pairs by name, after a name."""
    query = sa.select(*_COLUMNS).where(key_pairs.c.user_id == user_id)
    if after is not None:
        query = query.where(key_pairs.c.name > after)
    query = query.order_by(key_pairs.c.name).limit(limit)
    return [Keypair(**row) for row in tx.execute(query).mappings()]


def count(tx: Transaction, user_id: str) -> int:
    """Return how many key pairs a user has."""
    query = sa.select(sa.func.count()).where(key_pairs.c.user_id == user_id)
    return tx.execute(query).scalar_one()


def create(tx: Transaction, row: bulk.Row) -> int:
    """Insert a key pair; return its row id."""
    return bulk.insert_keyed(tx, key_pairs, key_pairs.c.name, [row])[row["name"]]


def delete(tx: Transaction, user_id: str, name: str) -> bool:
    """Remove a key pair; tell whether it was there."""
    statement = sa.delete(key_pairs).where(key_pairs.c.user_id == user_id, key_pairs.c.name == name)
    return tx.execute(statement).rowcount == 1
