"""Which status and words an error is answered with: the one place that knows.

Source: api-conventions section 4.
"""

import dataclasses
import json

from nova import exception

_BY_FAMILY: dict[type[exception.NovaException], int] = {
    exception.Invalid: 400,
    exception.Forbidden: 403,
    exception.OverQuota: 403,
    exception.NotFound: 404,
    exception.Conflict: 409,
    exception.Busy: 429,
    exception.Internal: 500,
    exception.NotSupported: 501,
    exception.Unavailable: 503,
}

# Classes whose status differs from that of their family.
_BY_CLASS: dict[type[exception.NovaException], int] = {
    exception.ApiVersionNotSupported: 406,
    exception.ConsoleTokenOfOtherType: 401,
    exception.RequestBodyTooLarge: 413,
    exception.UnsupportedContentType: 415,
    exception.NoValidHost: 400,
    exception.NoMoreFixedIps: 400,
}

_KEYS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}

RETRY_AFTER_S = 10
_UNEXPECTED = (
    "Unexpected API error. Report it to the operator together with the request id. ({name})"
)
_UNAVAILABLE = "A service that is needed for this request is not available. Try again later."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error as it goes to the user."""

    status: int
    message: str
    retry_after_s: int | None = None

    @property
    def body(self) -> bytes:
        """JSON text of the fault."""
        content: dict[str, object] = {"code": self.status, "message": self.message}
        if self.retry_after_s is not None:
            content["retryAfter"] = str(self.retry_after_s)
        return json.dumps({_KEYS.get(self.status, "computeFault"): content}).encode()

    @property
    def headers(self) -> dict[str, str]:
        """Headers that go with the fault."""
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return headers


def status_of(error: type[exception.NovaException]) -> int:
    """Return the HTTP status of a class of errors."""
    for cls in error.__mro__:
        if cls in _BY_CLASS:
            return _BY_CLASS[cls]
        if cls in _BY_FAMILY:
            return _BY_FAMILY[cls]
    return 500


def fault_of(error: Exception, is_admin: bool = False) -> Fault:
    """Return what the user is told about an error.

    Unexpected errors and faults of our own are told by their name only; which service is
    missing is told to administrators only.
    """
    if not isinstance(error, exception.NovaException):
        return Fault(status=500, message=_UNEXPECTED.format(name=type(error).__name__))
    status = status_of(type(error))
    retry_after_s = None
    if status in (413, 429):
        retry_after_s = error.kwargs.get("retry_after_s", RETRY_AFTER_S)
    if status == 500:
        message = _UNEXPECTED.format(name=type(error).__name__)
    elif status == 503 and not is_admin:
        message = _UNAVAILABLE
    else:
        message = str(error)
    return Fault(status=status, message=message, retry_after_s=retry_after_s)
