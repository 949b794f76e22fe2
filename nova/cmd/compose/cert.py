"""nova-cert, put together."""

from typing import NoReturn

from nova.cert.manager import CertManager
from nova.cert.settings import CertSettings
from nova.cmd.compose import program
from nova.service import Duties, Group, Service, ServiceSettings

PROG = "nova-cert"


def run() -> NoReturn:
    """Run nova-cert."""
    conf = program.configure(PROG)

    def make() -> Group:
        bus = program.connect(conf)
        manager = CertManager(CertSettings.from_conf(conf), bus)
        identity = ServiceSettings.from_config(conf, PROG)
        return Group(bus, [Service(identity, bus, [manager], Duties(manager=manager))])

    program.run(make, conf=conf)
