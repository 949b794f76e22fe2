"""Builds of guest agents."""

import dataclasses
import datetime
from collections.abc import Mapping

import sqlalchemy as sa

from nova.db.engine import Transaction
from nova.db.tables import agent_builds
from nova.objects.agent import AgentBuild

MAX_BUILDS = 1000

_COLUMNS = [agent_builds.c[field.name] for field in dataclasses.fields(AgentBuild)]


def list_all(tx: Transaction, hypervisor: str | None = None) -> list[AgentBuild]:
    """Return builds, of one kind of hypervisor if one is named, in order of their ids."""
    query = sa.select(*_COLUMNS).order_by(agent_builds.c.id).limit(MAX_BUILDS)
    if hypervisor is not None:
        query = query.where(agent_builds.c.hypervisor == hypervisor)
    return [AgentBuild(**row) for row in tx.execute(query).mappings()]


def create(tx: Transaction, build: AgentBuild, now: datetime.datetime) -> int:
    """Insert a build; return its row id."""
    row = dataclasses.asdict(build)
    del row["id"]
    result = tx.execute(sa.insert(agent_builds).values(**row, created_at=now))
    primary_key = result.inserted_primary_key
    assert primary_key is not None, "a row was inserted"
    return int(primary_key[0])


def update(
    tx: Transaction, build_id: int, values: Mapping[str, str], now: datetime.datetime
) -> bool:
    """Change a build; tell whether it is there."""
    statement = sa.update(agent_builds).where(agent_builds.c.id == build_id)
    return tx.execute(statement.values(**values, updated_at=now)).rowcount == 1


def delete(tx: Transaction, build_id: int) -> bool:
    """Remove a build; tell whether it was there."""
    return tx.execute(sa.delete(agent_builds).where(agent_builds.c.id == build_id)).rowcount == 1
