"""Settings that buckets and objects of S3 can have and ours never have.

Reading one gives what S3 answers where nothing is set; removing one is done already.
"""

from collections.abc import Callable, Mapping

from nova.objectstore import xml
from nova.objectstore.call import Call, Response
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.xml import element

Handler = Callable[[Call], Response]

_DOCUMENTS: Mapping[str, Callable[[], xml.Element]] = {
    "accelerate": lambda: element("AccelerateConfiguration"),
    "logging": lambda: element("BucketLoggingStatus"),
    "notification": lambda: element("NotificationConfiguration"),
    "requestPayment": lambda: element(
        "RequestPaymentConfiguration", element("Payer", "BucketOwner")
    ),
    "versioning": lambda: element("VersioningConfiguration"),
}
_MISSING: Mapping[str, tuple[str, str]] = {
    "cors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "encryption": (
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
    "lifecycle": ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    "object-lock": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    "ownershipControls": (
        "OwnershipControlsNotFoundError",
        "The bucket ownership controls were not found",
    ),
    "policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "policyStatus": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "publicAccessBlock": (
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    "replication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "tagging": ("NoSuchTagSet", "The TagSet does not exist"),
    "website": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
}
_OF_LOCKS = ("NoSuchObjectLockConfiguration", "The object has no lock")
_NOT_HERE = frozenset(
    {"analytics", "intelligent-tiering", "inventory", "metrics", "attributes", "restore"}
    | {"select", "torrent", "legal-hold", "retention", "renameObject"}
)

OF_BUCKETS = frozenset(_DOCUMENTS.keys() | _MISSING.keys() | _NOT_HERE)
OF_OBJECTS = frozenset({"tagging"} | _NOT_HERE)


def bucket_handler(method: str, name: str) -> Handler | None:
    """Return what answers a call about a setting of a bucket; None where S3 has no such call."""
    if method == "GET" and name in _DOCUMENTS:
        return lambda call: _show(call, _DOCUMENTS[name]())
    if method == "GET" and name in _MISSING:
        return lambda call: _tell(call, refuse(*_MISSING[name]))
    if method == "DELETE" and name in _MISSING:
        return _forget
    return _refuse if method in ("GET", "PUT", "POST", "DELETE") else None


def object_handler(method: str, name: str) -> Handler | None:
    """Return what answers a call about a setting of an object; None where S3 has no such call."""
    if method == "GET" and name == "tagging":
        return _show_tags
    if method == "GET" and name in ("retention", "legal-hold"):
        return lambda call: _tell_of_object(call, refuse(*_OF_LOCKS))
    if method == "DELETE" and name == "tagging":
        return _forget_of_object
    return _refuse if method in ("GET", "PUT", "POST", "DELETE") else None


def _show(call: Call, document: xml.Element) -> Response:
    call.own_bucket()
    return Response.of_document(document)


def _tell(call: Call, refusal: Refusal) -> Response:
    call.own_bucket()
    raise refusal


def _forget(call: Call) -> Response:
    call.writable_bucket()
    return Response(status=204)


def _show_tags(call: Call) -> Response:
    call.readable_object()
    return Response.of_document(element("Tagging", element("TagSet")))


def _tell_of_object(call: Call, refusal: Refusal) -> Response:
    call.readable_object()
    raise refusal


def _forget_of_object(call: Call) -> Response:
    call.writable_bucket()
    return Response(status=204)


def _refuse(call: Call) -> Response:
    call.own_bucket()
    raise refuse(
        "NotImplemented", "A header or query you provided implies functionality that is not here."
    )
