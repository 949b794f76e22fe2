"""nova-network, put together."""

from typing import NoReturn

from nova.cmd.compose import program
from nova.network.linux import LinuxHost
from nova.network.manager import STALE_INTERVAL_S, manager_class
from nova.network.settings import from_conf
from nova.periodic import PeriodicTask
from nova.service import Duties, Group, Service, ServiceSettings

PROG = "nova-network"


def run() -> NoReturn:
    """Run nova-network."""
    conf = program.configure(PROG)

    def make() -> Group:
        settings = from_conf(conf)
        bus = program.connect(conf)
        host = LinuxHost(settings.networks_path)
        manager = manager_class(conf.network_manager)(settings=settings, bus=bus, host=host)
        tasks = (
            PeriodicTask(
                name="heal",
                interval_s=settings.heal_interval_s,
                function=manager.heal,
                initial_delay_s=0,
            ),
            PeriodicTask(
                name="disassociate-stale",
                interval_s=STALE_INTERVAL_S,
                function=manager.disassociate_stale,
            ),
        )
        identity = ServiceSettings.from_config(conf, PROG)
        duties = Duties(manager=manager, tasks=tasks)
        return Group(bus, [Service(identity, bus, [manager], duties)])

    program.run(make, conf=conf)
