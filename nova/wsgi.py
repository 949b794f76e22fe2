"""HTTP service: settings, the listening socket, TLS, and the server for native threads.

nova.cmd has the server for eventlet; both read requests by nova.http_framing.
"""

import dataclasses
import io
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from cheroot import server as cheroot_server
from cheroot import wsgi as cheroot_wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter
from oslo_config import cfg

from nova import clock, concurrency
from nova.exception import ConfigurationError
from nova.http_framing import BadFraming, check_request_line, read_head
from nova.http_input import BoundedChunks, ContinuedInput, discard
from nova.http_patience import BODY, HEAD, Limits, Patience, PatientFile
from nova.periodic import PeriodicTask
from nova.rpc.bus import Bus, RpcServer
from nova.service import Reporting, ServiceSettings

LOG = logging.getLogger(__name__)

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

BACKLOG = 128


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files of the server's identity; ca_file makes clients show certificates."""

    cert_file: str
    key_file: str
    ca_file: str | None = None

    def context(self) -> ssl.SSLContext:
        """Return the context of the server side.  Raises: ConfigurationError."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:
            raise ConfigurationError(
                reason=f"{self.cert_file} and {self.key_file} are no usable pair: {error.strerror}"
            ) from error
        if self.ca_file is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Where and how a service is served."""

    name: str
    host: str
    port: int
    pool_size: int = 1000
    socket_timeout_s: float = 900
    header_timeout_s: float = 30
    body_timeout_s: float = 60
    body_bytes_per_s: int = 0
    slow_per_source: int = 100
    keep_alive: bool = True
    keepidle_s: int = 600
    max_header_line_bytes: int = 16384
    max_url_bytes: int = 8192
    stop_timeout_s: float = 60
    tls: Tls | None = None

    def patience(self) -> Patience:
        """Return the watch over clients, for one server."""
        limits = Limits(
            idle_s=self.socket_timeout_s,
            head_s=self.header_timeout_s,
            body_s=self.body_timeout_s,
            body_bytes_per_s=self.body_bytes_per_s,
            slow_per_source=self.slow_per_source,
        )
        return Patience(limits)

    @classmethod
    def from_config(cls, conf: cfg.ConfigOpts, name: str, host: str, port: int) -> "HttpSettings":
        """Return the settings of an API.  Raises: ConfigurationError."""
        wsgi = conf.wsgi
        tls = None
        if name in conf.enabled_ssl_apis:
            if not wsgi.ssl_cert_file or not wsgi.ssl_key_file:
                raise ConfigurationError(
                    reason=f"{name} over TLS needs ssl_cert_file and ssl_key_file"
                )
            tls = Tls(
                cert_file=wsgi.ssl_cert_file, key_file=wsgi.ssl_key_file, ca_file=wsgi.ssl_ca_file
            )
        return cls(
            name=name,
            host=host,
            port=port,
            pool_size=wsgi.default_pool_size,
            socket_timeout_s=wsgi.client_socket_timeout,
            header_timeout_s=wsgi.header_timeout,
            body_timeout_s=wsgi.body_timeout,
            slow_per_source=wsgi.max_slow_connections_per_source,
            keep_alive=wsgi.keep_alive,
            keepidle_s=wsgi.tcp_keepidle,
            max_header_line_bytes=wsgi.max_header_line,
            max_url_bytes=wsgi.max_url_length,
            stop_timeout_s=conf.graceful_shutdown_timeout,
            tls=tls,
        )


def listen(settings: HttpSettings) -> socket.socket:
    """Return the listening socket; workers share it.  Raises: ConfigurationError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, settings.keepidle_s)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            reason=f"{settings.name} can not listen on {settings.host} port {settings.port}: "
            f"{error.strerror}"
        ) from error
    listener.listen(BACKLOG)
    return listener


class HttpServer(Protocol):
    """Serves an application on a socket."""

    def start(self) -> None:
        """Begin to accept connections."""

    def stop(self, timeout_s: float) -> bool:
        """Accept no more; wait for requests in progress; tell whether all ended."""


class HttpService:
    """An HTTP server with the bus that its application uses, as the launcher runs it.

    listeners: what the application is told over the bus.  identity: as whom it reports.
    tasks: what it does besides answering.
    """

    def __init__(
        self,
        server: HttpServer,
        bus: Bus,
        identity: ServiceSettings,
        listeners: Sequence[RpcServer] = (),
        tasks: Sequence[PeriodicTask] = (),
    ) -> None:
        self._server = server
        self._bus = bus
        self._stop_timeout_s = identity.stop_timeout_s
        self._reporting = Reporting(bus, identity, tasks)
        self._listeners = listeners

    def start(self) -> None:
        """Begin to serve; messages are taken as soon as the broker is there."""
        for listener in self._listeners:
            concurrency.spawn(listener.start, name="rpc-start")
        self._server.start()
        self._reporting.start()

    def stop(self) -> bool:
        """Finish what was asked; tell whether all of it ended in time."""
        deadline = clock.monotonic() + self._stop_timeout_s
        done = self._server.stop(self._stop_timeout_s)
        for listener in self._listeners:
            listener.stop()
        done = self._reporting.stop(max(0.0, deadline - clock.monotonic())) and done
        self._bus.close()
        return done


class ThreadServer:
    """Serves on native threads."""

    def __init__(self, settings: HttpSettings, app: App, listener: socket.socket) -> None:
        self._server = _StrictServer(settings, app, listener)
        self._thread = threading.Thread(target=self._server.serve, name="http", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._server.prepare()
        self._server.patience.start()
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Accept no more; wait for requests in progress; tell whether all ended."""
        self._server.shutdown_timeout = int(timeout_s)
        self._server.stop()
        self._thread.join(timeout_s)
        self._server.patience.stop()
        return not self._thread.is_alive()


