"""What server groups ask of the creation and the placement of servers."""

import dataclasses
import datetime
import uuid
from collections.abc import Mapping, Sequence

from nova.db import instances, quotas, server_groups
from nova.db.engine import Transaction
from nova.exception import GroupPolicyViolated, InvalidInput, QuotaExceeded
from nova.objects.instance import Instance, NewServers
from nova.objects.quota import UNLIMITED
from nova.objects.request_spec import RequestSpec

HINT = "group"
_MEMBERS = "server_group_members"
_SERVER_HINTS = ("same_host", "different_host")


def group_of(new: NewServers) -> str | None:
    """Return the uuid of the group that a request names.  Raises: InvalidInput."""
    named = new.hints.get(HINT, ())
    if len(named) > 1:
        raise InvalidInput(reason="A server can be in one server group only.")
    return _canonical(named[0]) if named else None


def _canonical(text: str) -> str:
    """Return a uuid in lower case with hyphens; any other text as it is."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return text


def join(
    tx: Transaction,
    new: NewServers,
    uuids: Sequence[str],
    defaults: Mapping[str, int],
    now: datetime.datetime,
) -> tuple[str, ...]:
    """Make new servers members of the group that their request names; return its uuid.

    A group of another project is as unknown as one that does not exist.
    Raises: InvalidInput, QuotaExceeded.
    """
    group_uuid = group_of(new)
    if group_uuid is None:
        return ()
    if not server_groups.lock(tx, group_uuid, now, new.project_id):
        raise InvalidInput(reason=f"Server group {group_uuid} could not be found.")
    limit = quotas.limits(tx, new.project_id, defaults, new.user_id)[_MEMBERS]
    if limit != UNLIMITED and server_groups.count_members(tx, group_uuid) + len(uuids) > limit:
        raise QuotaExceeded(resource="servers in group", allowed=limit)
    server_groups.add_members(tx, group_uuid, uuids)
    return (group_uuid,)


def depends_on_others(spec: RequestSpec) -> bool:
    """Tell whether a placement depends on where certain other servers are."""
    return spec.group_uuid is not None or any(name in spec.hints for name in _SERVER_HINTS)


def with_others(tx: Transaction, spec: RequestSpec) -> RequestSpec:
    """Return a request with its group's members, and with hints at the project's servers only.

    A hint at a server of another project is treated as one at a server that does not exist,
    so that placements tell nothing about either.
    """
    group = None
    if spec.group_uuid is not None:
        group = server_groups.find_placed(tx, spec.group_uuid)
    named = {
        name: [_canonical(text) for text in spec.hints[name]]
        for name in _SERVER_HINTS
        if name in spec.hints
    }
    asked = sorted({text for texts in named.values() for text in texts})
    own = instances.of_project(tx, spec.project_id, asked) if asked else set()
    kept = {name: tuple(filter(own.__contains__, texts)) for name, texts in named.items()}
    return dataclasses.replace(spec, group=group, hints={**spec.hints, **kept})


def check_host(tx: Transaction, instance: Instance, host: str, now: datetime.datetime) -> None:
    """Refuse a host that breaks the policy of a server's group.

    Locks the group until the end of the transaction, so that of two claims at the same time
    the second one sees the first.
    Raises: GroupPolicyViolated.
    """
    for group_uuid in instance.server_groups:
        if not server_groups.lock(tx, group_uuid, now):
            continue
        group = server_groups.find_placed(tx, group_uuid)
        if group is None:
            continue
        reason = group.refuses(host, group.counts(without=(instance.uuid,)))
        if reason is not None:
            raise GroupPolicyViolated(host=host, group_uuid=group_uuid, reason=reason)
