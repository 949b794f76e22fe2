"""nova-api, put together."""

from typing import NoReturn

from nova.api.openstack.app import make_app
from nova.api.settings import ApiSettings
from nova.cmd.compose import program
from nova.cmd.compose.http import make_server
from nova.exception import ConfigurationError
from nova.image.connect import glance_from_config
from nova.wsgi import HttpService, HttpSettings, listen

PROG = "nova-api"


def run() -> NoReturn:
    """Run nova-api."""
    conf = program.configure(PROG)
    try:
        settings = HttpSettings.from_config(
            conf, "osapi_compute", str(conf.osapi_compute_listen), conf.osapi_compute_listen_port
        )
        listener = listen(settings)
    except ConfigurationError as error:
        program.leave_with(error)

    def make() -> HttpService:
        bus = program.connect(conf)
        app = make_app(ApiSettings.from_conf(conf), bus, glance_from_config(conf), conf)
        server = make_server(settings, app, listener)
        return HttpService(server, bus, settings.stop_timeout_s)

    program.run(make, conf=conf, workers=conf.osapi_compute_workers)
