"""Chooses hosts: a pure function of a request and a snapshot of the hosts.

Source: scheduler-and-placement (filters, weighers, forced hosts, consumption).
"""

import dataclasses
import functools
import random
from collections.abc import Callable, Iterable, Sequence

from nova.objects.request_spec import (
    Destination,
    FilterResult,
    PlacementReport,
    Rejection,
    RequestSpec,
    WeighedHost,
)
from nova.scheduler import groups
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState
from nova.scheduler.weights.base import HostWeigher, normalised

# Hosts whose weights a report lists, best first.
REPORTED_WEIGHTS = 10

IGNORED_HOSTS = "IgnoredHosts"
REQUESTED_HOST = "RequestedHost"
GROUP_POLICY = "ServerGroupPolicy"

_STAGE_LACKS = {
    IGNORED_HOSTS: "an earlier attempt failed there",
    REQUESTED_HOST: "not the host that was asked for",
    GROUP_POLICY: "the policy of the server group is not supported",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to choose."""

    filters: tuple[HostFilter, ...]
    weighers: tuple[HostWeigher, ...]
    host_subset_size: int = 1
    shuffle: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A server and the host that it was given."""

    instance_uuid: str
    host: HostState


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The outcome: the report, and the picks in order of the request."""

    report: PlacementReport
    picks: tuple[Pick, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Ranked:
    state: HostState
    weight: float = 0.0
    parts: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class _Round:
    """How the placement of one server went; no ranked hosts: it fits nowhere."""

    results: tuple[FilterResult, ...]
    ranked: tuple[_Ranked, ...]


def choose(
    spec: RequestSpec, hosts: Iterable[HostState], rules: Rules, rng: random.Random
) -> Choice:
    """Choose a host and alternates for each server of a request.

    Filters that need to be asked only once go first.  Each pick takes its share of the host
    before the next server is placed.
    """
    considered = tuple(hosts)
    if spec.force_host is not None:
        return _forced(spec, considered)
    spec = groups.with_pending(spec, considered)
    candidates, stages = _preselect(spec, considered, rules)
    candidates, results = _filter([rule for rule in rules.filters if rule.once], candidates, spec)
    stages += results
    rounds: list[_Round] = []
    picks: list[Pick] = []
    for uuid in spec.instance_uuids:
        placed = _place_one(candidates, spec, rules, rng)
        rounds.append(placed)
        if placed.ranked:
            best = placed.ranked[0].state
            picks.append(Pick(instance_uuid=uuid, host=best))
            taken = best.consumed(spec.flavor, uuid, spec.image_properties)
            candidates = tuple(taken if state is best else state for state in candidates)
            spec = groups.with_pick(spec, best.host, uuid)
    return Choice(report=_report(spec, rules, len(considered), stages, rounds), picks=tuple(picks))


def _place_one(
    candidates: Sequence[HostState], spec: RequestSpec, rules: Rules, rng: random.Random
) -> _Round:
    passed, results = _filter([rule for rule in rules.filters if not rule.once], candidates, spec)
    return _Round(results, _ordered(_weigh(passed, spec, rules), rules, rng))


def _weigh(hosts: Sequence[HostState], spec: RequestSpec, rules: Rules) -> tuple[_Ranked, ...]:
    """Add up the weights; one candidate alone is not weighed."""
    if len(hosts) < 2:
        return tuple(_Ranked(state) for state in hosts)
    columns = {
        type(weigher).__name__: [
            weigher.multiplier_for(state) * share
            for state, share in zip(
                hosts, normalised([weigher.value(state, spec) for state in hosts]), strict=True
            )
        ]
        for weigher in rules.weighers
    }
    shares = [{name: column[row] for name, column in columns.items()} for row in range(len(hosts))]
    return tuple(
        _Ranked(state, sum(parts.values()), parts)
        for state, parts in zip(hosts, shares, strict=True)
    )


def _ordered(ranked: tuple[_Ranked, ...], rules: Rules, rng: random.Random) -> tuple[_Ranked, ...]:
    """Return the best host first; among equals the one with the fewest servers."""
    if not ranked:
        return ()
    tie_breaks = [rng.random() if rules.shuffle else 0.0 for _ in ranked]
    order = sorted(
        range(len(ranked)),
        key=lambda row: (
            -ranked[row].weight,
            tie_breaks[row],
            ranked[row].state.num_instances,
            ranked[row].state.host,
            ranked[row].state.nodename,
        ),
    )
    chosen = order.pop(rng.randrange(min(rules.host_subset_size, len(order))))
    return tuple(ranked[row] for row in (chosen, *order))


def _forced(spec: RequestSpec, considered: tuple[HostState, ...]) -> Choice:
    """Take the named host without any check; an unknown name fits nowhere."""
    found = next(
        (
            state
            for state in considered
            if state.host == spec.force_host and spec.force_node in (None, state.nodename)
        ),
        None,
    )
    uuids = spec.instance_uuids
    if found is None:
        summary = "The host that was asked for does not exist."
        destinations: tuple[tuple[Destination, ...], ...] = tuple(() for _ in uuids)
        picks: tuple[Pick, ...] = ()
    else:
        summary = "The host was chosen by the request; filters and weights were not asked."
        chosen = Destination(host=found.host, node=found.nodename)
        destinations = tuple((chosen,) for _ in uuids)
        picks = tuple(Pick(instance_uuid=uuid, host=found) for uuid in uuids)
    report = PlacementReport(considered=len(considered), destinations=destinations, summary=summary)
    return Choice(report=report, picks=picks)


def _preselect(
    spec: RequestSpec, considered: tuple[HostState, ...], rules: Rules
) -> tuple[tuple[HostState, ...], tuple[FilterResult, ...]]:
    """Leave out ignored hosts, then all but a requested one.

    No host is left for a server group whose policy nothing looks after.
    """
    kept = considered
    stages: tuple[FilterResult, ...] = ()
    if spec.ignore_hosts:
        kept, stages = _stage(stages, IGNORED_HOSTS, kept, lambda state: _ignored(state, spec))
    if spec.requested_host is not None or spec.requested_node is not None:
        kept, stages = _stage(
            stages, REQUESTED_HOST, kept, lambda state: _not_requested(state, spec)
        )
    group = spec.group
    if group and not groups.is_enforced(group.policy, rules.filters, rules.weighers):
        reason = f"no filter or weigher in use looks after the policy {group.policy}"
        kept, stages = _stage(stages, GROUP_POLICY, kept, lambda state: reason)
    return kept, stages


def _ignored(state: HostState, spec: RequestSpec) -> str | None:
    return "an earlier attempt failed here" if state.host in spec.ignore_hosts else None


def _not_requested(state: HostState, spec: RequestSpec) -> str | None:
    if spec.requested_host in (None, state.host) and spec.requested_node in (None, state.nodename):
        return None
    return "another host was asked for"


def _filter(
    filters: Iterable[HostFilter], hosts: Sequence[HostState], spec: RequestSpec
) -> tuple[tuple[HostState, ...], tuple[FilterResult, ...]]:
    kept: tuple[HostState, ...] = tuple(hosts)
    results: tuple[FilterResult, ...] = ()
    for rule in filters:
        refuses = functools.partial(rule.refuses, spec=spec)
        kept, results = _stage(results, type(rule).__name__, kept, refuses)
    return kept, results


def _stage(
    earlier: tuple[FilterResult, ...],
    name: str,
    hosts: tuple[HostState, ...],
    refuses: Callable[[HostState], str | None],
) -> tuple[tuple[HostState, ...], tuple[FilterResult, ...]]:
    """Apply one condition; return who is left and the results with this one added."""
    kept: list[HostState] = []
    rejected: list[Rejection] = []
    for state in hosts:
        reason = refuses(state)
        if reason is None:
            kept.append(state)
        else:
            rejected.append(Rejection(host=state.host, reason=reason))
    result = FilterResult(name=name, before=len(hosts), after=len(kept), rejected=tuple(rejected))
    return tuple(kept), (*earlier, result)


def _report(
    spec: RequestSpec,
    rules: Rules,
    considered: int,
    stages: tuple[FilterResult, ...],
    rounds: Sequence[_Round],
) -> PlacementReport:
    """Report the round of the first server that fits nowhere, else that of the first."""
    first = rounds[0] if rounds else _Round((), ())
    told = next((entry for entry in rounds if not entry.ranked), first)
    results = (*stages, *told.results)
    placed = sum(1 for entry in rounds if entry.ranked)
    summary = f"{placed} of {len(rounds)} servers found a host among {considered}."
    if placed < len(rounds):
        summary = tenant_summary(rules.filters, considered, results)
    return PlacementReport(
        considered=considered,
        filters=results,
        weighed=tuple(
            WeighedHost(
                host=entry.state.host,
                node=entry.state.nodename,
                weight=entry.weight,
                parts=entry.parts,
            )
            for entry in first.ranked[:REPORTED_WEIGHTS]
        ),
        destinations=tuple(
            tuple(
                Destination(
                    host=found.state.host,
                    node=found.state.nodename,
                    weight=found.weight,
                    limits=_limits(found.state, rules),
                )
                for found in entry.ranked[: spec.alternates + 1]
            )
            for entry in rounds
        ),
        summary=summary,
    )


def _limits(state: HostState, rules: Rules) -> dict[str, float]:
    """Return the capacities that filters give in place of the node's own; the least counts."""
    limits: dict[str, float] = {}
    for rule in rules.filters:
        for resource, limit in rule.limits(state).items():
            limits[resource] = min(limit, limits.get(resource, limit))
    return limits


def tenant_summary(
    filters: Iterable[HostFilter], considered: int, results: Iterable[FilterResult]
) -> str:
    """Say in one sentence, with counts and without host names, why no host is left."""
    if not considered:
        return "There are no compute hosts."
    lacks = {type(rule).__name__: rule.lacks for rule in filters} | _STAGE_LACKS
    removed = [
        f"{result.name} removed {len(result.rejected)} ({lacks[result.name]})"
        for result in results
        if result.rejected
    ]
    listed = " and ".join(filter(None, [", ".join(removed[:-1]), removed[-1]]))
    return f"Of {considered} {'host' if considered == 1 else 'hosts'}, {listed}."
