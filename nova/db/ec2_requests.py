"""Signed requests that have acted, with their answers."""

import datetime
import json

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import ec2_requests
from nova.objects.ec2 import KeptAnswer

MAX_PURGED = 10000


def create(
    tx: Transaction, digest: str, expires_at: datetime.datetime, now: datetime.datetime
) -> None:
    """Insert a request; the database refuses a second time."""
    tx.execute(
        sa.insert(ec2_requests).values(signature_hash=digest, expires_at=expires_at, created_at=now)
    )


def exists(tx: Transaction, digest: str) -> bool:
    """Tell whether a request is there."""
    column = ec2_requests.c
    query = sa.select(column.id).where(column.signature_hash == digest)
    return tx.execute(query).first() is not None


def find_answer(tx: Transaction, digest: str) -> KeptAnswer | None:
    """Return the answer to a request, None as long as there is none."""
    column = ec2_requests.c
    query = sa.select(column.answer).where(column.signature_hash == digest)
    text = tx.execute(query).scalar()
    return None if text is None else KeptAnswer(**json.loads(text))


def set_answer(tx: Transaction, digest: str, answer: KeptAnswer) -> None:
    """Store the answer to a request."""
    text = json.dumps({"status": answer.status, "text": answer.text})
    change = sa.update(ec2_requests).where(ec2_requests.c.signature_hash == digest)
    tx.execute(change.values(answer=text))


def purge(tx: Transaction, now: datetime.datetime) -> int:
    """Delete requests whose signatures have ended; return how many."""
    column = ec2_requests.c
    query = sa.select(column.id).where(column.expires_at < now).limit(MAX_PURGED)
    ended = [row.id for row in tx.execute(query)]
    for piece in bulk.chunks(ended):
        tx.execute(sa.delete(ec2_requests).where(column.id.in_(piece)))
    return len(ended)
