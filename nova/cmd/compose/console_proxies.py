"""The proxies of consoles, put together."""

import pathlib
from collections.abc import Callable
from typing import NoReturn

from oslo_config import cfg

from nova.cmd.compose import program
from nova.console import viewers
from nova.console.limits import Limits
from nova.console.pages import PageKind
from nova.console.rfb_security import RfbSecurity, client_tls
from nova.console.server import Connection, ProxyServer
from nova.console.sessions import Tokens
from nova.console.settings import SessionRules, caps_from, tls_from
from nova.console.web_proxy import Secure, WebProxy, stay
from nova.console.xvp_proxy import XvpProxy
from nova.objects.console import ConsoleType
from nova.rpc.bus import Bus
from nova.service import ServiceSettings
from nova.wsgi import HttpService, HttpSettings, listen

MakeHandler = Callable[[cfg.ConfigOpts, Bus, Limits], Callable[[Connection], None]]


def run_novncproxy() -> NoReturn:
    """Run nova-novncproxy."""
    make = web(PageKind.VNC, ConsoleType.NOVNC, vnc_security)
    _run("nova-novncproxy", "vnc", "novncproxy", make)


def run_spicehtml5proxy() -> NoReturn:
    """Run nova-spicehtml5proxy."""
    make = web(PageKind.SPICE, ConsoleType.SPICE_HTML5)
    _run("nova-spicehtml5proxy", "spice", "html5proxy", make)


def run_serialproxy() -> NoReturn:
    """Run nova-serialproxy."""
    make = web(PageKind.SERIAL, ConsoleType.SERIAL)
    _run("nova-serialproxy", "serial_console", "serialproxy", make)


def run_xvpvncproxy() -> NoReturn:
    """Run nova-xvpvncproxy."""
    _run("nova-xvpvncproxy", "vnc", "xvpvncproxy", xvp)


def vnc_security(conf: cfg.ConfigOpts) -> Secure:
    """Return how nova-novncproxy and VNC servers agree.  Raises: ConfigurationError."""
    vnc, tls = conf.vnc, None
    if "vencrypt" in vnc.auth_schemes:
        tls = client_tls(vnc.vencrypt_ca_certs, vnc.vencrypt_client_cert, vnc.vencrypt_client_key)
    return RfbSecurity(vnc.auth_schemes, tls).agree


def no_security(conf: cfg.ConfigOpts) -> Secure:
    """Return that nothing is to be agreed on."""
    return stay


def web(
    kind: PageKind,
    console_type: ConsoleType,
    security: Callable[[cfg.ConfigOpts], Secure] = no_security,
) -> MakeHandler:
    """Return the maker of a proxy for browsers.  It raises: ConfigurationError."""

    def make(conf: cfg.ConfigOpts, bus: Bus, limits: Limits) -> Callable[[Connection], None]:
        files = viewers.load(kind, pathlib.Path(conf.web) if conf.web else None)
        rules = SessionRules.from_conf(conf)
        tokens = Tokens(bus, console_type)
        return WebProxy(kind, files, tokens, limits, rules, security(conf)).handle

    return make


def xvp(conf: cfg.ConfigOpts, bus: Bus, limits: Limits) -> Callable[[Connection], None]:
    """Return the handler of nova-xvpvncproxy."""
    tokens = Tokens(bus, ConsoleType.XVPVNC)
    return XvpProxy(tokens, limits, SessionRules.from_conf(conf)).handle


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
