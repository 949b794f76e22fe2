"""Lines about packet filters and translation.  Pure: facts in, lines out."""

import ipaddress
from collections.abc import Iterator, Sequence

from nova.manage.path_facts import (
    PathFacts,
    find_chain,
    find_rule,
    holder,
    leads_to,
    network_host,
)
from nova.manage.path_verdict import SERVER, Line, counted, ok, problem
from nova.objects.floating_ip import FloatingIp
from nova.objects.network import Vif
from nova.objects.path import Chain, NetworkPath
from nova.objects.security_group import SecurityGroup, SecurityGroupRule

METADATA_ADDRESS = "169.254.169.254"
_SHARED = (("FORWARD", "nova-filter-top"), ("nova-filter-top", "nova-compute-local"))
_RESTART = "restart nova-compute there; it writes its rules anew"
_HEALS = "nova-network there repairs it within a minute; see its log for errors"
# As iptables prints them; of other protocols some hosts know the names and some do not.
_PROTOCOLS = {
    4: {"tcp": "tcp", "udp": "udp", "icmp": "icmp"},
    6: dict.fromkeys(("icmp", "icmpv6", "ipv6-icmp"), "ipv6-icmp") | {"tcp": "tcp", "udp": "udp"},
}


def group_lines(facts: PathFacts) -> Iterator[Line]:
    """Tell what may come in, and whether the host's rules say the same."""
    if not facts.groups:
        advice = "openstack server add security group"
        yield ok(SERVER, "security groups", "none: nothing may come in", advice)
    if facts.guest is None:
        for group in facts.groups:
            yield from (ok(group.name, "rule", describe_rule(rule)) for rule in group.rules)
        return
    chains = facts.guest.chains
    guest_chain = f"nova-compute-inst-{facts.instance.id}"
    versions = _versions(facts)
    for version in versions:
        yield from _way_lines(chains, guest_chain, version)
    for group in facts.groups:
        yield from _group_lines(chains, guest_chain, group, versions)


def _versions(facts: PathFacts) -> tuple[int, ...]:
    """Return the versions of IP that the server has addresses of."""
    vifs = facts.instance.vifs
    with_v4, with_v6 = any(vif.fixed_ips for vif in vifs), any(vif.fixed_ip_v6 for vif in vifs)
    return (*((4,) if with_v4 else ()), *((6,) if with_v6 else ()))


def _way_lines(chains: Sequence[Chain], guest_chain: str, version: int) -> Iterator[Line]:
    """Tell whether forwarded packets reach the chain of the guest."""
    for name, target in _SHARED:
        rule = find_rule(find_chain(chains, name, version=version), f"-j {target}")
        check = f"IPv{version} {name}"
        if rule is None:
            yield problem(SERVER, check, f"does not lead to {target}", _RESTART)
        else:
            yield ok(SERVER, check, f"leads to {target}: {counted(rule)}")
    check = f"IPv{version} chain"
    if find_chain(chains, guest_chain, version=version) is None:
        yield problem(SERVER, check, f"{guest_chain} is missing", _RESTART)
        return
    way = leads_to(chains, guest_chain, version)
    if way is None:
        yield problem(SERVER, check, f"nothing leads to {guest_chain}", _RESTART)
    else:
        yield ok(SERVER, check, f"{guest_chain}: {counted(way)}")


def _group_lines(
    chains: Sequence[Chain], guest_chain: str, group: SecurityGroup, versions: Sequence[int]
) -> Iterator[Line]:
    """Tell of a group; it has a chain only for those versions of IP that its rules are about."""
    if not group.rules:
        advice = "openstack security group rule create"
        yield ok(group.name, "rules", "none: the group lets nothing in", advice)
    name = f"nova-compute-sg-{group.id}"
    for version in sorted({rule_version(rule) for rule in group.rules}):
        own = find_chain(chains, guest_chain, version=version)
        if own is not None:
            yield _way_to_group(chains, own, group, name)
    for rule in group.rules:
        if rule_version(rule) in versions:
            yield _rule_line(chains, name, group, rule)
        else:
            found = f"{describe_rule(rule)}: the server has no such address"
            yield ok(group.name, "rule", found)


def _way_to_group(chains: Sequence[Chain], own: Chain, group: SecurityGroup, name: str) -> Line:
    check = f"IPv{own.version} chain"
    if find_chain(chains, name, version=own.version) is None:
        return problem(group.name, check, f"{name} is missing", _RESTART)
    way = leads_to([own], name, own.version)
    if way is None:
        return problem(group.name, check, f"{name} is not used for the server", _RESTART)
    return ok(group.name, check, f"{name}: {counted(way)}")


def _rule_line(
    chains: Sequence[Chain], chain_name: str, group: SecurityGroup, rule: SecurityGroupRule
) -> Line:
    text, version = describe_rule(rule), rule_version(rule)
    chain = find_chain(chains, chain_name, version=version)
    found = find_rule(chain, *rule_words(rule, version))
    if found is None:
        return problem(group.name, "rule", f"{text}: not in {chain_name}", _RESTART)
    return ok(group.name, "rule", f"{text}: {counted(found)}")


def describe_rule(rule: SecurityGroupRule) -> str:
    """Return a rule as people say it."""
    source = rule.cidr or "anywhere"
    if rule.group_id is not None:
        source = f"group {rule.group_name or rule.group_id}"
    protocol = rule.protocol or "everything"
    return f"{protocol}{_ports(rule)} from {source}"


