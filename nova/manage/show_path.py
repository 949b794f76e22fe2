"""nova-manage network show-path: how packets reach one server, and where they do not."""

import argparse
import dataclasses
from collections.abc import Iterable

from nova.compute.rpcapi import ComputeAPI
from nova.exception import NovaException
from nova.manage.command import Argument, Command, Environment, never
from nova.manage.output import Result
from nova.manage.path_facts import PathFacts, network_host
from nova.manage.path_lines import explain
from nova.manage.path_verdict import Verdict
from nova.network.rpcapi import NetworkAPI
from nova.objects.floating_ip import FloatingIp
from nova.objects.instance import Instance, Scope
from nova.objects.network import Network
from nova.objects.path import NetworkPath
from nova.objects.security_group import SecurityGroupQuery
from nova.rpc.bus import Bus

_COLUMNS = ("Where", "Check", "Verdict", "Found", "To do")
PROBLEMS_FOUND = 1


def show_path(env: Environment, args: argparse.Namespace) -> Result:
    """Explain the path of a server's packets; exit code 1 tells of problems."""
    instance = env.instances.get(env.context, Scope(), args.server)
    lines = explain(collect(env, instance))
    problems = [line for line in lines if line.verdict is Verdict.PROBLEM]
    return Result(
        columns=_COLUMNS,
        rows=tuple(
            (line.subject, line.check, line.verdict.value, line.found, line.advice)
            for line in lines
        ),
        message=f"{len(problems)} problems found." if problems else "No problem found.",
        document={
            "server": instance.uuid,
            "problems": len(problems),
            "lines": [dataclasses.asdict(line) for line in lines],
        },
        exit_code=PROBLEMS_FOUND if problems else 0,
    )


def collect(env: Environment, instance: Instance) -> PathFacts:
    """Ask database and hosts about a server; a daemon that does not answer is noted."""
    facts = PathFacts(
        instance=instance,
        groups=env.security_groups.page(
            env.context,
            SecurityGroupQuery(
                scope=Scope(), project_id=instance.project_id, instance_uuid=instance.uuid
            ),
        ),
        floating_ips=tuple(
            one
            for one in env.floating_ips.list_floating_ips(
                env.context, Scope(project_id=instance.project_id)
            )
            if one.instance_uuid == instance.uuid
        ),
        leased=_leased(env, instance),
    )
    try:
        bus = env.daemons()
    except NovaException as error:
        return dataclasses.replace(facts, silent={"the message bus": str(error)})
    try:
        return _ask_hosts(env, bus, facts)
    finally:
        bus.close()


def _leased(env: Environment, instance: Instance) -> frozenset[str]:
    served = {
        (vif.network.id, host)
        for vif in instance.vifs
        if (host := network_host(instance, vif.network)) is not None
    }
    return frozenset(
        binding.address
        for network_id, host in served
        for binding in env.networks.leases(env.context, network_id, host)
        if binding.leased
    )


def _ask_hosts(env: Environment, bus: Bus, facts: PathFacts) -> PathFacts:
    """Return the facts with what the daemons tell."""
    instance, silent = facts.instance, dict(facts.silent)
    guest, networks = None, {}
    if instance.host is not None:
        try:
            guest = bus.client(ComputeAPI).on(instance.host).describe_path(env.context, instance)
        except NovaException as error:
            silent[f"nova-compute on {instance.host}"] = str(error)
    for host, served in _by_host(instance).items():
        try:
            networks[host] = _ask_network(env, bus, host, served, facts)
        except NovaException as error:
            silent[f"nova-network on {host}"] = str(error)
    return dataclasses.replace(facts, guest=guest, networks=networks, silent=silent)


def _by_host(instance: Instance) -> dict[str, list[Network]]:
    found: dict[str, list[Network]] = {}
    for vif in instance.vifs:
        host = network_host(instance, vif.network)
        if host is not None:
            found.setdefault(host, []).append(vif.network)
    return found


def _ask_network(
    env: Environment, bus: Bus, host: str, networks: Iterable[Network], facts: PathFacts
) -> NetworkPath:
    network_ids = tuple(dict.fromkeys(one.id for one in networks))
    addresses = tuple(_addresses(facts.instance, facts.floating_ips))
    return bus.client(NetworkAPI).on(host).describe_path(env.context, network_ids, addresses)


def _addresses(instance: Instance, floating_ips: Iterable[FloatingIp]) -> list[str]:
    named = [
        address
        for vif in instance.vifs
        for address in (*vif.fixed_ips, vif.gateway, vif.dhcp_server)
        if address is not None
    ]
    return [*dict.fromkeys([*named, *(one.address for one in floating_ips)])]


COMMANDS = (
    Command(
        category="network",
        name="show-path",
        help="explain how packets reach a server, and what is wrong on their way",
        run=show_path,
        changes=never,
        arguments=(Argument("server", metavar="SERVER", help="uuid of the server"),),
    ),
)
