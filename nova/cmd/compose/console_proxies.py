"""The proxies of consoles, put together."""

import pathlib
from collections.abc import Callable
from typing import NoReturn

from oslo_config import cfg

from nova.cmd.compose import program
from nova.console import viewers
from nova.console.limits import Limits
from nova.console.pages import PageKind
from nova.console.server import Connection, ProxyServer
from nova.console.sessions import Tokens
from nova.console.settings import SessionRules, caps_from, tls_from
from nova.console.web_proxy import WebProxy
from nova.objects.console import ConsoleType
from nova.rpc.bus import Bus
from nova.service import ServiceSettings
from nova.wsgi import HttpService, HttpSettings, listen

MakeHandler = Callable[[cfg.ConfigOpts, Bus, Limits], Callable[[Connection], None]]


def run_novncproxy() -> NoReturn:
    """Run nova-novncproxy."""
    _run("nova-novncproxy", "vnc", "novncproxy", web(PageKind.VNC, ConsoleType.NOVNC))


def run_spicehtml5proxy() -> NoReturn:
    """Run nova-spicehtml5proxy."""
    make = web(PageKind.SPICE, ConsoleType.SPICE_HTML5)
    _run("nova-spicehtml5proxy", "spice", "html5proxy", make)


def run_serialproxy() -> NoReturn:
    """Run nova-serialproxy."""
    make = web(PageKind.SERIAL, ConsoleType.SERIAL)
    _run("nova-serialproxy", "serial_console", "serialproxy", make)


def web(kind: PageKind, console_type: ConsoleType) -> MakeHandler:
    """Return the maker of a proxy for browsers.  It raises: ConfigurationError."""

    def make(conf: cfg.ConfigOpts, bus: Bus, limits: Limits) -> Callable[[Connection], None]:
        files = viewers.load(kind, pathlib.Path(conf.web) if conf.web else None)
        rules = SessionRules.from_conf(conf)
        return WebProxy(kind, files, Tokens(bus, console_type), limits, rules).handle

    return make


def make_service(
    conf: cfg.ConfigOpts, prog: str, settings: HttpSettings, bus: Bus, make: MakeHandler
) -> HttpService:
    """Return a proxy as the launcher runs it.  Raises: ConfigurationError."""
    limits = Limits(caps_from(conf))
    server = ProxyServer(
        listen(settings),
        make(conf, bus, limits),
        limits,
        handshake_timeout_s=conf.console.handshake_timeout,
        tls=tls_from(conf),
        only_tls=conf.ssl_only,
    )
    return HttpService(server, bus, ServiceSettings.from_config(conf, prog))


def _run(prog: str, group: str, name: str, make: MakeHandler) -> NoReturn:
    conf = program.configure(prog)
    host, port = conf[group][f"{name}_host"], conf[group][f"{name}_port"]
    if conf.source_is_ipv6 and host == "0.0.0.0":
        host = "::"
    settings = HttpSettings(name=prog, host=host, port=port)

    def service() -> HttpService:
        return make_service(conf, prog, settings, program.connect(conf), make)

    program.run(service, conf=conf)
