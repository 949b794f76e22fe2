"""nova-manage fixed: fixed addresses."""

import argparse
from collections.abc import Iterator

from nova.manage.command import Argument, Command, Environment, never
from nova.manage.output import Result
from nova.objects.instance import EVERYBODY
from nova.objects.network import FixedIpDetail

_COLUMNS = ("network", "IP address", "hostname", "host")


def list_fixed(env: Environment, args: argparse.Namespace) -> Result:
    """List addresses, or those of servers on a host."""
    found = list(_all(env, args.host))
    lost = [
        f"WARNING: fixed ip {one.address} allocated to missing instance"
        for one in found
        if one.lost
    ]
    rows = tuple((one.cidr, one.address, one.hostname, one.host) for one in found)
    message = "\n".join(lost) if rows else "No fixed IP found."
    return Result(columns=_COLUMNS, rows=rows, message=message)


def _all(env: Environment, host: str | None) -> Iterator[FixedIpDetail]:
    page = env.networks.list_fixed_ips(env.context, host)
    while page:
        yield from page
        page = env.networks.list_fixed_ips(env.context, host, page[-1].address)


def reserve(env: Environment, args: argparse.Namespace) -> Result:
    """Keep an address from servers."""
    env.networks.set_reserved(env.context, EVERYBODY, args.address, True)
    return Result(message=f"Address {args.address} reserved.")


def unreserve(env: Environment, args: argparse.Namespace) -> Result:
    """Let servers have an address again."""
    env.networks.set_reserved(env.context, EVERYBODY, args.address, False)
    return Result(message=f"Address {args.address} not reserved any more.")


_ADDRESS = (Argument("--address", required=True, help="fixed address"),)

COMMANDS = (
    Command(
        category="fixed",
        name="list",
        help="list fixed addresses",
        run=list_fixed,
        arguments=(Argument("--host", help="only addresses of servers on this host"),),
        changes=never,
    ),
    Command(
        category="fixed",
        name="reserve",
        help="keep an address from servers",
        run=reserve,
        arguments=_ADDRESS,
    ),
    Command(
        category="fixed",
        name="unreserve",
        help="let servers have an address again",
        run=unreserve,
        arguments=_ADDRESS,
    ),
)
