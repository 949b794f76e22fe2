"""Signature version 2, in a header or in the query: what was signed, from what was sent.

Source: AWS, "Signing and Authenticating REST Requests" of the S3 developer guide.
"""

import datetime
import re

from nova.objectstore import http_dates
from nova.objectstore.claim import UNSIGNED, Claim, check_age, expired
from nova.objectstore.errors import refuse
from nova.objectstore.request import Request

SCHEME = "AWS "

# Parameters that are signed; the others only choose what part of a list is shown.
_SIGNED_PARAMETERS = frozenset(
    (
        "accelerate",
        "acl",
        "analytics",
        "cors",
        "defaultObjectAcl",
        "delete",
        "inventory",
        "lifecycle",
        "location",
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "partNumber",
        "policy",
        "replication",
        "requestPayment",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
        "restore",
        "select",
        "select-type",
        "storageClass",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "versions",
        "website",
    )
)
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{27}=")
_MAX_EXPIRES = 1 << 40


def header_claim(request: Request, now: datetime.datetime) -> Claim:
    """Return what the header Authorization claims.  Raises: Refusal."""
    credentials = request.headers["authorization"].removeprefix(SCHEME).strip()
    access, _, signature = credentials.rpartition(":")
    amazon_date = request.headers.get("x-amz-date")
    date = request.headers.get("date", "")
    check_age(_moment(amazon_date or date), now)
    return _claim(request, access, signature, "" if amazon_date else date)


def query_claim(request: Request, now: datetime.datetime) -> Claim:
    """Return what a presigned URL claims.  Raises: Refusal."""
    expires = request.parameter("Expires") or ""
    if not expires.isascii() or not expires.isdigit() or int(expires) > _MAX_EXPIRES:
        raise refuse("AccessDenied", "Query-string authentication needs a valid Expires.")
    if now.replace(tzinfo=datetime.UTC).timestamp() > int(expires):
        raise expired()
    access = request.parameter("AWSAccessKeyId") or ""
    return _claim(request, access, request.parameter("Signature") or "", expires)


def _claim(request: Request, access: str, signature: str, date: str) -> Claim:
    if not access or not _SIGNATURE.fullmatch(signature):
        raise refuse("InvalidArgument", "The authorization must be <access key>:<signature>.")
    path = request.raw_path
    is_bare = len(path) > 1 and path.count("/") == 1
    return Claim(
        access=access,
        signature=signature,
        string_to_sign=_string_to_sign(request, date, f"{path}/" if is_bare else path),
        also=_string_to_sign(request, date, path) if is_bare else None,
        payload=request.header("x-amz-content-sha256") or UNSIGNED,
        is_presigned=request.is_presigned,
    )


def _moment(text: str) -> datetime.datetime:
    try:
        return http_dates.parse(text)
    except ValueError:
        raise refuse("AccessDenied", "A signed request needs a valid Date.") from None


def _string_to_sign(request: Request, date: str, path: str) -> str:
    """Return what was signed; clients differ in the slash after a bucket that stands alone."""
    amazon = request.headers_beginning("x-amz-")
    return "\n".join(
        (
            request.method,
            _of_content(request, "content-md5"),
            _of_content(request, "content-type"),
            date,
            *(f"x-amz-{name}:{amazon[name].strip()}" for name in sorted(amazon)),
            path + _parameters(request),
        )
    )


def _of_content(request: Request, name: str) -> str:
    """Return a header of the content; some clients put it into presigned URLs."""
    found = request.headers.get(name)
    if found is None and request.is_presigned:
        found = request.parameter(name)
    return (found or "").strip()


def _parameters(request: Request) -> str:
    signed = sorted((name, value) for name, value in request.query if name in _SIGNED_PARAMETERS)
    words = [f"{name}={value}" if value else name for name, value in signed]
    return "?" + "&".join(words) if words else ""
