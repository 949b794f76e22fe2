"""Recording each request by which an administrator may change something."""

from collections.abc import Callable, Iterable

from nova import audit
from nova.api.openstack.environment import (
    CONTEXT_KEY,
    OPERATION_KEY,
    REQUEST_ID_KEY,
    Environ,
    StartResponse,
    WsgiApp,
)
from nova.context import RequestContext

_READING = {"GET", "HEAD", "OPTIONS"}
# Orders to hosts, which are given by reading.
_ORDERS = ("/reboot", "/shutdown", "/startup")


def may_change(environ: Environ) -> bool:
    """Tell whether a request of the Compute API may change something."""
    path = str(environ.get("PATH_INFO", ""))
    ordered = "/os-hosts/" in path and path.rstrip("/").endswith(_ORDERS)
    return ordered or environ["REQUEST_METHOD"] not in _READING


class AuditLog:
    """Records each request of an administrator that may change something, refused ones too."""

    def __init__(
        self,
        app: WsgiApp,
        file: str | None = None,
        may_change: Callable[[Environ], bool] = may_change,
    ) -> None:
        self._app = app
        self._may_change = may_change
        if file is not None:
            audit.write_to(file)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        context: RequestContext = environ[CONTEXT_KEY]
        if not context.is_admin or not self._may_change(environ):
            return self._app(environ, start_response)
        # No answer at all is a fault of ours, which the outermost layer turns into a 500.
        statuses = ["500"]

        def start(status: str, *rest: object) -> object:
            statuses.append(status)
            return start_response(status, *rest)

        try:
            return self._app(environ, start)
        finally:
            audit.record(_change(context, environ, int(statuses[-1][:3])))


def _change(context: RequestContext, environ: Environ, status: int) -> audit.Change:
    return audit.Change(
        user_id=context.user_id,
        user_name=context.user_name,
        project_id=context.project_id,
        roles=context.roles,
        source=context.remote_address,
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", ""),
        action=environ.get(OPERATION_KEY, ""),
        request_id=environ.get(REQUEST_ID_KEY),
        status=status,
    )
