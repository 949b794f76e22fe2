"""nova-network, put together."""

from typing import NoReturn

from nova.cmd.compose import program
from nova.network.factory import make_manager
from nova.service import Duties, Group, Service, ServiceSettings

PROG = "nova-network"


def run() -> NoReturn:
    """Run nova-network."""
    conf = program.configure(PROG)

    def make() -> Group:
        bus = program.connect(conf)
        manager = make_manager(conf, bus)
        identity = ServiceSettings.from_config(conf, PROG)
        duties = Duties(manager=manager, tasks=manager.periodic_tasks())
        return Group(bus, [Service(identity, bus, [manager], duties)])

    program.run(make, conf=conf)
