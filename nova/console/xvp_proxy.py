"""Serves VNC to programs that ask by HTTP and then speak RFB on the same connection.

Source: consoles, section 5.
"""

import logging

from nova.console import sessions
from nova.console.ends import StreamEnd
from nova.console.limits import Limits, TooManySessions
from nova.console.requests import answer, limit, read_request
from nova.console.server import Connection
from nova.console.settings import SessionRules
from nova.console.target import connect
from nova.console.tokens import token_in_query
from nova.exception import Internal, NovaException, Unavailable
from nova.http_framing import BadFraming
from nova.objects.console import ConsoleTarget

LOG = logging.getLogger(__name__)

READY = b"HTTP/1.1 200 OK\r\n\r\n"
_HEADERS = {
    "Content-Type": "text/html",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class _Refused(NovaException):
    def __init__(self, status: int, text: str) -> None:
        super().__init__()
        self.status = status
        self.text = text


_INVALID = (400, "Invalid Request")
_NOT_AUTHORIZED = (401, "Not Authorized")


class XvpProxy:
    """Handles connections of viewers."""

    def __init__(self, tokens: sessions.Tokens, limits: Limits, rules: SessionRules) -> None:
        self._tokens = tokens
        self._limits = limits
        self._rules = rules

    def handle(self, connection: Connection) -> None:
        """Serve one connection.  Raises: OSError."""
        try:
            self._serve(connection)
        except _Refused as error:
            self._refuse(connection, error.status, error.text)
        except BadFraming:
            self._refuse(connection, *_INVALID)
        except TooManySessions as error:
            LOG.warning("A session from %s is refused: %s", connection.source, error)
            self._refuse(connection, 429, "Too Many Requests")
        except (Unavailable, Internal) as error:
            LOG.warning("A console can not be served: %s", error)
            self._refuse(connection, *_INVALID)

    def _serve(self, connection: Connection) -> None:
        request = read_request(connection.sock, connection.deadline)
        if request is None:
            return
        token = token_in_query(request)
        # Viewers are programs: a browser's page, which names its origin, has no business here.
        if token is None or request.method != "GET" or "origin" in request.headers:
            raise _Refused(*_INVALID)
        target = self._tokens.check(token)
        if target is None:
            raise _Refused(*_NOT_AUTHORIZED)
        with self._limits.session(target, token):
            self._relay(connection, target, request.rest)

    def _relay(self, connection: Connection, target: ConsoleTarget, rest: bytes) -> None:
        with connect(target.connection, connection.deadline) as sock, connection.waiting_on(sock):
            limit(connection.sock, connection.deadline)
            connection.sock.sendall(READY)
            client = StreamEnd(connection.sock, connection.deadline, rest)
            connection.sock.setblocking(False)
            sock.setblocking(False)
            end = StreamEnd(sock, connection.deadline)
            sessions.run(connection, client, end, target, self._rules)

    def _refuse(self, connection: Connection, status: int, text: str) -> None:
        answer(connection.sock, status, _HEADERS, text.encode(), connection.deadline)
