"""The HTTP server under eventlet."""

import io
import logging
import socket
from typing import Any

import eventlet
import eventlet.wsgi

from nova.http_framing import BadFraming, check_request_line, read_head
from nova.wsgi import App, HttpSettings

LOG = logging.getLogger(__name__)


class GreenServer:
    """Serves on green threads."""

    def __init__(self, settings: HttpSettings, app: App, listener: socket.socket) -> None:
        self._settings = settings
        self._app = app
        self._listener = listener
        self._acceptor: Any = None

    def start(self) -> None:
        """Begin to accept connections."""
        settings = self._settings
        listener = self._listener
        if settings.tls is not None:
            listener = settings.tls.context().wrap_socket(
                listener, server_side=True, do_handshake_on_connect=False
            )
        eventlet.wsgi.MAX_HEADER_LINE = settings.max_header_line_bytes
        eventlet.wsgi.MAX_TOTAL_HEADER_SIZE = settings.max_header_line_bytes * 4
        self._acceptor = eventlet.spawn(
            eventlet.wsgi.server,
            listener,
            self._app,
            log=LOG,
            max_size=settings.pool_size,
            protocol=_protocol(settings),
            keepalive=settings.keep_alive,
            log_output=False,
            url_length_limit=settings.max_url_bytes,
            debug=False,
            socket_timeout=settings.socket_timeout_s,
        )

    def stop(self, timeout_s: float) -> bool:
        """Accept no more; wait for requests in progress; tell whether all ended."""
        self._acceptor.kill()
        with eventlet.Timeout(timeout_s, False):
            try:
                self._acceptor.wait()
            except eventlet.greenlet.GreenletExit:
                return True
            return True
        return False


def _protocol(settings: HttpSettings) -> type:
    class StrictProtocol(eventlet.wsgi.HttpProtocol):
        rfile: Any

        def parse_request(self) -> bool:
            body = self.rfile
            try:
                check_request_line(self.raw_requestline, settings.max_url_bytes)
                with eventlet.Timeout(
                    settings.header_timeout_s, BadFraming(reason="The headers came too slowly.")
                ):
                    head = read_head(body.readline, settings.max_header_line_bytes)
            except BadFraming as error:
                self._refuse(str(error))
                return False
            self.rfile = io.BytesIO(head)
            try:
                return bool(super().parse_request())
            finally:
                self.rfile = body

        def _refuse(self, reason: str) -> None:
            text = reason.encode("ascii", "replace") + b"\n"
            self.wfile.write(
                b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                b"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
            )
            self.close_connection = 1

    return StrictProtocol
