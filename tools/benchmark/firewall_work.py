"""Measures the security groups of one compute host on a real kernel, and prints it as JSON.

Runs under the daemons' interpreter, as root: firewall_work.py SERVERS
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from pyroute2 import netns

from nova.objects.firewall import GroupFirewall, GroupMembers, GuestFirewall, HostFirewall
from nova.objects.security_group import SecurityGroupRule
from nova.privileged.context import run_in_process
from nova.virt.iptables import wanted_rules
from nova.virt.libvirt.kernel_rules import KernelRules
from nova.virt.rule_match import Family

# Builders of interfaces and networks, which the tests keep valid.
from tests.fixtures.networks import make_network, make_vif

GROUPS = 20
CHANGES = 20


def main(arguments: list[str]) -> None:
    """Measure a host with so many servers."""
    servers = int(arguments[0])
    before, after = _host(servers), _host(servers, more=True)
    found: dict[str, float] = {"servers": servers, "groups": GROUPS}
    found["render_ms"] = _timed(lambda: wanted_rules(before, Family.IPV4, same_net=False))
    run_in_process(True)
    name = f"nova-fw-{os.getpid()}"
    netns.create(name)
    try:
        netns.pushns(name)
        try:
            found |= _apply(before, after)
        finally:
            netns.popns()
    finally:
        netns.remove(name)
    found["rules_per_server"] = round(found["rules"] / servers, 2)
    print(json.dumps(found))


def _apply(before: HostFirewall, after: HostFirewall) -> dict[str, float]:
    kernel = KernelRules()

    def agree(wanted: HostFirewall) -> bool:
        return kernel.apply(Family.IPV4, wanted_rules(wanted, Family.IPV4, same_net=False))

    found = {"first_ms": _timed(lambda: agree(before)), "rules": float(_count())}
    found["no_change_ms"] = _timed(lambda: agree(before))
    changes = [
        _timed(lambda wanted=wanted: agree(wanted))  # type: ignore[misc]
        for _ in range(CHANGES // 2)
        for wanted in (after, before)
    ]
    found["change_ms"] = statistics.median(changes)
    return found


def _count() -> int:
    saved = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    return sum(line.startswith("-A ") for line in saved.splitlines())


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round((time.perf_counter() - began) * 1000, 1)


def _host(servers: int, *, more: bool = False) -> HostFirewall:
    """Return servers that are all in group 1, and each in one of the others.

    Group 1 has four rules, one of them by group; more: and one more.
    """
    network = make_network(cidr="10.0.0.0/16", gateway="10.0.0.1", dhcp_server="10.0.0.1")
    addresses = [f"10.0.{1 + number // 250}.{1 + number % 250}" for number in range(servers)]
    guests = tuple(
        GuestFirewall(
            instance_id=number + 1,
            instance_uuid=f"guest-{number}",
            vifs=(make_vif(1, network, id=f"vif-{number}", fixed_ip=address),),
            group_ids=(1, 2 + number % (GROUPS - 1)),
        )
        for number, address in enumerate(addresses)
    )
    rules = [_rule(22), _rule(443), _rule(None, protocol="icmp"), _rule(None, group_id=1)]
    groups = [GroupFirewall(group_id=1, rules=(*rules, *([_rule(8080)] if more else [])))]
    groups += [
        GroupFirewall(group_id=number, rules=(_rule(1000 + number), _rule(2000 + number)))
        for number in range(2, GROUPS + 1)
    ]
    members = GroupMembers(group_id=1, addresses=tuple(addresses))
    return HostFirewall(guests=guests, groups=tuple(groups), members=(members,))


def _rule(
    port: int | None, *, protocol: str = "tcp", group_id: int | None = None
) -> SecurityGroupRule:
    everything = SecurityGroupRule(
        id=1, uuid="rule", parent_group_id=1, parent_group_uuid="group", project_id="bench"
    )
    if group_id is not None:
        return dataclasses.replace(everything, group_id=group_id)
    first = -1 if port is None else port
    return dataclasses.replace(
        everything, protocol=protocol, from_port=first, to_port=first, cidr="0.0.0.0/0"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
