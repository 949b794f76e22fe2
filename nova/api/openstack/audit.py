"""The record of what administrators change: who, what, when, from where, with what outcome.

One JSON object on one line for each request, so that nothing that a caller sends can look
like another record.  Source: security-checklist AZ-12.
"""

import json
import logging
import logging.handlers
import os
from collections.abc import Iterable

from nova import clock
from nova.api.openstack.environment import (
    CONTEXT_KEY,
    OPERATION_KEY,
    REQUEST_ID_KEY,
    Environ,
    StartResponse,
    WsgiApp,
)
from nova.context import RequestContext

LOG = logging.getLogger("nova.audit")

_READING = {"GET", "HEAD", "OPTIONS"}
# Orders to hosts, which are given by reading.
_ORDERS = ("/reboot", "/shutdown", "/startup")
_LONGEST_TEXT = 512


class AuditLog:
    """Records each request of an administrator that may change something, refused ones too."""

    def __init__(self, app: WsgiApp, file: str | None = None) -> None:
        self._app = app
        if file is not None:
            write_to(file)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        context: RequestContext = environ[CONTEXT_KEY]
        if not context.is_admin or not _may_change(environ):
            return self._app(environ, start_response)
        # No answer at all is a fault of ours, which the outermost layer turns into a 500.
        statuses = ["500"]

        def start(status: str, *rest: object) -> object:
            statuses.append(status)
            return start_response(status, *rest)

        try:
            return self._app(environ, start)
        finally:
            LOG.info("%s", json.dumps(_record(context, environ, int(statuses[-1][:3]))))


def write_to(path: str) -> None:
    """Write records to a file as well, which others than its owner and group can not read.

    A file that is moved away is made anew.  A second call for the same file does nothing.
    """
    path = os.path.abspath(path)
    if any(getattr(handler, "baseFilename", None) == path for handler in LOG.handlers):
        return
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640))
    handler = logging.handlers.WatchedFileHandler(path)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)


def _may_change(environ: Environ) -> bool:
    path = str(environ.get("PATH_INFO", ""))
    ordered = "/os-hosts/" in path and path.rstrip("/").endswith(_ORDERS)
    return ordered or environ["REQUEST_METHOD"] not in _READING


def _record(context: RequestContext, environ: Environ, status: int) -> dict[str, object]:
    return {
        "time": clock.utcnow().isoformat(timespec="milliseconds") + "Z",
        "user_id": _short(context.user_id),
        "user_name": _short(context.user_name),
        "project_id": _short(context.project_id),
        "roles": [_short(role) for role in context.roles],
        "source": context.remote_address,
        "method": environ["REQUEST_METHOD"],
        "path": _short(environ.get("PATH_INFO", "")),
        "action": _short(environ.get(OPERATION_KEY, "")),
        "request_id": environ.get(REQUEST_ID_KEY),
        "status": status,
    }


def _short(text: str | None) -> str | None:
    return None if text is None else text[:_LONGEST_TEXT]
