"""Metadata of servers, changed inside the caller's transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from nova import clock
from nova.conductor.checks import check_metadata_write
from nova.context import RequestContext
from nova.db import bulk, instance_details, instances, quotas
from nova.db.engine import Transaction
from nova.db.quotas import Amounts
from nova.exception import MetadataLimitExceeded
from nova.objects.instance import Instance
from nova.objects.quota import UNLIMITED


def check_sizes(
    tx: Transaction, defaults: Amounts, afterwards: Sequence[tuple[Instance, Mapping[str, str]]]
) -> None:
    """Refuse more metadata than a project's servers may have, unless one has as much already.

    Raises: MetadataLimitExceeded.
    """
    projects = sorted({server.project_id for server, _ in afterwards})
    limits = {one: quotas.limits(tx, one, defaults)["metadata_items"] for one in projects}
    for server, after in afterwards:
        limit = limits[server.project_id]
        if limit != UNLIMITED and len(after) > max(limit, len(server.metadata)):
            raise MetadataLimitExceeded(limit=limit)


def add(
    tx: Transaction,
    context: RequestContext,
    defaults: Amounts,
    servers: Sequence[Instance],
    metadata: Mapping[str, str],
) -> None:
    """Add metadata to servers, or replace it.

    Raises: InstanceIsLocked, InstanceInvalidState, MetadataLimitExceeded.
    """
    for server in servers:
        check_metadata_write(context, server)
    check_sizes(tx, defaults, [(server, {**server.metadata, **metadata}) for server in servers])
    uuids = [server.uuid for server in servers]
    for piece in bulk.chunks(uuids):
        instance_details.set_metadata(tx, piece, metadata)
    instances.touch(tx, uuids, clock.utcnow())


def remove(
    tx: Transaction,
    context: RequestContext,
    servers: Sequence[Instance],
    keys: Mapping[str, tuple[str, ...]],
) -> None:
    """Remove metadata of servers, the keys of each by its uuid.

    Raises: InstanceIsLocked, InstanceInvalidState.
    """
    alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for server in servers:
        check_metadata_write(context, server)
        if keys[server.uuid]:
            alike[keys[server.uuid]].append(server.uuid)
    for some, uuids in alike.items():
        for piece in bulk.chunks(uuids):
            instance_details.delete_metadata(tx, piece, some)
        instances.touch(tx, uuids, clock.utcnow())
