"""nova-manage flavor: sizes of servers."""

import argparse

from nova import exception
from nova.manage.command import Argument, Command, Environment, never, truth
from nova.manage.output import Result
from nova.objects.flavor import Flavor, FlavorQuery, NewFlavor

_PAGE = 1000
_COLUMNS = (
    "Name",
    "Memory_MB",
    "VCPUs",
    "Root_GB",
    "Ephemeral_GB",
    "FlavorID",
    "Swap_MB",
    "RXTX_Factor",
    "Public",
    "Extra_Specs",
)


def create(env: Environment, args: argparse.Namespace) -> Result:
    """Create a flavor."""
    for name in ("memory", "cpu"):
        if getattr(args, name) < 1:
            raise exception.InvalidInput(reason=f"--{name} must be 1 or greater.")
    for name in ("root_gb", "ephemeral_gb", "swap"):
        if getattr(args, name) < 0:
            raise exception.InvalidInput(reason=f"--{name} must not be negative.")
    name = args.name or args.positional_name
    if not name:
        raise exception.InvalidInput(reason="give the flavor a name.")
    new = NewFlavor(
        name=name,
        memory_mb=args.memory,
        vcpus=args.cpu,
        root_gb=args.root_gb,
        ephemeral_gb=args.ephemeral_gb,
        swap_mb=args.swap,
        flavorid=args.flavor,
        rxtx_factor=args.rxtx_factor,
        is_public=args.is_public,
    )
    return _table((env.flavors.create(env.context, new),), f"{name} created")


def list_flavors(env: Environment, args: argparse.Namespace) -> Result:
    """List flavors, private ones as well."""
    flavors = [flavor for flavor in _all(env) if args.name in (None, flavor.name)]
    return _table(tuple(flavors), "" if flavors else "No flavors found.")


def delete(env: Environment, args: argparse.Namespace) -> Result:
    """Delete a flavor; servers keep their copy."""
    flavor = _by_name(env, args)
    env.flavors.delete(env.context, flavor.flavorid)
    return Result(message=f"{flavor.name} deleted", document={"deleted": flavor.name})


def set_key(env: Environment, args: argparse.Namespace) -> Result:
    """Set an extra spec."""
    flavor = _by_name(env, args)
    env.flavors.set_extra_specs(env.context, flavor.flavorid, {args.key: args.value})
    return Result(message=f"Key {args.key} set to {args.value} on {flavor.name}")


def unset_key(env: Environment, args: argparse.Namespace) -> Result:
    """Remove an extra spec."""
    flavor = _by_name(env, args)
    env.flavors.delete_extra_spec(env.context, flavor.flavorid, args.key)
    return Result(message=f"Key {args.key} unset on {flavor.name}")


def _all(env: Environment) -> list[Flavor]:
    flavors: list[Flavor] = []
    marker = None
    while True:
        page = env.flavors.page(
            env.context, FlavorQuery(is_public=None, limit=_PAGE, marker=marker)
        )
        flavors += page
        if len(page) < _PAGE:
            return flavors
        marker = page[-1].flavorid


def _by_name(env: Environment, args: argparse.Namespace) -> Flavor:
    name = args.name or args.positional_name
    if not name:
        raise exception.InvalidInput(reason="name the flavor.")
    for flavor in _all(env):
        if flavor.name == name:
            return flavor
    raise exception.FlavorNotFound(flavor_id=name)


def _table(flavors: tuple[Flavor, ...], message: str) -> Result:
    rows = tuple(
        (
            flavor.name,
            flavor.memory_mb,
            flavor.vcpus,
            flavor.root_gb,
            flavor.ephemeral_gb,
            flavor.flavorid,
            flavor.swap_mb,
            flavor.rxtx_factor,
            flavor.is_public,
            flavor.extra_specs,
        )
        for flavor in flavors
    )
    return Result(columns=_COLUMNS, rows=rows, message=message)


_NAME = (
    Argument("positional_name", nargs="?", metavar="NAME", help="name of the flavor"),
    Argument("--name", help="name of the flavor"),
)
_KEY = Argument("--key", required=True, help="name of the extra spec")

COMMANDS = (
    Command(
        category="flavor",
        name="create",
        help="create a flavor",
        run=create,
        arguments=(
            *_NAME,
            Argument("--memory", "--ram", type=int, required=True, help="memory in MB"),
            Argument("--cpu", "--vcpus", type=int, required=True, help="virtual CPUs"),
            Argument("--root-gb", "--disk", type=int, default=0, help="root disk in GB"),
            Argument("--ephemeral-gb", type=int, default=0, help="second disk in GB"),
            Argument("--swap", type=int, default=0, help="swap in MB"),
            Argument("--flavor", "--id", help="id of the flavor (default: random)"),
            Argument("--rxtx-factor", type=float, default=1.0, help="share of bandwidth"),
            Argument(
                "--is-public", type=truth, default=True, metavar="T|F", help="for all projects"
            ),
        ),
    ),
    Command(
        category="flavor",
        name="list",
        help="list flavors",
        run=list_flavors,
        changes=never,
        arguments=(Argument("--name", help="only the one of this name"),),
    ),
    Command(category="flavor", name="delete", help="delete a flavor", run=delete, arguments=_NAME),
    Command(
        category="flavor",
        name="set_key",
        help="set an extra spec",
        run=set_key,
        arguments=(*_NAME, _KEY, Argument("--value", required=True, help="its value")),
    ),
    Command(
        category="flavor",
        name="unset_key",
        help="remove an extra spec",
        run=unset_key,
        arguments=(*_NAME, _KEY),
    ),
)
