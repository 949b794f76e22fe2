"""Which status and words an error is answered with: the one place that knows.

Source: AWS, "Error responses" of the S3 API reference.
"""

import dataclasses

from nova import exception
from nova.objectstore import xml
from nova.objectstore.errors import Refusal

_STATUS = {
    "InternalError": 500,
    "NotImplemented": 501,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
    "NotModified": 304,
    "AccessDenied": 403,
    "InvalidAccessKeyId": 403,
    "QuotaExceeded": 403,
    "RequestTimeTooSkewed": 403,
    "SignatureDoesNotMatch": 403,
    "MethodNotAllowed": 405,
    "BucketAlreadyExists": 409,
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "OperationAborted": 409,
    "MissingContentLength": 411,
    "PreconditionFailed": 412,
    "InvalidRange": 416,
    "InsufficientStorage": 507,
    "NoSuchBucket": 404,
    "NoSuchBucketPolicy": 404,
    "NoSuchCORSConfiguration": 404,
    "NoSuchKey": 404,
    "NoSuchLifecycleConfiguration": 404,
    "NoSuchObjectLockConfiguration": 404,
    "NoSuchPublicAccessBlockConfiguration": 404,
    "NoSuchTagSet": 404,
    "NoSuchUpload": 404,
    "NoSuchWebsiteConfiguration": 404,
    "ObjectLockConfigurationNotFoundError": 404,
    "OwnershipControlsNotFoundError": 404,
    "ReplicationConfigurationNotFoundError": 404,
    "ServerSideEncryptionConfigurationNotFoundError": 404,
}
_OTHER_STATUS = 400

_BY_FAMILY: dict[type[exception.NovaException], str] = {
    exception.Invalid: "InvalidRequest",
    exception.Forbidden: "AccessDenied",
    exception.OverQuota: "QuotaExceeded",
    exception.NotFound: "NoSuchKey",
    exception.Conflict: "OperationAborted",
    exception.Busy: "SlowDown",
    exception.NotSupported: "NotImplemented",
    exception.Unavailable: "ServiceUnavailable",
}
_UNEXPECTED = "We encountered an internal error. Please try again."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error as it goes to the client."""

    code: str
    message: str

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _STATUS.get(self.code, _OTHER_STATUS)

    def body(self, resource: str, request_id: str) -> bytes:
        """Return the document of the error."""
        return xml.render(
            xml.element(
                "Error",
                xml.element("Code", self.code),
                xml.element("Message", self.message),
                xml.element("Resource", resource),
                xml.element("RequestId", request_id),
            ),
            namespace="",
        )


def fault_of(error: Exception) -> Fault:
    """Return what the client is told; faults of our own are told by their name only."""
    if isinstance(error, Refusal):
        return Fault(code=error.code, message=str(error))
    for cls in type(error).__mro__:
        if cls in _BY_FAMILY:
            return Fault(code=_BY_FAMILY[cls], message=str(error))
    return Fault(code="InternalError", message=_UNEXPECTED)
