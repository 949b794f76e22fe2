"""Which security groups servers are in, inside the caller's transaction."""

import datetime
from collections.abc import Sequence

from nova.db import firewall, security_groups
from nova.db.engine import Transaction
from nova.exception import RequestedGroupNotFound, SecurityGroupInvalid, SecurityGroupNotFound
from nova.objects.instance import Instance
from nova.objects.security_group import SecurityGroup


def resolve(
    tx: Transaction,
    project_id: str,
    user_id: str | None,
    names: Sequence[str],
    now: datetime.datetime,
) -> list[SecurityGroup]:
    """Return the groups that a new server asks for by name, integer id or uuid.

    Raises: RequestedGroupNotFound for one that the project does not have.
    """
    known = security_groups.list_named(tx, project_id, names) if names else []
    if security_groups.DEFAULT in names and _pick(known, security_groups.DEFAULT) is None:
        security_groups.ensure_default(tx, project_id, user_id, now)
        known = security_groups.list_named(tx, project_id, names)
    found: dict[int, SecurityGroup] = {}
    for name in names:
        group = _pick(known, name)
        if group is None:
            raise RequestedGroupNotFound(name=name)
        found[group.id] = group
    return list(found.values())


def _pick(known: Sequence[SecurityGroup], text: str) -> SecurityGroup | None:
    """Return the group so called; a name comes before a uuid, a uuid before an id."""
    for attribute in ("name", "uuid"):
        for group in known:
            if getattr(group, attribute) == text:
                return group
    row_id = security_groups.row_id_of(text)
    return next((group for group in known if group.id == row_id), None)


def _one(tx: Transaction, instance: Instance, name: str, now: datetime.datetime) -> SecurityGroup:
    try:
        (group,) = resolve(tx, instance.project_id, instance.user_id, [name], now)
    except RequestedGroupNotFound as error:
        raise SecurityGroupNotFound(name=name) from error
    return group


def add(tx: Transaction, instance: Instance, name: str, now: datetime.datetime) -> None:
    """Put a server into a group.  Raises: SecurityGroupNotFound, SecurityGroupInvalid."""
    group = _one(tx, instance, name, now)
    security_groups.add_member(tx, instance.uuid, group)
    firewall.note_server(tx, instance.uuid)


def replace(
    tx: Transaction, instance: Instance, names: Sequence[str], now: datetime.datetime
) -> None:
    """Put a server into some groups and out of all others.

    Raises: SecurityGroupNotFound, SecurityGroupInvalid.
    """
    before, after = set(instance.security_groups), set(names)
    for name in sorted(after - before):
        add(tx, instance, name, now)
    for name in sorted(before - after):
        remove(tx, instance, name, now)


def remove(tx: Transaction, instance: Instance, name: str, now: datetime.datetime) -> None:
    """Take a server out of a group.  Raises: SecurityGroupNotFound, SecurityGroupInvalid."""
    group = _one(tx, instance, name, now)
    firewall.note_server(tx, instance.uuid)
    if not security_groups.remove_member(tx, instance.uuid, group.id):
        reason = f"Instance {instance.uuid} is not in security group {group.name}."
        raise SecurityGroupInvalid(reason=reason)
