"""Placement reports: why servers went where they are."""

import dataclasses
import datetime
from collections.abc import Sequence

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import instances, placement_reports
from nova.objects.request_spec import PlacementReport


def create(
    tx: Transaction,
    reservation_id: str,
    uuids: Sequence[str],
    report: PlacementReport,
    now: datetime.datetime,
) -> None:
    """Store the report of one scheduling attempt for some servers of a request."""
    tx.execute(
        sa.insert(placement_reports).values(
            reservation_id=reservation_id,
            instance_uuids=tuple(uuids),
            report=dataclasses.replace(report, created_at=now),
            created_at=now,
        )
    )


def list_for(
    tx: Transaction, reservation_id: str, instance_uuid: str, limit: int
) -> list[PlacementReport]:
    """Return the newest reports about a server, oldest first, with its destinations only."""
    query = (
        sa.select(placement_reports.c.instance_uuids, placement_reports.c.report)
        .where(placement_reports.c.reservation_id == reservation_id)
        .order_by(placement_reports.c.id.desc())
        .limit(1000)
    )
    found: list[PlacementReport] = []
    for uuids, report in tx.execute(query):
        if instance_uuid in uuids and len(found) < limit:
            index = uuids.index(instance_uuid)
            own = report.destinations[index : index + 1]
            found.append(dataclasses.replace(report, destinations=own))
    return found[::-1]


def prune(tx: Transaction, before: datetime.datetime, limit: int = 1000) -> int:
    """Remove old reports about servers that are all gone; return their number."""
    live = sa.exists().where(instances.c.reservation_id == placement_reports.c.reservation_id)
    query = (
        sa.select(placement_reports.c.id)
        .where(placement_reports.c.created_at < before, ~live)
        .limit(limit)
    )
    ids = [row[0] for row in tx.execute(query)]
    if ids:
        tx.execute(sa.delete(placement_reports).where(placement_reports.c.id.in_(ids)))
    return len(ids)
