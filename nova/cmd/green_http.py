"""The HTTP server under eventlet."""

import io
import logging
import socket
from typing import Any

import eventlet
import eventlet.wsgi

from nova.http_framing import BadFraming, check_request_line, read_head
from nova.http_patience import BODY, HEAD, IDLE, Patience, PatientFile
from nova.wsgi import App, HttpSettings

LOG = logging.getLogger(__name__)


class GreenServer:
    """Serves on green threads."""

    def __init__(self, settings: HttpSettings, app: App, listener: socket.socket) -> None:
        self._settings = settings
        self._app = app
        self._listener = listener
        self._acceptor: Any = None
        self._patience = settings.patience()

    def start(self) -> None:
        """Begin to accept connections."""
        self._patience.start()
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
            protocol=_protocol(settings, self._patience),
            keepalive=settings.keep_alive,
            log_output=False,
            url_length_limit=settings.max_url_bytes,
            debug=False,
            socket_timeout=settings.socket_timeout_s,
        )

    def stop(self, timeout_s: float) -> bool:
        """Accept no more; wait for requests in progress; tell whether all ended."""
        self._acceptor.kill()
        self._patience.stop()
        with eventlet.Timeout(timeout_s, False):
            try:
                self._acceptor.wait()
            except eventlet.greenlet.GreenletExit:
                return True
            return True
        return False


def _protocol(settings: HttpSettings, patience: Patience) -> type:
    class StrictProtocol(eventlet.wsgi.HttpProtocol):
        rfile: Any

        def setup(self) -> None:
            super().setup()
            # S3 gives metadata names back as part of the names of headers.
            self.capitalize_response_headers = False
            source = str(self.client_address[0])
            self.patient = PatientFile(self.rfile, self.connection, source, patience)
            self.rfile = self.patient

        def _read_request_line(self) -> Any:
            """Wait for a request as long as an idle connection may, for its first line less."""
            self.patient.begin(IDLE)
            try:
                if not self.rfile.closed and self.rfile.peek(1):
                    self.patient.begin(HEAD)
                    return super()._read_request_line()
            except OSError as error:
                LOG.debug("A connection broke: %s", error)
            self.close_connection = 1
            return ""

        def get_environ(self) -> Any:
            self.patient.begin(BODY)
            return super().get_environ()

        def parse_request(self) -> bool:
            body = self.rfile
            try:
                check_request_line(self.raw_requestline, settings.max_url_bytes)
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