def _ports(rule: SecurityGroupRule) -> str:
    if rule.from_port in (None, -1):
        return ""
    if rule.protocol in ("icmp", "ipv6-icmp", "icmpv6"):
        return f" type {rule.from_port}"
    return f" {rule.from_port}" + (f":{rule.to_port}" if rule.to_port != rule.from_port else "")


def rule_version(rule: SecurityGroupRule) -> int:
    """Return the version of the packets that a rule is about."""
    if rule.cidr:
        return ipaddress.ip_network(rule.cidr).version
    return 6 if rule.ethertype == "IPv6" else 4


def rule_words(rule: SecurityGroupRule, version: int) -> tuple[str, ...]:
    """Return what a rule of iptables must have to stand for a rule of a group."""
    words: list[str] = []
    if rule.cidr and ipaddress.ip_network(rule.cidr).prefixlen:
        words.append(f"-s {ipaddress.ip_network(rule.cidr)}")
    if rule.protocol in _PROTOCOLS[version]:
        words.append(f"-p {_PROTOCOLS[version][rule.protocol]}")
    if rule.protocol in ("tcp", "udp") and rule.from_port is not None and rule.from_port >= 0:
        ports = f"{rule.from_port}:{rule.to_port}"
        ports = str(rule.from_port) if rule.from_port == rule.to_port else ports
        if ports != "1:65535":
            words.append(ports)
    if rule.group_id is not None:
        words.append(f"-j nova-compute-src-{rule.group_id}")
    return tuple(words)


def network_rule_lines(path: NetworkPath, vif: Vif) -> Iterator[Line]:
    """Tell whether the host routes a network, and lets its guests reach the metadata."""
    yield from _forward_lines(path, vif)
    yield _metadata_line(path, vif)
    if vif.gateway is not None and vif.network.cidr and holder(path.links, vif.gateway):
        yield _source_line(path, vif, vif.network.cidr)


def _forward_lines(path: NetworkPath, vif: Vif) -> Iterator[Line]:
    bridge = vif.network.bridge
    forward = find_chain(path.chains, "FORWARD")
    accepts = find_rule(
        find_chain(path.chains, "nova-network-FORWARD"), f"-i {bridge}", "-j ACCEPT"
    )
    linked = find_rule(forward, "-j nova-network-FORWARD")
    policy = forward.policy if forward else None
    if vif.gateway is None:
        return
    if accepts is None or linked is None:
        yield problem(
            vif.devname, "FORWARD", f"policy {policy}, no rule accepts from {bridge}", _HEALS
        )
    else:
        found = f"accepts from {bridge}: {counted(accepts)}"
        yield ok(vif.devname, "FORWARD", f"policy {policy}, {found}")


def _metadata_line(path: NetworkPath, vif: Vif) -> Line:
    chain = find_chain(path.chains, "nova-network-PREROUTING", table="nat")
    rule = find_rule(chain, f"-d {METADATA_ADDRESS}/32")
    if rule is None:
        return problem(vif.devname, "metadata", "not translated", _HEALS)
    if holder(path.links, METADATA_ADDRESS) is None:
        found = f"{path.host} does not have {METADATA_ADDRESS}"
        return problem(vif.devname, "metadata", found, _HEALS)
    return ok(vif.devname, "metadata", f"{rule.rule.rpartition(' ')[2]}: {counted(rule)}")


def _source_line(path: NetworkPath, vif: Vif, cidr: str) -> Line:
    chain = find_chain(path.chains, "nova-network-snat", table="nat")
    rule = find_rule(chain, f"-s {ipaddress.ip_network(cidr)}", "-j SNAT")
    if rule is None:
        advice = "set routing_source_ip, unless routers outside know the network"
        return problem(vif.devname, "SNAT", f"packets leave with addresses of {cidr}", advice)
    return ok(vif.devname, "SNAT", f"to {rule.rule.rpartition(' ')[2]}: {counted(rule)}")


def floating_lines(facts: PathFacts, floating_ip: FloatingIp) -> Iterator[Line]:
    """Tell whether a floating address is translated, both ways."""
    address, fixed_ip = floating_ip.address, floating_ip.fixed_ip
    path = _translating(facts, floating_ip)
    if path is None or fixed_ip is None:
        yield ok(address, "floating address", f"leads to {fixed_ip}, according to the database")
        return
    chain = find_chain(path.chains, "nova-network-PREROUTING", table="nat")
    inward = find_rule(chain, f"-d {address}/32", f"--to-destination {fixed_ip}")
    if inward is None:
        yield problem(address, "DNAT", f"not translated to {fixed_ip} on {path.host}", _HEALS)
    else:
        yield ok(address, "DNAT", f"to {fixed_ip} on {path.host}: {counted(inward)}")
    chain = find_chain(path.chains, "nova-network-float-snat", table="nat")
    outward = find_rule(chain, f"-s {fixed_ip}/32", f"--to-source {address}")
    if outward is None:
        found = f"{fixed_ip} does not leave as {address} on {path.host}"
        yield problem(address, "SNAT", found, _HEALS)
    else:
        yield ok(address, "SNAT", f"from {fixed_ip}: {counted(outward)}")
    device = holder(path.links, address)
    if device is None:
        yield problem(address, "device", f"no device of {path.host} has it", _HEALS)
    else:
        yield ok(address, "device", f"on {device.name} of {path.host}")


def _translating(facts: PathFacts, floating_ip: FloatingIp) -> NetworkPath | None:
    """Return what the host told that has to translate an address."""
    for vif in facts.instance.vifs:
        if floating_ip.fixed_ip in vif.fixed_ips:
            host = floating_ip.host or network_host(facts.instance, vif.network)
            return facts.networks.get(host) if host else None
    return None
