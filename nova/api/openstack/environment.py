"""Names under which middleware leaves things for each other in the WSGI environment."""

from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]

REQUEST_ID_KEY = "nova.request_id"
GLOBAL_REQUEST_ID_KEY = "nova.global_request_id"
CONTEXT_KEY = "nova.context"
TOKEN_KEY = "nova.token"
OPERATION_KEY = "nova.operation"
