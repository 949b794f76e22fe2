"""What a host tells of its devices and rules, as values.  Source: iptables-save(8)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nova.objects.path import Chain, CountedRule, Link

_CHAIN = re.compile(r":(?P<name>\S+) (?P<policy>\S+)")
_RULE = re.compile(r"(?:\[(?P<packets>\d+):(?P<bytes>\d+)\] )?-A (?P<chain>\S+) (?P<rule>.+)")

MAX_RULES = 200


def parse_counted(text: str, version: int = 4) -> tuple[Chain, ...]:
    """Return the chains in the order of the text."""
    policies: dict[tuple[str, str], str | None] = {}
    rules: dict[tuple[str, str], list[CountedRule]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif chain := _CHAIN.match(line):
            policy = chain["policy"]
            policies[table, chain["name"]] = None if policy == "-" else policy
        elif rule := _RULE.match(line):
            counted = CountedRule(
                rule=rule["rule"].strip(),
                packets=int(rule["packets"] or 0),
                bytes=int(rule["bytes"] or 0),
            )
            rules.setdefault((table, rule["chain"]), []).append(counted)
    return tuple(
        Chain(
            table=key[0],
            name=key[1],
            version=version,
            policy=policy,
            rules=tuple(rules.get(key, ())),
        )
        for key, policy in policies.items()
    )


def with_rules(chains: Iterable[Chain], wanted: Callable[[Chain, str], bool]) -> tuple[Chain, ...]:
    """Return the chains with those of their rules that are wanted, at most MAX_RULES each."""
    return tuple(
        Chain(
            table=chain.table,
            name=chain.name,
            version=chain.version,
            policy=chain.policy,
            rules=tuple(one for one in chain.rules if wanted(chain, one.rule))[:MAX_RULES],
        )
        for chain in chains
    )


def relevant_links(
    devices: Iterable[Mapping[str, Any]], names: Iterable[str], addresses: Iterable[str] = ()
) -> tuple[Link, ...]:
    """Return the devices that are named, and those that hold one of some addresses.

    devices: as nova.privileged.reading returns them.
    """
    wanted, held = set(names), set(addresses)
    links = (Link(**{**one, "addresses": tuple(one["addresses"])}) for one in devices)
    return tuple(
        link
        for link in links
        if link.name in wanted or held & {one.partition("/")[0] for one in link.addresses}
    )
