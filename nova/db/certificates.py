"""Records of certificates."""

import dataclasses
import datetime
from collections.abc import Sequence

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import certificates
from nova.objects.certificate import Certificate, NewCertificate

_COLUMNS = [certificates.c[field.name] for field in dataclasses.fields(Certificate)]


def add(tx: Transaction, certificate: NewCertificate, now: datetime.datetime) -> None:
    """Insert a certificate."""
    row = dataclasses.asdict(certificate)
    tx.execute(sa.insert(certificates).values(**row, created_at=now))


def list_valid(
    tx: Transaction, project_id: str | None, user_id: str | None, limit: int
) -> list[Certificate]:
    """Return certificates that are not revoked, newest first."""
    query = sa.select(*_COLUMNS).where(certificates.c.revoked_at.is_(None))
    if project_id is not None:
        query = query.where(certificates.c.project_id == project_id)
    if user_id is not None:
        query = query.where(certificates.c.user_id == user_id)
    query = query.order_by(certificates.c.id.desc()).limit(limit)
    return [Certificate(**row) for row in tx.execute(query).mappings()]


def mark_revoked(tx: Transaction, ids: Sequence[int], now: datetime.datetime) -> None:
    """Note the time of revocation where none is noted."""
    statement = sa.update(certificates).where(
        certificates.c.id.in_(ids), certificates.c.revoked_at.is_(None)
    )
    tx.execute(statement.values(revoked_at=now))
