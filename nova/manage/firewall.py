"""nova-manage firewall: what the operator keeps from all servers."""

import argparse

from nova.manage.command import Argument, Command, Environment, never
from nova.manage.output import Result
from nova.objects.security_group import ProviderRule

_COLUMNS = ("id", "protocol", "from port", "to port", "cidr")
_ALL_ICMP = -1


def create(env: Environment, args: argparse.Namespace) -> Result:
    """Add a rule; packets that it is about are dropped before all other rules."""
    first = _ALL_ICMP if args.from_port is None else args.from_port
    last = first if args.to_port is None else args.to_port
    rule = env.security_groups.create_provider_rule(
        env.context, args.protocol, first, last, args.cidr
    )
    return _table((rule,))


def list_rules(env: Environment, args: argparse.Namespace) -> Result:
    """List the rules."""
    found = env.security_groups.list_provider_rules(env.context)
    return _table(found, "" if found else "No firewall rules have been defined.")


def delete(env: Environment, args: argparse.Namespace) -> Result:
    """Remove a rule."""
    env.security_groups.delete_provider_rule(env.context, args.id)
    return Result(message=f"Firewall rule {args.id} deleted.", document={"deleted": args.id})


def _table(rules: tuple[ProviderRule, ...], message: str = "") -> Result:
    rows = tuple((one.id, one.protocol, one.from_port, one.to_port, one.cidr) for one in rules)
    return Result(columns=_COLUMNS, rows=rows, message=message)


COMMANDS = (
    Command(
        category="firewall",
        name="create",
        help="drop some packets to all servers, whatever their security groups allow",
        run=create,
        arguments=(
            Argument("--protocol", required=True, help="tcp, udp or icmp"),
            Argument("--from-port", type=int, help="first port, or ICMP type (default: all types)"),
            Argument("--to-port", type=int, help="last port, or ICMP code (default: the first)"),
            Argument("--cidr", required=True, help="where the packets come from"),
        ),
    ),
    Command(
        category="firewall",
        name="list",
        help="list what is kept from all servers",
        run=list_rules,
        changes=never,
    ),
    Command(
        category="firewall",
        name="delete",
        help="keep something from servers no longer",
        run=delete,
        arguments=(Argument("id", type=int, help="id of the rule"),),
    ),
)
