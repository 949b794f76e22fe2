"""Texts by which clients repeat requests for servers."""

import datetime
from collections.abc import Sequence

import sqlalchemy as sa

from nova.db import bulk
from nova.db.duplicates import Repeat, refused_as
from nova.db.engine import Transaction
from nova.db.tables import ec2_client_tokens
from nova.objects.instance import ClientToken

MAX_PURGED = 10000

_COLUMN = ec2_client_tokens.c


def create(
    tx: Transaction,
    project_id: str,
    token: ClientToken,
    reservation_id: str,
    now: datetime.datetime,
) -> None:
    """Insert a token.  Raises: Repeat when another transaction has just done so."""
    with refused_as(Repeat()):
        tx.execute(
            sa.insert(ec2_client_tokens).values(
                project_id=project_id,
                client_token=token.token,
                parameters_hash=token.parameters_hash,
                reservation_id=reservation_id,
                created_at=now,
            )
        )


def find(tx: Transaction, project_id: str, token: str) -> tuple[str, str] | None:
    """Return the digest of what was asked for, and the reservation."""
    query = sa.select(_COLUMN.parameters_hash, _COLUMN.reservation_id).where(
        _COLUMN.project_id == project_id, _COLUMN.client_token == token
    )
    row = tx.execute(query).first()
    return None if row is None else (row.parameters_hash, row.reservation_id)


def of_reservations(tx: Transaction, reservation_ids: Sequence[str]) -> dict[str, str]:
    """Return the tokens of reservations."""
    return {
        row.reservation_id: row.client_token
        for piece in bulk.chunks(reservation_ids)
        for row in tx.execute(
            sa.select(_COLUMN.reservation_id, _COLUMN.client_token).where(
                _COLUMN.reservation_id.in_(piece)
            )
        )
    }


def purge(tx: Transaction, before: datetime.datetime) -> int:
    """Delete tokens from before a time; return how many."""
    query = sa.select(_COLUMN.id).where(_COLUMN.created_at < before).limit(MAX_PURGED)
    ended = [row.id for row in tx.execute(query)]
    for piece in bulk.chunks(ended):
        tx.execute(sa.delete(ec2_client_tokens).where(_COLUMN.id.in_(piece)))
    return len(ended)
