"""What is known about a server's path: from the database and from hosts, and what is not."""

import dataclasses
from collections.abc import Iterable, Mapping

from nova.objects.floating_ip import FloatingIp
from nova.objects.instance import Instance
from nova.objects.network import Network, Vif
from nova.objects.path import Chain, CountedRule, GuestPath, Link, NetworkPath
from nova.objects.security_group import SecurityGroup


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PathFacts:
    """Everything that the lines about a server are made from.

    leased: addresses that guests hold according to the database.
    networks: what nova-network hosts told, by name.  silent: why a daemon told nothing, by
    its name and host ("nova-network on net1").
    """

    instance: Instance
    groups: tuple[SecurityGroup, ...] = ()
    floating_ips: tuple[FloatingIp, ...] = ()
    leased: frozenset[str] = frozenset()
    guest: GuestPath | None = None
    networks: Mapping[str, NetworkPath] = dataclasses.field(default_factory=dict)
    silent: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def network_of(self, vif: Vif) -> NetworkPath | None:
        """Return what the host that serves an interface's network told."""
        host = network_host(self.instance, vif.network)
        return self.networks.get(host) if host else None


def network_host(instance: Instance, network: Network) -> str | None:
    """Return the host whose nova-network serves a network for a server."""
    return instance.host if network.multi_host else network.host


def find_link(links: Iterable[Link], name: str | None) -> Link | None:
    """Return a device by name."""
    return next((link for link in links if link.name == name), None)


def holder(links: Iterable[Link], address: str) -> Link | None:
    """Return the device that has an address."""
    return next(
        (one for one in links if address in {held.partition("/")[0] for held in one.addresses}),
        None,
    )


def find_chain(
    chains: Iterable[Chain], name: str, *, table: str = "filter", version: int = 4
) -> Chain | None:
    """Return a chain by name."""
    return next(
        (one for one in chains if (one.table, one.name, one.version) == (table, name, version)),
        None,
    )


def find_rule(chain: Chain | None, *parts: str) -> CountedRule | None:
    """Return the last rule of a chain that has all the parts, each a few whole words.

    Its counters are those of all such rules together.
    """
    rules = chain.rules if chain else ()
    found = [one for one in rules if all(f" {part} " in f" {one.rule} " for part in parts)]
    if not found:
        return None
    return CountedRule(
        rule=found[-1].rule,
        packets=sum(one.packets for one in found),
        bytes=sum(one.bytes for one in found),
    )


def leads_to(chains: Iterable[Chain], target: str, version: int = 4) -> CountedRule | None:
    """Return the first rule that jumps to a chain."""
    found = (
        find_rule(chain, f"{kind} {target}")
        for chain in chains
        if chain.version == version
        for kind in ("-j", "-g")
    )
    return next((rule for rule in found if rule is not None), None)
