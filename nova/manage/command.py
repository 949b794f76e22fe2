"""How a command of nova-manage is declared."""

import argparse
import dataclasses
from collections.abc import Callable
from typing import Any

from nova.conductor.rpcapi.flavors import ConductorFlavors
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.conductor.rpcapi.security_groups import ConductorSecurityGroups
from nova.context import RequestContext
from nova.manage.output import Result
from nova.rpc.bus import Bus


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What commands work with: the conductor of this process, as an administrator.

    daemons: connects to the bus on which the daemons of other hosts listen.
    """

    context: RequestContext
    flavors: ConductorFlavors
    floating_ips: ConductorFloatingIps
    hosts: ConductorHosts
    instances: ConductorInstances
    networks: ConductorNetworks
    quotas: ConductorQuotas
    security_groups: ConductorSecurityGroups
    daemons: Callable[[], Bus]
    conf: Any


class Argument:
    """One argument of a command, as argparse takes it.

    Each option can be written with dashes or underscores; Nova used both.
    """

    def __init__(self, name: str, *more: str, **settings: Any) -> None:
        self._names = (name, *more)
        self._settings = settings

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Declare the argument on a parser."""
        names = list(self._names)
        for name in self._names:
            spelling = "--" + name[2:].replace("-", "_")
            if name.startswith("--") and spelling not in names:
                names.append(spelling)
        parser.add_argument(*names, **self._settings)


def always(args: argparse.Namespace) -> bool:
    """Tell of a command that it changes something."""
    return True


def never(args: argparse.Namespace) -> bool:
    """Tell of a command that it only reads."""
    return False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: "nova-manage CATEGORY NAME".

    needs_conductor False: the command works on the database's schema itself.
    changes: whether it changes something when called with arguments, and so is recorded.
    """

    category: str
    name: str
    help: str
    run: Callable[[Any, argparse.Namespace], Result]
    arguments: tuple[Argument, ...] = ()
    needs_conductor: bool = True
    changes: Callable[[argparse.Namespace], bool] = always


def truth(text: str) -> bool:
    """Return the value of T, F, true, false, yes, no, 1 or 0 (any case)."""
    word = text.lower()
    if word in ("t", "true", "yes", "y", "1", "on"):
        return True
    if word in ("f", "false", "no", "n", "0", "off"):
        return False
    raise argparse.ArgumentTypeError(f"'{text}' is neither T nor F")