class _StrictServer(cheroot_wsgi.Server):
    """cheroot on a socket that is listening already, with our reading of headers."""

    def __init__(self, settings: HttpSettings, app: App, listener: socket.socket) -> None:
        threads = min(settings.pool_size, _MAX_THREADS)
        super().__init__(
            listener.getsockname()[:2],
            app,
            numthreads=threads,
            timeout=int(settings.socket_timeout_s),
            request_queue_size=BACKLOG,
            shutdown_timeout=int(settings.stop_timeout_s),
        )
        self._listener = listener
        self.gateway = _Gateway
        self.max_request_header_size = settings.max_header_line_bytes * 4
        self.settings = settings
        self.patience = settings.patience()
        self.ConnectionClass = _connection_class(settings, self.patience)
        if not settings.keep_alive:
            self.keep_alive_conn_limit = 0
        if settings.tls is not None:
            tls = settings.tls
            adapter = BuiltinSSLAdapter(tls.cert_file, tls.key_file)
            adapter.context = tls.context()
            self.ssl_adapter = adapter

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:
        """Take the socket that was given."""
        self.socket = self._listener
        return self._listener

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Log what cheroot has to say."""
        LOG.log(level, "%s", msg, exc_info=traceback)


_MAX_THREADS = 64


class _Gateway(cheroot_wsgi.Gateway_10):
    """Gives the application bodies in pieces, which clients send once they are read."""

    def get_environ(self) -> Any:
        request = self.req
        if request.chunked_read:
            request.rfile = BoundedChunks(request.conn.rfile)
        if request.is_awaited:
            request.rfile = ContinuedInput(request.rfile, self._go_on)
        return super().get_environ()

    def _go_on(self) -> None:
        self.req.conn.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _connection_class(settings: HttpSettings, patience: Patience) -> type:
    reader = _StrictReader(settings.max_header_line_bytes)

    class Request(cheroot_server.HTTPRequest):
        is_awaited = False

        def header_reader(self, rfile: Any, headers: dict[bytes, bytes]) -> None:
            """Read the headers; Expect is kept from the library, which would answer it now."""
            reader(rfile, headers)
            expected = headers.pop(b"Expect", b"").lower()
            self.is_awaited = expected == b"100-continue"

        def read_request_line(self) -> bool:
            self.conn.rfile.begin(HEAD)
            self.rfile = _CheckedFirstLine(self.rfile, settings.max_url_bytes)
            try:
                return bool(super().read_request_line())
            except BadFraming as error:
                self.simple_response("400 Bad Request", str(error))
                return False
            finally:
                self.rfile = self.rfile.inner

        def respond(self) -> None:
            self.conn.rfile.begin(BODY)
            super().respond()

        def send_headers(self) -> None:
            if not self.close_connection:
                unsent = getattr(self.rfile, "is_awaited", False)
                self.close_connection = unsent or not discard(self.rfile)
            super().send_headers()

    class Connection(cheroot_server.HTTPConnection):
        RequestHandlerClass = Request

        def __init__(self, server: Any, sock: socket.socket, *rest: Any, **more: Any) -> None:
            super().__init__(server, sock, *rest, **more)
            self.rfile = PatientFile(self.rfile, sock, _address_of(sock), patience)

    return Connection


def _address_of(sock: socket.socket) -> str:
    try:
        return str(sock.getpeername()[0])
    except OSError:
        return ""


class _CheckedFirstLine:
    """Passes one line on after a look at it; cheroot skips one empty line before it."""

    def __init__(self, inner: Any, max_bytes: int) -> None:
        self.inner = inner
        self._max_bytes = max_bytes

    def readline(self, size: int | None = None) -> bytes:
        line: bytes = self.inner.readline(size) if size is not None else self.inner.readline()
        if line and line != b"\r\n":
            check_request_line(line, self._max_bytes)
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _StrictReader(cheroot_server.HeaderReader):
    """Refuses heads that nova.http_framing refuses; cheroot answers ValueError with 400."""

    def __init__(self, max_line_bytes: int) -> None:
        self._max_line_bytes = max_line_bytes

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        try:
            head = read_head(rfile.readline, self._max_line_bytes)
        except BadFraming as error:
            raise ValueError(str(error)) from error
        return super().__call__(io.BytesIO(head), hdict)
