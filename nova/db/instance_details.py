"""What belongs to a server and changes on its own: metadata, tags, the guest's password."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from nova.db import bulk
from nova.db.engine import Transaction
from nova.db.tables import instance_metadata, instance_system_metadata, tags


def set_metadata(tx: Transaction, uuids: Sequence[str], items: Mapping[str, str]) -> None:
    """Add or overwrite metadata of servers."""
    if not items:
        return
    delete_metadata(tx, uuids, list(items))
    create_metadata(tx, uuids, items)


def create_metadata(tx: Transaction, uuids: Sequence[str], items: Mapping[str, str]) -> None:
    """Insert metadata of servers that have none of these keys."""
    rows = [
        {"instance_uuid": uuid, "key": key, "value": value}
        for uuid in uuids
        for key, value in items.items()
    ]
    bulk.insert(tx, instance_metadata, rows)


def delete_metadata(tx: Transaction, uuids: Sequence[str], keys: Sequence[str] | None) -> int:
    """Remove metadata of servers, all of it when keys is None; return how much there was."""
    statement = sa.delete(instance_metadata).where(instance_metadata.c.instance_uuid.in_(uuids))
    if keys is not None:
        statement = statement.where(instance_metadata.c.key.in_(keys))
    return tx.execute(statement).rowcount


def create_tags(tx: Transaction, uuids: Sequence[str], names: Sequence[str]) -> None:
    """Insert tags of servers that have none of them."""
    rows = [{"resource_id": uuid, "tag": name} for uuid in uuids for name in names]
    bulk.insert(tx, tags, rows)


def delete_tags(tx: Transaction, instance_uuid: str, names: Sequence[str] | None) -> int:
    """Remove tags of a server, all when names is None; return how many there were."""
    statement = sa.delete(tags).where(tags.c.resource_id == instance_uuid)
    if names is not None:
        statement = statement.where(tags.c.tag.in_(names))
    return tx.execute(statement).rowcount


def get_system(tx: Transaction, instance_uuid: str, key: str) -> str | None:
    """Return an item that only the services see."""
    query = sa.select(instance_system_metadata.c.value).where(
        instance_system_metadata.c.instance_uuid == instance_uuid,
        instance_system_metadata.c.key == key,
    )
    return tx.execute(query).scalar()


def set_system(tx: Transaction, instance_uuid: str, key: str, value: str) -> None:
    """Add or overwrite an item that only the services see."""
    delete_system(tx, instance_uuid, key)
    row = {"instance_uuid": instance_uuid, "key": key, "value": value}
    bulk.insert(tx, instance_system_metadata, [row])


def create_system(tx: Transaction, uuids: Sequence[str], key: str, value: str) -> None:
    """Insert an item that only the services see, of servers that have none of this key."""
    rows = [{"instance_uuid": uuid, "key": key, "value": value} for uuid in uuids]
    bulk.insert(tx, instance_system_metadata, rows)


def having_system(tx: Transaction, uuids: Sequence[str], key: str) -> list[str]:
    """Return which servers have an item that only the services see, in their order."""
    column = instance_system_metadata.c.instance_uuid
    found = {
        uuid
        for piece in bulk.chunks(uuids)
        for uuid in tx.execute(
            sa.select(column).where(column.in_(piece), instance_system_metadata.c.key == key)
        ).scalars()
    }
    return [uuid for uuid in uuids if uuid in found]


def delete_system(tx: Transaction, instance_uuid: str, key: str) -> None:
    """Remove an item that only the services see."""
    tx.execute(
        sa.delete(instance_system_metadata).where(
            instance_system_metadata.c.instance_uuid == instance_uuid,
            instance_system_metadata.c.key == key,
        )
    )
