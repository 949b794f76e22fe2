"""Measures a proxy of consoles against connections without it, and prints it as JSON.

Runs under the daemons' interpreter: console_work.py SESSIONS [eventlet|threads]
The proxy is a process of its own with the real code and a bus inside; consoles and browsers are
threads of this process, which send and count bytes and look at nothing else.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 60
STREAM_BYTES = 256 * 1024 * 1024
ROUNDS = 2000
BURST_BYTES = 1024 * 1024
_CHUNK = bytes(64 * 1024)


def main(arguments: list[str]) -> None:
    """Measure with so many sessions at once."""
    if arguments[0] == "--proxy":
        _be_the_proxy(int(arguments[1]), arguments[2])
    sessions = int(arguments[0])
    concurrency = arguments[1] if len(arguments) > 1 else "eventlet"
    console = _Console()
    with _proxy(console.port, concurrency) as (process, port):
        found: dict[str, float | str] = {"concurrency": concurrency, "sessions": sessions}

        def direct(_number: int = 0) -> socket.socket:
            return _connect(console.port)

        def through(number: int = 0) -> socket.socket:
            return _open_session(port, number)

        found["to_browser_direct_mb_s"] = _download(direct, _raw)
        found["to_browser_mb_s"] = _download(through, _framed)
        found["to_console_direct_mb_s"] = _upload(direct, _raw)
        found["to_console_mb_s"] = _upload(through, _framed)
        found |= _latency("direct", direct, _raw, 1)
        found |= _latency("proxy", through, _framed, 3)
        found |= _crowd(process.pid, sessions, through)
        print(json.dumps(found))


# --- Consoles: the first byte of a connection says what it is for.

ECHO, SOURCE, SINK = b"e", b"s", b"k"


class _Console:
    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                {ECHO: _echo, SOURCE: _pour, SINK: _count}[sock.recv(1)](sock)
            except (OSError, KeyError):
                return


def _echo(sock: socket.socket) -> None:
    while data := sock.recv(65536):
        sock.sendall(data)


def _pour(sock: socket.socket) -> None:
    (size,) = struct.unpack(">Q", sock.recv(8, socket.MSG_WAITALL))
    while size > 0:
        sock.sendall(_CHUNK[:size])
        size -= len(_CHUNK)


def _count(sock: socket.socket) -> None:
    (size,) = struct.unpack(">Q", sock.recv(8, socket.MSG_WAITALL))
    while size > 0:
        size -= len(sock.recv(1 << 20)) or size
    sock.sendall(b"!")


# --- Browsers


def _connect(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _open_session(port: int, number: int) -> socket.socket:
    sock = _connect(port)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET /?token=t{number} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: binary\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    if not head.startswith(b"HTTP/1.1 101"):
        raise SystemExit(f"the proxy answers {head!r}")
    return sock


def _raw(data: bytes) -> bytes:
    return data


def _framed(data: bytes) -> bytes:
    """Return a message of a browser; its mask is zero, which costs the proxy the same."""
    size = len(data)
    if size < 126:
        head = bytes([0x82, 0x80 | size])
    elif size < 65536:
        head = struct.pack(">BBH", 0x82, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", 0x82, 0x80 | 127, size)
    return head + bytes(4) + data


Open = Callable[[int], socket.socket]
Form = Callable[[bytes], bytes]


def _download(connect: Open, form: Form) -> float:
    with connect(0) as sock:
        sock.sendall(form(SOURCE + struct.pack(">Q", STREAM_BYTES)))
        began, size = time.perf_counter(), 0
        while size < STREAM_BYTES:
            size += len(sock.recv(1 << 20)) or STREAM_BYTES
        return round(STREAM_BYTES / 1e6 / (time.perf_counter() - began), 1)


def _upload(connect: Open, form: Form) -> float:
    message = form(_CHUNK)
    with connect(0) as sock:
        sock.sendall(form(SINK + struct.pack(">Q", STREAM_BYTES)))
        began = time.perf_counter()
        for _ in range(STREAM_BYTES // len(_CHUNK)):
            sock.sendall(message)
        sock.recv(1)
        return round(STREAM_BYTES / 1e6 / (time.perf_counter() - began), 1)


def _latency(name: str, connect: Open, form: Form, answer_bytes: int) -> dict[str, float]:
    """Return how long an echo of one byte takes."""
    with connect(0) as sock:
        sock.sendall(form(ECHO))
        times = sorted(_round_trip(sock, form, answer_bytes) for _ in range(ROUNDS))
    return {
        f"{name}_p50_us": round(statistics.median(times), 1),
        f"{name}_p95_us": round(times[int(ROUNDS * 0.95)], 1),
    }


def _round_trip(sock: socket.socket, form: Form, answer_bytes: int) -> float:
    began = time.perf_counter()
    sock.sendall(form(b"x"))
    left = answer_bytes
    while left:
        left -= len(sock.recv(left))
    return (time.perf_counter() - began) * 1e6


def _crowd(pid: int, sessions: int, connect: Open) -> dict[str, float]:
    """Return what many sessions take, and how they do, when all work and when all rest."""
    before = _memory_mb(pid)
    began = time.perf_counter()
    socks = [connect(number) for number in range(sessions)]
    opened_s = time.perf_counter() - began
    for sock in socks:
        sock.sendall(_framed(ECHO))
    times = [_round_trip(sock, _framed, 3) for sock in socks for _ in range(10)]
    resting = _memory_mb(pid)
    for sock in socks:
        sock.close()
    socks = [connect(number) for number in range(sessions)]
    began = time.perf_counter()
    threads = [threading.Thread(target=_burst, args=(sock,)) for sock in socks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    burst_s = time.perf_counter() - began
    working = _memory_mb(pid)
    for sock in socks:
        sock.close()
    return {
        "memory_before_mb": before,
        "memory_resting_mb": resting,
        "memory_after_burst_mb": working,
        "open_ms": round(opened_s / sessions * 1000, 2),
        "crowd_p50_us": round(statistics.median(times), 1),
        "burst_mb_s": round(sessions * BURST_BYTES / 1e6 / burst_s, 1),
    }


def _burst(sock: socket.socket) -> None:
    sock.sendall(_framed(SOURCE + struct.pack(">Q", BURST_BYTES)))
    size = 0
    while size < BURST_BYTES:
        size += len(sock.recv(1 << 20)) or BURST_BYTES


def _memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (size,) = (line.split()[1] for line in lines if line.startswith("Pss:"))
    return round(int(size) / 1024, 1)


# --- The proxy


@contextmanager
def _proxy(console_port: int, concurrency: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, __file__, "--proxy", str(console_port), concurrency]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.terminate()


def _be_the_proxy(console_port: int, concurrency: str) -> None:
    from nova.cmd import backend

    if concurrency == backend.EVENTLET:
        backend.patch()
    import datetime

    from nova.cmd.compose import console_proxies  # noqa: F401, what the program has loaded
    from nova.console.limits import Caps, Limits
    from nova.console.pages import PageKind
    from nova.console.server import ProxyServer
    from nova.console.sessions import Tokens
    from nova.console.settings import SessionRules
    from nova.console.web_proxy import WebProxy
    from nova.consoleauth.rpcapi import ConsoleAuthAPI
    from nova.objects.console import ConsoleConnection, ConsoleTarget, ConsoleType
    from nova.rpc.local import LocalBus

    class Tokenless(ConsoleAuthAPI):
        def authorize_console(self, context, instance, console_type, connection):
            raise NotImplementedError

        def check_token(self, context, token):
            return ConsoleTarget(
                instance_uuid=token,
                instance_name="bench",
                project_id="bench",
                console_type=ConsoleType.SERIAL,
                connection=ConsoleConnection(host="127.0.0.1", port=console_port),
                access_url="ws://h/",
                expires=datetime.datetime(9999, 1, 1),
            )

        def delete_tokens_for_instance(self, context, instance_uuid):
            raise NotImplementedError

    bus = LocalBus()
    bus.serve("consoleauth", "bench", [Tokenless()]).start()
    limits = Limits(Caps(per_source=0))
    proxy = WebProxy(PageKind.SERIAL, {}, Tokens(bus, ConsoleType.SERIAL), limits, SessionRules())
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = ProxyServer(listener, proxy.handle, limits, handshake_timeout_s=PATIENCE_S)
    server.start()
    print(listener.getsockname()[1], flush=True)
    while True:
        time.sleep(PATIENCE_S)


if __name__ == "__main__":
    main(sys.argv[1:])
