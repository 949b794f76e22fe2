"""Signature version 4, in a header or in the query: what was signed, from what was sent.

Source: AWS, "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference.
"""

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote_to_bytes

from nova.objectstore.claim import (
    MAX_SKEW,
    STREAMING,
    UNSIGNED,
    Claim,
    check_age,
    expired,
)
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.request import Request

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_EXPIRES_S = 7 * 24 * 3600

_Complain = Callable[[str], Refusal]

_DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,7}")


def header_claim(request: Request, now: datetime.datetime) -> Claim:
    """Return what the header Authorization claims.  Raises: Refusal."""
    words = _words(request.headers["authorization"])
    access, scope = _credential(words.get("Credential", ""), _malformed)
    signed_at = _signed_at(request)
    _check_scope_date(scope, signed_at, _malformed)
    names = _signed_names(words.get("SignedHeaders", ""), _malformed)
    _require_signed(request, names, {"host"})
    if not {"x-amz-date", "date"} & set(names):
        raise refuse("AccessDenied", "The date of the request must be among the signed headers.")
    check_age(signed_at, now)
    payload = _payload(request.headers.get("x-amz-content-sha256"))
    text = _canonical_request(request, request.query, names, payload)
    return Claim(
        access=access,
        signature=_signature(words.get("Signature", ""), _malformed),
        string_to_sign=_string_to_sign(signed_at, scope, text),
        payload=payload,
    )


def query_claim(request: Request, now: datetime.datetime) -> Claim:
    """Return what a presigned URL claims.  Raises: Refusal."""
    if request.parameter("X-Amz-Algorithm") != ALGORITHM:
        raise _bad_query(f"X-Amz-Algorithm only supports {ALGORITHM}.")
    for name in ("Credential", "Date", "Expires", "SignedHeaders", "Signature"):
        if sum(key == f"X-Amz-{name}" for key, _ in request.query) != 1:
            raise _bad_query(f"X-Amz-{name} must be given once.")
    access, scope = _credential(request.parameter("X-Amz-Credential") or "", _bad_query)
    signed_at = _moment(request.parameter("X-Amz-Date") or "", _bad_query)
    _check_scope_date(scope, signed_at, _bad_query)
    _check_life(signed_at, request.parameter("X-Amz-Expires") or "", now)
    names = _signed_names(request.parameter("X-Amz-SignedHeaders") or "", _bad_query)
    _require_signed(request, names, {"host"})
    payload = _payload(request.header("x-amz-content-sha256") or UNSIGNED)
    query = tuple(pair for pair in request.query if pair[0] != "X-Amz-Signature")
    text = _canonical_request(request, query, names, payload)
    return Claim(
        access=access,
        signature=_signature(request.parameter("X-Amz-Signature") or "", _bad_query),
        string_to_sign=_string_to_sign(signed_at, scope, text),
        payload=payload,
        is_presigned=True,
    )


def _malformed(reason: str) -> Refusal:
    return refuse(
        "AuthorizationHeaderMalformed", f"The authorization header is malformed: {reason}"
    )


def _bad_query(reason: str) -> Refusal:
    return refuse("AuthorizationQueryParametersError", reason)


def _words(header: str) -> dict[str, str]:
    """Return the parts of the header; clients put a comma between them, and perhaps a blank."""
    pairs = [part.strip().partition("=") for part in header.removeprefix(ALGORITHM).split(",")]
    words = {name: value for name, _, value in pairs}
    if len(words) != len(pairs) or words.keys() != {"Credential", "SignedHeaders", "Signature"}:
        raise _malformed("it needs Credential, SignedHeaders and Signature, each once.")
    return words


def _credential(text: str, complain: _Complain) -> tuple[str, str]:
    """Return the access key and the scope; the region is anybody's choice."""
    access, *scope = text.rsplit("/", 4)
    if len(scope) != 4 or not access or scope[2:] != ["s3", "aws4_request"]:
        raise complain("the credential must be <access key>/<date>/<region>/s3/aws4_request.")
    return access, "/".join(scope)


def _signed_at(request: Request) -> datetime.datetime:
    text = request.headers.get("x-amz-date") or request.headers.get("date")
    if text is None:
        raise refuse("AccessDenied", "A signed request needs x-amz-date or Date.")
    return _moment(text, lambda reason: refuse("AccessDenied", reason))


def _moment(text: str, complain: _Complain) -> datetime.datetime:
    try:
        return datetime.datetime.strptime(text, _DATE_FORMAT)
    except ValueError:
        raise complain("the date must have the form YYYYMMDDTHHMMSSZ.") from None


def _check_scope_date(scope: str, signed_at: datetime.datetime, complain: _Complain) -> None:
    if scope.partition("/")[0] != signed_at.strftime("%Y%m%d"):
        raise complain("the date of the credential is not that of the request.")


def _check_life(signed_at: datetime.datetime, expires: str, now: datetime.datetime) -> None:
    if not _NUMBER.fullmatch(expires) or not 1 <= int(expires) <= MAX_EXPIRES_S:
        raise _bad_query(f"X-Amz-Expires must be between 1 and {MAX_EXPIRES_S} seconds.")
    if signed_at - now > MAX_SKEW:
        raise refuse("AccessDenied", "Request is not valid yet")
    if now > signed_at + datetime.timedelta(seconds=int(expires)):
        raise expired()


def _signed_names(text: str, complain: _Complain) -> list[str]:
    names = text.split(";")
    if names != sorted(set(names)) or text != text.lower() or "" in names:
        raise complain("the signed headers must be sorted, in lower case and each named once.")
    return names


def _require_signed(request: Request, names: list[str], needed: set[str]) -> None:
    """Refuse a request with a header that counts and that anybody could have added."""
    needed |= {name for name in request.headers if name.startswith(("x-amz-", "x-nova-"))}
    unsigned = sorted(needed - set(names))
    if unsigned:
        raise refuse(
            "AccessDenied",
            f"There were headers present in the request which were not signed: {unsigned[0]}",
        )


def _payload(text: str | None) -> str:
    if text is None:
        raise refuse(
            "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"
        )
    if text not in STREAMING and text != UNSIGNED and not _SIGNATURE.fullmatch(text):
        raise refuse(
            "InvalidArgument",
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
            "one of the STREAMING values, or a SHA-256 in hexadecimal.",
        )
    return text


def _signature(text: str, complain: _Complain) -> str:
    if not _SIGNATURE.fullmatch(text):
        raise complain("the signature must be 64 hexadecimal digits.")
    return text


def _canonical_request(
    request: Request, query: Iterable[tuple[str, str]], names: list[str], payload: str
) -> str:
    values = (request.headers.get(name, "") for name in names)
    headers = [
        f"{name}:{' '.join(value.split())}" for name, value in zip(names, values, strict=True)
    ]
    pairs = sorted((_encoded(key), _encoded(value)) for key, value in query)
    return "\n".join(
        (
            request.method,
            "/".join(map(_segment, request.raw_path.split("/"))),
            "&".join(f"{key}={value}" for key, value in pairs),
            *headers,
            "",
            ";".join(names),
            payload,
        )
    )


def _segment(text: str) -> str:
    """Return a part of the path in the one spelling that is signed."""
    return quote(unquote_to_bytes(text), safe="~")


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _string_to_sign(signed_at: datetime.datetime, scope: str, canonical_request: str) -> str:
    digest = hashlib.sha256(canonical_request.encode("utf-8", "surrogateescape")).hexdigest()
    return "\n".join((ALGORITHM, signed_at.strftime(_DATE_FORMAT), scope, digest))
