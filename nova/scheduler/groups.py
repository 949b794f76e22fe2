"""What the scheduler knows of the members of a server group beyond what the conductor told."""

import dataclasses
from collections.abc import Iterable

from nova.objects.request_spec import RequestSpec
from nova.objects.server_group import GroupPolicy, PlacedGroup
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher


def with_pending(spec: RequestSpec, hosts: Iterable[HostState]) -> RequestSpec:
    """Return a request whose group counts members that were chosen a host just now, too."""
    group = spec.group
    if group is None:
        return spec
    settled = {uuid for uuids in group.on_hosts.values() for uuid in uuids}
    waiting = set(group.members) - settled - set(spec.instance_uuids)
    if not waiting:
        return spec
    for state in hosts:
        for uuid in sorted(waiting.intersection(state.instance_uuids)):
            group = group.with_member(state.host, uuid)
    return dataclasses.replace(spec, group=group)


def with_pick(spec: RequestSpec, host: str, instance_uuid: str) -> RequestSpec:
    """Return a request whose group has one more member on a host."""
    if spec.group is None:
        return spec
    return dataclasses.replace(spec, group=spec.group.with_member(host, instance_uuid))


def counts(spec: RequestSpec, group: PlacedGroup) -> dict[str, int]:
    """Return how many other members each host has, for the server to be placed next.

    A server that is placed alone may be on a host already: it does not count as its own
    neighbour.
    """
    alone = spec.instance_uuids if len(spec.instance_uuids) == 1 else ()
    return group.counts(without=alone)


def is_enforced(
    policy: GroupPolicy, filters: Iterable[HostFilter], weighers: Iterable[HostWeigher]
) -> bool:
    """Tell whether a filter or weigher in use looks after a policy."""
    return policy in {rule.group_policy for rule in filters} | {
        rule.group_policy for rule in weighers
    }
