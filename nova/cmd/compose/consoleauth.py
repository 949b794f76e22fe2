"""nova-consoleauth, put together; it answers for nova-console as well."""

import dataclasses
from typing import NoReturn

from nova.cmd.compose import program
from nova.consoleauth.identity import identity_from_config
from nova.consoleauth.manager import ConsoleAuthManager, ConsolePools
from nova.consoleauth.settings import consoleauth_settings
from nova.exception import ConfigurationError
from nova.service import Group, Service, ServiceSettings

PROG = "nova-consoleauth"


def run() -> NoReturn:
    """Run nova-consoleauth."""
    conf = program.configure(PROG)
    workers = conf.consoleauth.workers or 1
    try:
        identity = identity_from_config(conf)
    except ConfigurationError as error:
        program.leave_with(error)

    def make() -> Group:
        bus = program.connect(conf)
        manager = ConsoleAuthManager(bus, consoleauth_settings(conf), identity)
        tokens = ServiceSettings.from_config(conf, PROG, siblings=workers)
        pools = dataclasses.replace(tokens, binary="nova-console", topic="console")
        return Group(bus, [Service(tokens, bus, [manager]), Service(pools, bus, [ConsolePools()])])

    program.run(make, conf=conf, workers=workers)
