"""Console tokens, by their hashes."""

import datetime
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from nova.db import instances
from nova.db.engine import Transaction
from nova.db.tables import console_auth_tokens
from nova.db.tables import instances as servers
from nova.objects.console import ConsoleConnection, ConsoleGrant, ConsoleType, LiveGrant
from nova.objects.lifecycle import CONSOLE_STATES

_TOKEN = console_auth_tokens.c
_PREFIX = "token_"
_COLUMNS = [column.label(f"{_PREFIX}{column.name}") for column in _TOKEN]


def create(tx: Transaction, grant: ConsoleGrant, now: datetime.datetime) -> None:
    """Keep a token."""
    tx.execute(
        sa.insert(console_auth_tokens).values(
            token_hash=grant.token_hash,
            console_type=grant.console_type.value,
            host=grant.host,
            console_host=grant.connection.host,
            port=grant.connection.port,
            tls_port=grant.connection.tls_port,
            internal_access_path=grant.connection.internal_access_path,
            instance_uuid=grant.instance_uuid,
            generation=grant.generation,
            user_id=grant.user_id,
            project_id=grant.project_id,
            access_url_base=grant.access_url_base,
            expires=grant.expires,
            created_at=now,
        )
    )


def find_live(tx: Transaction, token_hash: str, now: datetime.datetime) -> LiveGrant | None:
    """Return what an unexpired token stands for, if its server is still as it was then."""
    source = instances.live_source().join(
        console_auth_tokens,
        sa.and_(
            _TOKEN.instance_uuid == servers.c.uuid,
            _TOKEN.host == servers.c.host,
            _TOKEN.generation == servers.c.console_generation,
        ),
    )
    query = (
        sa.select(*instances.live_columns(), *_COLUMNS)
        .select_from(source)
        .where(
            _TOKEN.token_hash == token_hash,
            _TOKEN.expires > now,
            servers.c.vm_state.in_(CONSOLE_STATES),
        )
    )
    found = tx.execute(query).mappings().first()
    if found is None:
        return None
    row = dict(found)
    return LiveGrant(grant=_grant(row), instance=instances.to_instance(row))


def _grant(row: Mapping[str, Any]) -> ConsoleGrant:
    token = {column.name: row[f"{_PREFIX}{column.name}"] for column in _TOKEN}
    return ConsoleGrant(
        token_hash=token["token_hash"],
        console_type=ConsoleType(token["console_type"]),
        connection=ConsoleConnection(
            host=token["console_host"],
            port=token["port"],
            tls_port=token["tls_port"],
            internal_access_path=token["internal_access_path"],
        ),
        instance_uuid=token["instance_uuid"],
        host=token["host"],
        generation=token["generation"],
        user_id=token["user_id"],
        project_id=token["project_id"],
        access_url_base=token["access_url_base"],
        expires=token["expires"],
    )


def delete_for(tx: Transaction, instance_uuid: str) -> None:
    """Forget all tokens of a server."""
    tx.execute(
        sa.delete(console_auth_tokens).where(console_auth_tokens.c.instance_uuid == instance_uuid)
    )


def delete_expired(tx: Transaction, now: datetime.datetime) -> int:
    """Forget tokens whose time is over; return how many there were."""
    statement = sa.delete(console_auth_tokens).where(console_auth_tokens.c.expires <= now)
    return tx.execute(statement).rowcount
