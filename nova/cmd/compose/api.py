"""nova-api, put together: each API that is enabled, in processes of its own."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from oslo_config import cfg

from nova.api.core import bundles
from nova.api.ec2 import app as ec2
from nova.api.ec2.settings import Ec2Settings
from nova.api.networking import app as networking
from nova.api.openstack import app as compute
from nova.api.openstack.environment import WsgiApp
from nova.api.settings import ApiSettings
from nova.cmd.compose import program
from nova.cmd.compose.http import make_server
from nova.exception import ConfigurationError
from nova.image.connect import glance_from_config
from nova.periodic import PeriodicTask
from nova.rpc.bus import Bus
from nova.service import ServiceSettings
from nova.wsgi import HttpService, HttpSettings, listen

PROG = "nova-api"


_Made = tuple[WsgiApp, Sequence[PeriodicTask]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Api:
    """One API: the beginning of its options' names, and how it is made.

    make: returns the application and what its process does besides answering.
    """

    prefix: str
    make: Callable[[ApiSettings, Bus, cfg.ConfigOpts], _Made]


def _compute(settings: ApiSettings, bus: Bus, conf: cfg.ConfigOpts) -> _Made:
    return compute.make_app(settings, bus, glance_from_config(conf), conf), ()


def _network(settings: ApiSettings, bus: Bus, conf: cfg.ConfigOpts) -> _Made:
    return networking.make_app(settings, bus, glance_from_config(conf), conf), ()


def _ec2(settings: ApiSettings, bus: Bus, conf: cfg.ConfigOpts) -> _Made:
    images = glance_from_config(conf)
    registrations = bundles.from_config(conf, bus, images)
    of_ec2 = Ec2Settings.from_conf(conf, settings)
    app = ec2.make_app(of_ec2, bus, images, registrations, conf)
    return app, [registrations.sweeping()]


_APIS: Mapping[str, _Api] = {
    "osapi_compute": _Api(prefix="osapi_compute", make=_compute),
    "network": _Api(prefix="networking", make=_network),
    "ec2": _Api(prefix="ec2", make=_ec2),
}


def run() -> NoReturn:
    """Run nova-api."""
    conf = program.configure(PROG)
    makes: list[Callable[[], HttpService]] = []
    try:
        if not conf.enabled_apis:
            raise ConfigurationError(reason="enabled_apis names no API")
        for name in dict.fromkeys(conf.enabled_apis):
            workers = conf[f"{_APIS[name].prefix}_workers"]
            makes += [_maker(name, _APIS[name], conf)] * workers
    except ConfigurationError as error:
        program.leave_with(error)
    program.run_all(makes, conf=conf)


def _maker(name: str, api: _Api, conf: cfg.ConfigOpts) -> Callable[[], HttpService]:
    """Return what makes an API's service, on an address that listens from now on.

    Raises: ConfigurationError.
    """
    host, port = str(conf[f"{api.prefix}_listen"]), conf[f"{api.prefix}_listen_port"]
    settings = HttpSettings.from_config(conf, name, host, port)
    listener = listen(settings)
    of_api = dataclasses.replace(ApiSettings.from_conf(conf), listen=host, listen_port=port)

    def make() -> HttpService:
        bus = program.connect(conf)
        app, tasks = api.make(of_api, bus, conf)
        server = make_server(settings, app, listener)
        return HttpService(server, bus, ServiceSettings.from_config(conf, PROG), tasks=tasks)

    return make
