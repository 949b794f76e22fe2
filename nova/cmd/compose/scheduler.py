"""nova-scheduler, put together."""

from typing import NoReturn

from nova.cmd.compose import program
from nova.scheduler.manager import SchedulerManager
from nova.scheduler.settings import rules_from
from nova.service import Group, Service, ServiceSettings

PROG = "nova-scheduler"


def run() -> NoReturn:
    """Run nova-scheduler."""
    conf = program.configure(PROG)
    workers = conf.scheduler.workers or 1

    def make() -> Group:
        bus = program.connect(conf)
        manager = SchedulerManager(bus, rules_from(conf))
        identity = ServiceSettings.from_config(conf, PROG, siblings=workers)
        return Group(bus, [Service(identity, bus, [manager])])

    program.run(make, conf=conf, workers=workers)
