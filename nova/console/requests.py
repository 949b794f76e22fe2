"""The HTTP side of the proxies: reads the head of a request, sends answers.

One request per connection: what is served here is small, or takes the whole connection over.
"""

import dataclasses
import http
import io
import re
import socket
import urllib.parse
from collections.abc import Mapping

from nova import clock
from nova.http_framing import BadFraming, check_request_line, read_head

MAX_LINE_BYTES = 8192
MAX_HEAD_BYTES = 32768
_READ_BYTES = 4096
_ANSWER_S = 5.0
_END = b"\r\n\r\n"
_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) (\S+) HTTP/1\.[01]\r\n")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The head of a request; names of headers in lower case, repeated ones joined by commas.

    rest: what the client sent after the head already.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    rest: bytes = b""

    @property
    def wants_websocket(self) -> bool:
        """Tell whether the client asks to go on with the WebSocket protocol."""
        return self.headers.get("upgrade", "").lower() == "websocket"


def read_request(sock: socket.socket, deadline: float) -> Request | None:
    """Return the head of a request; None if the client left.

    deadline: in seconds of clock.monotonic(); all of the head must be there by then.
    Raises: BadFraming; TimeoutError; OSError.
    """
    data = b""
    while _END not in data:
        if len(data) > MAX_HEAD_BYTES:
            raise BadFraming(reason="The head of the request is too long.")
        piece = receive(sock, _READ_BYTES, deadline)
        if not piece:
            return None
        data += piece
    head, _, rest = data.partition(_END)
    return parse(head + _END, rest)


def receive(sock: socket.socket, size: int, deadline: float) -> bytes:
    """Return bytes as soon as there are some.  Raises: TimeoutError; OSError."""
    limit(sock, deadline)
    return sock.recv(size)


def limit(sock: socket.socket, deadline: float) -> None:
    """Let the next operation on a socket wait until a time at most.  Raises: TimeoutError."""
    left = deadline - clock.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def parse(head: bytes, rest: bytes = b"") -> Request:
    """Return what a head says.  Raises: BadFraming."""
    stream = io.BytesIO(head)
    first = stream.readline()
    check_request_line(first, MAX_LINE_BYTES)
    found = _REQUEST_LINE.fullmatch(first)
    if found is None:
        raise BadFraming(reason="The request line is malformed.")
    read_head(stream.readline, MAX_LINE_BYTES)
    path, _, query = found[2].decode("latin-1").partition("?")
    headers = _headers(head[len(first) :])
    if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        raise BadFraming(reason="A request to a console has no body.")
    return Request(method=found[1].decode(), path=path, query=query, headers=headers, rest=rest)


def _headers(lines: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            continue
        name, value = name.lower(), value.strip(" \t")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def values_of(query: str, name: str) -> list[str]:
    """Return the values of a parameter, in their order."""
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    return [value for key, value in pairs if key == name]


def answer(
    sock: socket.socket,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    deadline: float,
    *,
    head_only: bool = False,
) -> None:
    """Send an answer, after which the connection ends.  Raises: TimeoutError; OSError.

    What is to be told may be that nobody else answered until the deadline: some time is left.
    """
    whole = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in whole.items()]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    limit(sock, max(deadline, clock.monotonic() + _ANSWER_S))
    sock.sendall(head if head_only else head + body)
