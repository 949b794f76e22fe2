"""nova-network, put together."""

from typing import NoReturn

from oslo_config import cfg

from nova import launcher
from nova.cmd.compose import program
from nova.exception import NovaException
from nova.network.factory import make_manager
from nova.privileged.context import network_pctxt, start_helper
from nova.service import Duties, Group, Service, ServiceSettings

PROG = "nova-network"

CLEAR_HOST = cfg.BoolOpt(
    "clear-host",
    default=False,
    help="Do not serve: remove bridges without guests, rules and dnsmasq of this host, give "
    "network cards their addresses back, and end.",
)


def run() -> NoReturn:
    """Run nova-network."""
    cfg.CONF.register_cli_opt(CLEAR_HOST)
    conf = program.configure(PROG)
    if conf.clear_host:
        _clear(conf)

    def make() -> Group:
        if not conf.fake_network:
            start_helper(network_pctxt)
        bus = program.connect(conf)
        manager = make_manager(conf, bus)
        identity = ServiceSettings.from_config(conf, PROG)
        duties = Duties(manager=manager, tasks=manager.periodic_tasks())
        return Group(bus, [Service(identity, bus, [manager], duties)])

    program.run(make, conf=conf)


def _clear(conf: cfg.ConfigOpts) -> NoReturn:
    try:
        start_helper(network_pctxt)
        make_manager(conf, program.connect(conf)).clear_host()
    except NovaException as error:
        program.leave_with(error)
    launcher.leave(launcher.OK)
