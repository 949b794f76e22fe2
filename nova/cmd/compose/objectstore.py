"""nova-objectstore, put together: HTTP for clients, the bus for its reports only."""

import dataclasses
from typing import NoReturn

from nova.cmd.compose import program
from nova.cmd.compose.http import make_server
from nova.exception import ConfigurationError
from nova.objectstore.app import make_app, open_store
from nova.objectstore.care import cleaning
from nova.service import ServiceSettings
from nova.wsgi import HttpService, HttpSettings, listen

PROG = "nova-objectstore"
# A client that uploads at less than this for as long as [wsgi] body_timeout is cut off.
SLOWEST_BYTES_PER_S = 8192


def run() -> NoReturn:
    """Run nova-objectstore."""
    conf = program.configure(PROG)
    try:
        settings = dataclasses.replace(
            HttpSettings.from_config(conf, "objectstore", str(conf.s3_listen), conf.s3_listen_port),
            body_bytes_per_s=SLOWEST_BYTES_PER_S,
        )
        listener = listen(settings)
    except ConfigurationError as error:
        program.leave_with(error)

    def make() -> HttpService:
        bus = program.connect(conf)
        store = open_store(conf)
        server = make_server(settings, make_app(conf, store), listener)
        identity = ServiceSettings.from_config(conf, PROG)
        return HttpService(server, bus, identity, tasks=[cleaning(conf, store)])

    program.run(make, conf=conf, workers=conf.s3_workers)
