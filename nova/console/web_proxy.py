"""Serves one kind of console to browsers: its page, the page's files, and the WebSocket.

Source: consoles, section 4.
"""

import logging
import re
from collections.abc import Callable, Mapping

from nova.console import origin, pages, sessions
from nova.console.ends import BadWebSocket, BrowserEnd, StreamEnd, check_handshake
from nova.console.limits import Limits, TooManySessions
from nova.console.pages import PageKind, Refusal
from nova.console.requests import Request, answer, read_request
from nova.console.server import Connection
from nova.console.settings import SessionRules
from nova.console.target import connect
from nova.console.tokens import token_of
from nova.console.viewers import File
from nova.exception import Internal, NovaException, Unavailable
from nova.http_framing import BadFraming
from nova.objects.console import ConsoleTarget

LOG = logging.getLogger(__name__)

_METHODS = ("GET", "HEAD")
# Nothing that some other program would read differently: no encoded forms, dots or slashes.
_PATH = re.compile(r"/|(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")

Secure = Callable[[BrowserEnd, StreamEnd], None]


def stay(browser: BrowserEnd, target: StreamEnd) -> None:
    """Leave the connection to the console as it is."""


class Refused(NovaException):
    """A request that gets a page instead of what it wants."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__()
        self.reason = reason


class WebProxy:
    """Handles connections of browsers.

    secure: agrees with both sides on how the console is protected.
    """

    def __init__(
        self,
        kind: PageKind,
        files: Mapping[str, File],
        tokens: sessions.Tokens,
        limits: Limits,
        rules: SessionRules,
        secure: Secure = stay,
    ) -> None:
        self._kind = kind
        self._files = files
        self._tokens = tokens
        self._limits = limits
        self._rules = rules
        self._secure = secure
        self._file_headers = pages.headers(rules.allowed_origins)
        self._page_headers = pages.page_headers(rules.allowed_origins)

    def handle(self, connection: Connection) -> None:
        """Serve one connection.  Raises: OSError."""
        request = None
        try:
            request = read_request(connection.sock, connection.deadline)
            if request is not None:
                self._serve(connection, request)
        except Refused as error:
            self._refuse(connection, request, error.reason)
        except (BadFraming, BadWebSocket) as error:
            LOG.debug("A request from %s is malformed: %s", connection.source, error)
            self._refuse(connection, request, pages.BAD_REQUEST)
        except TooManySessions as error:
            LOG.warning("A session from %s is refused: %s", connection.source, error)
            self._refuse(connection, request, pages.TOO_MANY)
        except (Unavailable, Internal) as error:
            LOG.warning("A console can not be served: %s", error)
            self._refuse(connection, request, pages.UNAVAILABLE)

    def _serve(self, connection: Connection, request: Request) -> None:
        if request.method not in _METHODS:
            raise Refused(pages.METHOD_REFUSED)
        if not _PATH.fullmatch(request.path):
            raise Refused(pages.BAD_REQUEST)
        if request.wants_websocket:
            self._open(connection, request)
        elif request.path in pages.PATHS[self._kind]:
            target, _ = self._admit(request)
            self._send(connection, request, 200, self._page_headers, self._page(target))
        elif request.path in self._files:
            self._send_file(connection, request, self._files[request.path])
        else:
            raise Refused(pages.NOT_FOUND)

    def _page(self, target: ConsoleTarget) -> bytes:
        return pages.viewer(self._kind, target.instance_name)

    def _admit(self, request: Request) -> tuple[ConsoleTarget, str]:
        """Return what a request may see, and its token.  Raises: Refused; Unavailable."""
        token = token_of(request)
        target = self._tokens.check(token)
        if target is None or token is None:
            raise Refused(pages.TOKEN_REFUSED)
        if not origin.is_allowed(request.headers, target.access_url, self._rules.allowed_origins):
            LOG.warning("A page of another site asks for the console of %s", target.instance_uuid)
            raise Refused(pages.ORIGIN_REFUSED)
        return target, token

    def _send_file(self, connection: Connection, request: Request, file: File) -> None:
        tag = f'"{file.tag}"'
        headers = {**self._file_headers, "Cache-Control": "no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            self._send(connection, request, 304, headers, b"")
        else:
            headers["Content-Type"] = file.content_type
            self._send(connection, request, 200, headers, file.body)

    def _refuse(self, connection: Connection, request: Request | None, reason: Refusal) -> None:
        """Send the page that says why.  request: None when it could not be read."""
        headers = dict(self._page_headers)
        if reason is pages.METHOD_REFUSED:
            headers["Allow"] = ", ".join(_METHODS)
        self._send(connection, request, reason.status, headers, pages.refusal(reason))

    def _send(
        self,
        connection: Connection,
        request: Request | None,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        head_only = request is not None and request.method == "HEAD"
        answer(connection.sock, status, headers, body, connection.deadline, head_only=head_only)

    # --- The WebSocket

    def _open(self, connection: Connection, request: Request) -> None:
        """Lead a browser to the console of its token.

        Raises: Refused, BadWebSocket, TooManySessions, Unavailable: nothing was answered yet.
        """
        if request.method != "GET" or request.rest:
            raise Refused(pages.BAD_REQUEST)
        check_handshake(request.headers)
        target, token = self._admit(request)
        with self._limits.session(target, token):
            sock = connect(target.connection, connection.deadline)
            end = StreamEnd(sock, connection.deadline)
            try:
                with connection.waiting_on(sock):
                    self._relay(connection, request, end, target)
            finally:
                end.sock.close()

    def _relay(
        self, connection: Connection, request: Request, end: StreamEnd, target: ConsoleTarget
    ) -> None:
        browser = BrowserEnd(connection.sock, request.headers, connection.deadline)
        try:
            self._secure(browser, end)
        except (OSError, NovaException) as error:
            to = target.connection
            LOG.warning("The console at %s port %s can not be used: %s", to.host, to.port, error)
            sessions.say_goodbye(browser, "no agreement")
            return
        with connection.waiting_on(end.sock):
            connection.sock.setblocking(False)
            end.sock.setblocking(False)
            reason = sessions.run(connection, browser, end, target, self._rules)
        sessions.say_goodbye(browser, reason)
