"""The program nova-manage: the conductor's work in this process.

Only what daemons of other hosts are asked or told goes over the message bus.
"""

import functools
import importlib
import sys
from collections.abc import Callable
from typing import NoReturn, Protocol

from oslo_config import cfg

from nova import config
from nova.cmd.backend import hide_eventlet_warning
from nova.concurrency import Pool
from nova.conductor.firewall_changes import FirewallChanges
from nova.conductor.manager import check_schema, endpoints
from nova.conductor.rpcapi.flavors import ConductorFlavors
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.conductor.rpcapi.security_groups import ConductorSecurityGroups
from nova.conductor.settings import conductor_settings, database_settings
from nova.context import get_admin_context
from nova.db.engine import Database
from nova.exception import NovaException
from nova.manage.command import Environment
from nova.manage.main import build_parser, config_arguments, exit_code, run
from nova.rpc.bus import Bus
from nova.rpc.local import LocalBus
from nova.rpc.proxy import Transport
from nova.rpc.split import SplitBus

PROG = "nova-manage"
_HOST = "nova-manage"
# What is told of changes that the conductor of this process makes.
_TOLD = frozenset({"network", "compute"})


class DaemonsBus(Bus, Transport, Protocol):
    """The daemons' bus: both what commands ask, and what carries the conductor's messages."""


def main() -> NoReturn:
    """Run the program."""
    hide_eventlet_warning()
    args = build_parser(config.version()).parse_args()
    try:
        conf = config.load(config_arguments(args), PROG, database=True)
    except NovaException as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        sys.exit(exit_code(error))
    sys.exit(run(args, conf, lambda: make_environment(conf, functools.partial(connect, conf))))


def connect(conf: cfg.ConfigOpts) -> DaemonsBus:
    """Return the bus of the daemons.  Raises: ConfigurationError.

    Its library is loaded for commands that need it only: that takes as long as all the rest.
    """
    bus: DaemonsBus = importlib.import_module("nova.rpc.amqp").AmqpBus(
        conf, dict(conf.upgrade_levels.items())
    )
    return bus


def warn(error: NovaException) -> None:
    """Say that a change stands although no host was told of it."""
    print(
        f"{PROG}: warning: {error} What was changed is stored; hosts that it concerns take it "
        "over at their next heal.",
        file=sys.stderr,
    )


def make_environment(conf: cfg.ConfigOpts, daemons: Callable[[], DaemonsBus]) -> Environment:
    """Return a conductor of this process; daemons connects it with those of other hosts.

    Raises: ConfigurationError, Unavailable.
    """
    database = Database(database_settings(conf))
    check_schema(database)
    bus = SplitBus(LocalBus(), daemons, _TOLD, dict(conf.upgrade_levels.items()), warn)
    pool = Pool(1, "build")
    # Nothing may wait: this process ends with its command.
    changes = FirewallChanges(bus, window_s=0)
    served = endpoints(conductor_settings(conf), bus, database, pool, changes)
    bus.serve("conductor", _HOST, served).start()
    return Environment(
        context=get_admin_context(),
        flavors=bus.client(ConductorFlavors).anyone(),
        hosts=bus.client(ConductorHosts).anyone(),
        instances=bus.client(ConductorInstances).anyone(),
        floating_ips=bus.client(ConductorFloatingIps).anyone(),
        networks=bus.client(ConductorNetworks).anyone(),
        quotas=bus.client(ConductorQuotas).anyone(),
        security_groups=bus.client(ConductorSecurityGroups).anyone(),
        daemons=daemons,
        conf=conf,
    )


if __name__ == "__main__":
    main()
