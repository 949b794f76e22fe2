"""A small client of OpenStack's HTTP interfaces, standard library only."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from standup.errors import StandupError


class HttpError(StandupError):
    """A service answered with an error status."""

    def __init__(self, status: int, method: str, url: str, text: str) -> None:
        super().__init__(f"{method} {url} answered {status}: {text[:500]}")
        self.status = status


@dataclass(frozen=True)
class Answer:
    """A successful answer."""

    status: int
    headers: Mapping[str, str]
    body: Any


def request(
    method: str,
    url: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 60,
) -> Answer:
    """Send a request; bytes go out as they are, anything else as JSON.

    Raises: HttpError for a status of 400 or more, StandupError when nobody answers.
    """
    data: bytes | None = None
    kind = "application/json"
    if isinstance(body, bytes):
        data, kind = body, "application/octet-stream"
    elif body is not None:
        data = json.dumps(body).encode()
    call = urllib.request.Request(url, data=data, method=method, headers=dict(headers or {}))
    call.add_header("Accept", "application/json")
    if data is not None:
        call.add_header("Content-Type", kind)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(call, timeout=timeout_s) as reply:
            text = reply.read()
            parsed = json.loads(text) if text[:1] in (b"{", b"[") else text
            return Answer(reply.status, dict(reply.headers.items()), parsed)
    except urllib.error.HTTPError as error:
        raise HttpError(error.code, method, url, error.read().decode(errors="replace")) from error
    except OSError as error:
        raise StandupError(f"{method} {url}: {error}") from error


@dataclass(frozen=True)
class Credentials:
    """Who asks Keystone for a token, and for which project."""

    auth_url: str
    user: str
    password: str
    project: str


class Session:
    """Authenticated requests.

    The token is fetched when it is first needed and again when it grows old.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self._token = ""
        self._fresh_until = 0.0

    @property
    def token(self) -> str:
        """The present token."""
        if time.monotonic() > self._fresh_until:
            who, domain = self.credentials, {"id": "default"}
            user = {"name": who.user, "domain": domain, "password": who.password}
            identity = {"methods": ["password"], "password": {"user": user}}
            scope = {"project": {"name": who.project, "domain": domain}}
            body = {"auth": {"identity": identity, "scope": scope}}
            answer = request("POST", f"{who.auth_url}/auth/tokens", body)
            self._token = {k.lower(): v for k, v in answer.headers.items()}["x-subject-token"]
            self._fresh_until = time.monotonic() + 1800
        return self._token

    def get(self, url: str) -> Any:
        """Return the body of a resource."""
        return self.call("GET", url).body

    def call(self, method: str, url: str, body: object = None, **headers: str) -> Answer:
        """Send an authenticated request; underscores in header names become hyphens."""
        sent = {"X-Auth-Token": self.token, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return request(method, url, body, sent)
