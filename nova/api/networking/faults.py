"""How the Networking API tells errors: `{"NeutronError": {"type", "message", "detail"}}`.

Source: client-calls section 5.
"""

import http
import json
from collections.abc import Iterable

import webob

from nova import exception
from nova.api.openstack import faults
from nova.api.openstack.environment import Environ, StartResponse, WsgiApp

# Where clients of this API expect another status than those of the Compute API.
_STATUSES: dict[type[exception.NovaException], int] = {
    exception.MethodNotAllowed: 405,
    exception.OverQuota: 409,
    exception.NoMoreFixedIps: 409,
    exception.NoMoreFloatingIps: 409,
    exception.SecurityGroupExists: 409,
    exception.SecurityGroupInUse: 409,
    exception.SecurityGroupRuleExists: 409,
    exception.FloatingIpAssociateFailed: 409,
}
_TYPES = {
    400: "HTTPBadRequest",
    401: "HTTPUnauthorized",
    403: "PolicyNotAuthorized",
    404: "HTTPNotFound",
    405: "HTTPMethodNotAllowed",
    409: "HTTPConflict",
    413: "RequestTooLarge",
    429: "OverLimit",
    503: "ServiceUnavailable",
}
_LONGEST_FAULT = 65536


def status_of(error: type[exception.NovaException]) -> int:
    """Return the HTTP status of a class of errors."""
    for cls in error.__mro__:
        if cls in _STATUSES:
            return _STATUSES[cls]
    return faults.status_of(error)


def body_of(kind: str, message: str) -> bytes:
    """Return the JSON text of an error."""
    error = {"type": kind, "message": message, "detail": ""}
    return json.dumps({"NeutronError": error}).encode()


def error_response(error: exception.NovaException, is_admin: bool) -> webob.Response:
    """Return the answer to an expected error of a request."""
    fault = faults.fault_of(error, is_admin)
    status = status_of(type(error))
    headers = [*fault.headers.items()]
    return webob.Response(
        status=status, body=body_of(type(error).__name__, fault.message), headerlist=headers
    )


class NetworkingFaults:
    """Puts the errors of shared middleware into the words of this API."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        response = webob.Request(environ).get_response(self._app)
        if response.status_int >= http.HTTPStatus.BAD_REQUEST:
            _translate(response)
        return response(environ, start_response)


def _translate(response: webob.Response) -> None:
    message = http.HTTPStatus(response.status_int).phrase
    # An answer to HEAD has no text.
    if response.content_type == "application/json" and response.body:
        found = json.loads(response.body[:_LONGEST_FAULT])
        if "NeutronError" in found:
            return
        message = next(iter(found.values()))["message"]
    response.content_type = "application/json"
    response.body = body_of(_TYPES.get(response.status_int, "HTTPInternalServerError"), message)
