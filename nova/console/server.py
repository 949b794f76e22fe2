"""Accepts connections, counts them, and ends them: the part that all proxies share."""

import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Callable, Iterator

from nova import clock, concurrency
from nova.console.limits import Limits, TooManySessions
from nova.console.requests import limit
from nova.console.target import keep_alive
from nova.exception import NovaException

LOG = logging.getLogger(__name__)

# Source: RFC 8446 section 5.1; SSL 2 is not spoken, but is recognised to refuse it as TLS.
_TLS_HANDSHAKE = (b"\x16", b"\x80")
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_ROOM_WAIT_S = 0.5


class Connection:
    """One client; deadline: until when it must have reached a console or be answered."""

    def __init__(self, sock: socket.socket, source: str, deadline: float) -> None:
        self.sock = sock
        self.source = source
        self.deadline = deadline
        self.is_tls = False
        self.stopping = False
        self._waits_on = sock

    @contextlib.contextmanager
    def waiting_on(self, sock: socket.socket) -> Iterator[None]:
        """Tell whose end would end the work on this connection.  Raises: OSError."""
        before, self._waits_on = self._waits_on, sock
        if self.stopping:
            raise ConnectionAbortedError("the proxy stops")
        yield
        self._waits_on = before

    def stop(self) -> None:
        """Make the thread that works on this connection finish; safe from any thread."""
        self.stopping = True
        _shut_down(self._waits_on)

    def cut(self) -> None:
        """End the connection whatever is going on."""
        _shut_down(self.sock)
        _shut_down(self._waits_on)

    def secure(self, context: ssl.SSLContext) -> None:
        """Go on with TLS.  Raises: TimeoutError; OSError."""
        limit(self.sock, self.deadline)
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self._waits_on = self.sock
        self.is_tls = True


def _shut_down(sock: socket.socket) -> None:
    """Wake whoever waits for a socket; it may be closed already."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _wait_for_room(error: Exception) -> None:
    LOG.warning("No connection can be accepted: %s", error)
    concurrency.sleep(_ROOM_WAIT_S)


class ProxyServer:
    """Gives each connection a thread.

    handle: serves one connection and returns when it is over.  tls: browsers may use it, or, if
    only_tls, must.  One lock guards the set of open connections.
    """

    def __init__(
        self,
        listener: socket.socket,
        handle: Callable[[Connection], None],
        limits: Limits,
        *,
        handshake_timeout_s: float,
        tls: ssl.SSLContext | None = None,
        only_tls: bool = False,
    ) -> None:
        self._listener = listener
        self._handle = handle
        self._limits = limits
        self._handshake_timeout_s = handshake_timeout_s
        self._tls = tls
        self._only_tls = only_tls
        self._lock = concurrency.Lock()
        self._open: set[Connection] = set()
        self._none_open = concurrency.Event()
        self._none_open.set()
        self._stopping = False
        self._acceptor: concurrency.Thread | None = None

    def start(self) -> None:
        """Begin to accept connections."""
        self._acceptor = concurrency.spawn(self._accept, name="accept")

    def stop(self, timeout_s: float) -> bool:
        """Accept no more; end sessions; tell whether all ended in time.

        Sessions last for hours, so they are not waited for: browsers connect again, to another
        proxy or to this one after its start.
        """
        deadline = clock.monotonic() + timeout_s
        self._stopping = True
        _shut_down(self._listener)
        if self._acceptor is not None:
            self._acceptor.join(timeout_s)
        self._listener.close()
        for connection in self._snapshot():
            connection.stop()
        done = self._none_open.wait(max(0.0, deadline - clock.monotonic()))
        for connection in self._snapshot():
            connection.cut()
        return done

    def _snapshot(self) -> list[Connection]:
        with self._lock:
            return list(self._open)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                sock, address = self._listener.accept()
            except OSError as error:
                if error.errno in _NO_ROOM:
                    _wait_for_room(error)
                continue
            try:
                concurrency.spawn(self._serve, sock, str(address[0]), name="console")
            except RuntimeError as error:
                # So says Python when the host, or the unit, has no more threads.
                sock.close()
                _wait_for_room(error)

    def _serve(self, sock: socket.socket, source: str) -> None:
        connection = Connection(sock, source, clock.monotonic() + self._handshake_timeout_s)
        try:
            with self._limits.connection(source), self._remembered(connection):
                keep_alive(sock)
                if self._agree_on_tls(connection):
                    self._handle(connection)
        except TooManySessions as error:
            LOG.warning("A connection from %s is refused: %s", source, error)
        except (OSError, NovaException) as error:
            LOG.debug("The connection from %s ended: %s", source, error)
        finally:
            connection.sock.close()

    @contextlib.contextmanager
    def _remembered(self, connection: Connection) -> Iterator[None]:
        with self._lock:
            self._open.add(connection)
            self._none_open.clear()
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)
                if not self._open:
                    self._none_open.set()

    def _agree_on_tls(self, connection: Connection) -> bool:
        """Tell plain connections and TLS apart by the first byte; tell whether to go on."""
        limit(connection.sock, connection.deadline)
        first = connection.sock.recv(1, socket.MSG_PEEK)
        if first in _TLS_HANDSHAKE:
            if self._tls is None:
                LOG.debug("%s wants TLS, for which there is no certificate", connection.source)
                return False
            connection.secure(self._tls)
            return True
        if first and self._only_tls:
            LOG.debug("%s does not use TLS", connection.source)
        return bool(first) and not self._only_tls
