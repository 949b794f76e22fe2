"""Who asks, on whose behalf, and under which request id."""

import dataclasses
import uuid


def new_request_id() -> str:
    """Return a fresh request id, ``req-`` and a random UUID."""
    return f"req-{uuid.uuid4()}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """Identity of a request; travels with every message.  It holds no token or secret."""

    user_id: str | None = None
    project_id: str | None = None
    user_name: str | None = None
    project_name: str | None = None
    user_domain_id: str | None = None
    project_domain_id: str | None = None
    system_scope: str | None = None
    roles: tuple[str, ...] = ()
    service_roles: tuple[str, ...] = ()
    is_admin: bool = False
    request_id: str = dataclasses.field(default_factory=new_request_id)
    global_request_id: str | None = None
    remote_address: str | None = None

    def elevated(self) -> "RequestContext":
        """Return the same context with admin rights, for work the service does itself."""
        return dataclasses.replace(self, is_admin=True)


def get_admin_context(request_id: str | None = None) -> RequestContext:
    """Return the context of the services themselves: periodic tasks and command line."""
    return RequestContext(is_admin=True, request_id=request_id or new_request_id())
