"""Connects to the console that a token leads to, and to nothing else.

Source: consoles, section 4, rows Target and internal_access_path, and section 5, row Handshake.
"""

import socket

from nova import clock
from nova.console.requests import limit, receive
from nova.exception import Unavailable
from nova.objects.console import ConsoleConnection

_MAX_ANSWER_BYTES = 4096
_END = b"\r\n\r\n"


class ConsoleUnreachable(Unavailable):
    message = "The console at {host} port {port} can not be reached: {reason}"


def connect(to: ConsoleConnection, deadline: float) -> socket.socket:
    """Return a connection to a console.  Raises: ConsoleUnreachable."""
    try:
        sock = socket.create_connection((to.host, to.port), max(0.1, deadline - clock.monotonic()))
    except OSError as error:
        raise _unreachable(to, error.strerror or "no answer in time") from error
    try:
        keep_alive(sock)
        if to.internal_access_path:
            _open_path(sock, to, deadline)
    except OSError as error:
        sock.close()
        raise _unreachable(to, error.strerror or "no answer in time") from error
    except ConsoleUnreachable:
        sock.close()
        raise
    return sock


def _open_path(sock: socket.socket, to: ConsoleConnection, deadline: float) -> None:
    """Ask a host of many consoles for one of them.

    Read byte by byte: what follows the answer belongs to the console already.
    """
    limit(sock, deadline)
    sock.sendall(f"CONNECT {to.internal_access_path} HTTP/1.1\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(_END):
        byte = receive(sock, 1, deadline)
        if not byte or len(answer) >= _MAX_ANSWER_BYTES:
            raise _unreachable(to, "its answer is no HTTP")
        answer += byte
    if b"200" not in answer.partition(b"\r\n")[0]:
        raise _unreachable(to, "it refuses the path")


def _unreachable(to: ConsoleConnection, reason: str) -> ConsoleUnreachable:
    return ConsoleUnreachable(host=to.host, port=to.port, reason=reason)


def keep_alive(sock: socket.socket) -> None:
    """Let the kernel find out when the other side is gone, within two minutes; send at once."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
