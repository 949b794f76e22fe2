import json

import pytest

from nova import exception
from nova.api.openstack import faults

FAMILIES = {
    exception.Invalid,
    exception.Forbidden,
    exception.OverQuota,
    exception.NotFound,
    exception.Conflict,
    exception.Busy,
    exception.Unavailable,
    exception.Internal,
    exception.NotSupported,
}


def _all_classes(cls: type[exception.NovaException]) -> list[type[exception.NovaException]]:
    return [cls, *(found for child in cls.__subclasses__() for found in _all_classes(child))]


CLASSES = [
    cls for cls in _all_classes(exception.NovaException) if cls is not exception.NovaException
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_has_a_status(cls: type[exception.NovaException]) -> None:
    assert FAMILIES & set(cls.__mro__)
    assert faults.status_of(cls) in {400, 401, 403, 404, 406, 409, 413, 415, 429, 500, 501, 503}


@pytest.mark.parametrize(
    ("error", "status", "key"),
    [
        (exception.InvalidInput(reason="x"), 400, "badRequest"),
        (exception.PolicyNotAuthorized(rule="r"), 403, "forbidden"),
        (exception.QuotaExceeded(resource="x", allowed=1), 403, "forbidden"),
        (exception.KeypairNotFound(name="k", user_id="u"), 404, "itemNotFound"),
        (
            exception.ApiVersionNotSupported(version="9.9", minimum="1", maximum="2"),
            406,
            "computeFault",
        ),
        (exception.InstanceIsLocked(instance_uuid="u"), 409, "conflictingRequest"),
        (exception.RequestBodyTooLarge(limit_bytes=1), 413, "overLimit"),
        (exception.UnsupportedContentType(), 415, "badMediaType"),
        (exception.Busy(reason="x"), 429, "overLimit"),
        (exception.NotSupported(reason="x"), 501, "notImplemented"),
        (exception.MessagingUnavailable(), 503, "serviceUnavailable"),
        (exception.DriverError(operation="x", reason="y"), 500, "computeFault"),
        (ValueError("x"), 500, "computeFault"),
    ],
)
def test_faults(error: Exception, status: int, key: str) -> None:
    fault = faults.fault_of(error)
    body = json.loads(fault.body)
    assert fault.status == status
    assert list(body) == [key]
    assert body[key]["code"] == status
    assert body[key]["message"]


def test_retry_after_goes_into_header_and_body() -> None:
    fault = faults.fault_of(exception.Busy(reason="x"))
    assert fault.headers["Retry-After"] == "10"
    assert json.loads(fault.body)["overLimit"]["retryAfter"] == "10"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CANARY"),
        exception.DriverError(operation="spawn", reason="CANARY"),
        exception.MessagingTimeout(topic="compute.CANARY", method="m", timeout_s=1),
        exception.ServiceUnavailable(binary="nova-compute", host="CANARY"),
    ],
)
def test_in_13_details_of_our_faults_do_not_reach_users(error: Exception) -> None:
    assert b"CANARY" not in faults.fault_of(error).body


def test_administrators_are_told_what_is_missing() -> None:
    error = exception.ServiceUnavailable(binary="nova-compute", host="h1")
    assert b"h1" in faults.fault_of(error, is_admin=True).body
