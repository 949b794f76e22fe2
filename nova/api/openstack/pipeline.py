"""What stands before the dispatcher of an API: its middleware, in order."""

from collections.abc import Callable

from nova.api.openstack import audit, rate_limits
from nova.api.openstack.audit import AuditLog
from nova.api.openstack.environment import Environ, WsgiApp
from nova.api.openstack.middleware import (
    FaultGuard,
    NoSniffing,
    RequestIds,
    SizeLimit,
    StripIdentity,
)
from nova.api.openstack.rate_limits import Buckets, ProjectLimit, SourceLimit
from nova.api.settings import ApiSettings

Middleware = Callable[[WsgiApp], WsgiApp]


def guarded(
    app: WsgiApp,
    settings: ApiSettings,
    authenticate: Middleware,
    documents: Middleware,
    faults: Middleware | None = None,
    cost: Callable[[Environ], int] = rate_limits.cost_of_request,
    may_change: Callable[[Environ], bool] = audit.may_change,
) -> WsgiApp:
    """Return an API with its middleware.

    documents: answers what is told without a token.  faults: puts errors of middleware into
    the form of an API that has another than the Compute API.  cost, may_change: what a
    request costs, and whether it is recorded.
    """
    middleware: list[Middleware] = [
        # Outermost: an answer without a request id can not be traced in any log.
        RequestIds,
        # Outside of all that answers, errors too.
        NoSniffing,
        # Outside of all that answers errors in the form of the Compute API.
        *([] if faults is None else [faults]),
        # Everything below may fail unexpectedly; nothing of that may reach a user.
        FaultGuard,
        # Before anything believes them, in every pipeline.
        StripIdentity,
        # Before authentication, so that strangers can not make us read much.
        lambda app: SizeLimit(app, settings.max_body_bytes),
        # Clients read these without a token to find out how to go on.
        documents,
        # Before authentication: wrong tokens cost the identity service something.
        lambda app: SourceLimit(app, Buckets(settings.rate_limit_per_source)),
        # From here on the caller is known.
        authenticate,
        # What an administrator wants is recorded whatever becomes of it.
        lambda app: AuditLog(app, settings.audit_log_file, may_change),
        # Last: what is refused above costs a project nothing.
        lambda app: ProjectLimit(app, Buckets(settings.rate_limit_per_project), cost),
    ]
    for wrap in reversed(middleware):
        app = wrap(app)
    return app
