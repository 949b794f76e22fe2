"""A small HTTP client with one kept connection per thread."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from standup.errors import StandupError

MICROVERSION = "2.96"
TIMEOUT_S = 600
_DROPPED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


@dataclass(frozen=True)
class Answer:
    """What came back, and the milliseconds until the last byte of it."""

    status: int
    ms: float
    body: bytes

    @property
    def document(self) -> Any:
        """Return the JSON of the body, None when there is none."""
        return json.loads(self.body) if self.body else None


class ApiClient:
    """Speaks to a Compute API that believes tokens of the form user:project."""

    def __init__(
        self, port: int, user: str, project: str, microversion: str = MICROVERSION
    ) -> None:
        self._port = port
        self._headers = {
            "Accept": "application/json",
            "X-Auth-Token": f"{user}:{project}",
            "OpenStack-API-Version": f"compute {microversion}",
        }
        self._of_thread = threading.local()

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request; a kept connection that was closed meanwhile is opened anew."""
        try:
            return self._exchange(method, path, body)
        except _DROPPED:
            self._of_thread.connection.close()
            return self._exchange(method, path, body)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request that must succeed.  Raises: StandupError."""
        answer = self.send(method, path, body)
        if answer.status >= 300:
            said = answer.body[:300].decode(errors="replace")
            raise StandupError(f"{method} {path} answered {answer.status}: {said}")
        return answer

    def get(self, path: str) -> Any:
        """Return the document of an address.  Raises: StandupError."""
        return self.call("GET", path).document

    def _exchange(self, method: str, path: str, body: Any) -> Answer:
        headers, data = self._headers, None
        if body is not None:
            data = json.dumps(body).encode()
            headers = {**headers, "Content-Type": "application/json"}
        began = time.perf_counter()
        connection = self._connection()
        connection.request(method, f"/v2.1{path}", body=data, headers=headers)
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, (time.perf_counter() - began) * 1000, content)

    def _connection(self) -> http.client.HTTPConnection:
        known: http.client.HTTPConnection | None = getattr(self._of_thread, "connection", None)
        if known is not None and known.sock is not None:
            return known
        fresh = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        fresh.connect()
        fresh.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._of_thread.connection = fresh
        return fresh


def at_once(parallel: int, count: int, work: Callable[[int], float]) -> list[float]:
    """Do numbered pieces of work, some at a time; return what each gave."""
    with ThreadPoolExecutor(parallel) as pool:
        return list(pool.map(work, range(count)))
