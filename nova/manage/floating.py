"""nova-manage floating: floating addresses of nova-network.  Source: nova-manage, section 4."""

import argparse

from nova.manage.command import Argument, Command, Environment, never
from nova.manage.output import Result
from nova.objects.floating_ip import FloatingRange
from nova.objects.instance import EVERYBODY

_COLUMNS = ("project", "address", "instance", "pool", "interface")
_NONE = "No floating IP addresses have been defined."


def create(env: Environment, args: argparse.Namespace) -> Result:
    """Add one address or the hosts of a range."""
    new = FloatingRange(
        ip_range=args.ip_range,
        pool=args.pool or env.conf.default_floating_pool,
        interface=args.interface or env.conf.public_interface or None,
    )
    created = env.floating_ips.create_range(env.context, new)
    message = f"{len(created)} floating IP addresses were added to pool {new.pool}."
    return Result(message=message, document={"created": list(created), "pool": new.pool})


def delete(env: Environment, args: argparse.Namespace) -> Result:
    """Remove addresses that nobody has."""
    count = env.floating_ips.delete_range(env.context, args.ip_range)
    message = f"{count} floating IP addresses were removed."
    return Result(message=message, document={"deleted": count})


def list_floating(env: Environment, args: argparse.Namespace) -> Result:
    """List all addresses, or those that a host translates."""
    found = env.floating_ips.list_all(env.context, EVERYBODY, args.host)
    rows = tuple(
        (one.project_id, one.address, one.instance_uuid, one.pool, one.interface) for one in found
    )
    return Result(columns=_COLUMNS, rows=rows, message="" if rows else _NONE)


_RANGE = Argument(
    "--ip-range", required=True, help="one address, or a range such as 203.0.113.0/24"
)

COMMANDS = (
    Command(
        category="floating",
        name="create",
        help="add floating addresses",
        run=create,
        arguments=(
            _RANGE,
            Argument("--pool", help="pool of the addresses (default: default_floating_pool)"),
            Argument(
                "--interface", help="network card that holds them (default: public_interface)"
            ),
        ),
    ),
    Command(
        category="floating",
        name="delete",
        help="remove floating addresses that nobody has",
        run=delete,
        arguments=(_RANGE,),
    ),
    Command(
        category="floating",
        name="list",
        help="list floating addresses",
        run=list_floating,
        changes=never,
        arguments=(Argument("--host", help="only those that this host translates"),),
    ),
)
