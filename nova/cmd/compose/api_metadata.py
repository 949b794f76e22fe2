"""nova-api-metadata, put together."""

from typing import NoReturn

from nova.api.metadata.app import MetadataCacheManager, make_app, make_handler
from nova.cmd.compose import program
from nova.cmd.compose.http import make_server
from nova.exception import ConfigurationError
from nova.service import ServiceSettings
from nova.wsgi import HttpService, HttpSettings, listen

PROG = "nova-api-metadata"


def run() -> NoReturn:
    """Run nova-api-metadata."""
    conf = program.configure(PROG)
    try:
        settings = HttpSettings.from_config(
            conf, "metadata", str(conf.metadata_listen), conf.metadata_listen_port
        )
        listener = listen(settings)
    except ConfigurationError as error:
        program.leave_with(error)

    def make() -> HttpService:
        bus = program.connect(conf)
        handler = make_handler(conf, bus)
        server = make_server(settings, make_app(handler), listener)
        told = bus.serve("metadata", conf.host, [MetadataCacheManager(handler)], workers=4)
        return HttpService(server, bus, ServiceSettings.from_config(conf, PROG), [told])

    program.run(make, conf=conf, workers=conf.metadata_workers)
