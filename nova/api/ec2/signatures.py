"""Who signed a request, and what Keystone needs to find out whether he did.

Nothing that could change what is done may be outside of the signature: what the signature
does not cover is refused.
Source: ec2-api, section 2; client-calls, section 6; Keystone's signature check.
"""

import dataclasses
import datetime
import hashlib
import re
import urllib.parse
from collections.abc import Mapping

import webob

from nova import clock, exception

FORM = "application/x-www-form-urlencoded"
ALGORITHM = "AWS4-HMAC-SHA256"
MAX_PARAMETERS = 5000
# The longest life of a signature with an end of its own, as AWS has it.
MAX_LIFE = datetime.timedelta(days=7)

_V2 = ("AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp", "Expires")
_V4 = tuple(
    f"X-Amz-{name}"
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
)
_V4_HEADER = re.compile(
    rf"{ALGORITHM}\s+(?P<parts>[^,\s=]+=[^,\s]+(?:\s*,\s*[^,\s=]+=[^,\s]+)*)\s*\Z", re.ASCII
)
_SIGNED_HEADERS = re.compile(r"[a-z0-9-]+(?:;[a-z0-9-]+)*\Z", re.ASCII)
_V4_SIGNATURE = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_CREDENTIAL = re.compile(
    r"(?P<access>[^/\s]+)/(?P<date>[0-9]{8})/(?P<scope>[^/\s]+/[^/\s]+)/aws4_request\Z", re.ASCII
)
_V4_DATE = "%Y%m%dT%H%M%SZ"
# Headers that the signature check looks at beside the signed ones.
_LOOKED_AT = ("X-Amz-Date", "User-Agent")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed request.

    params: what the signature covers, for the check.  action: what the action is given.
    expires_at: from when on nobody accepts the signature.
    """

    access: str
    signature: str
    verb: str
    host: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body_hash: str
    action: Mapping[str, str]
    expires_at: datetime.datetime

    @property
    def credentials(self) -> dict[str, object]:
        """What Keystone is asked about."""
        return {
            "access": self.access,
            "signature": self.signature,
            "host": self.host,
            "verb": self.verb,
            "path": self.path,
            "params": dict(self.params),
            "headers": dict(self.headers),
            "body_hash": self.body_hash,
        }

    @property
    def digest(self) -> str:
        """Text by which the request is known again."""
        return hashlib.sha256(f"{self.access}\n{self.signature}".encode()).hexdigest()


def read(request: webob.Request, window_s: int) -> Signed:
    """Return a request's signature and what it covers.

    window_s: seconds that the time of a request may be off.
    Raises: Ec2SignatureRefused, Ec2RequestExpired, Ec2RequestInvalid, MalformedRequestBody.
    """
    window = datetime.timedelta(seconds=window_s)
    query = _pairs(request.query_string)
    authorization = request.headers.get("Authorization", "")
    if authorization:
        return _read_v4_header(request, query, authorization, window)
    if "X-Amz-Signature" in query:
        return _read_v4_query(request, query, window)
    return _read_v2(request, query, window)


# --- Version 2 ------------------------------------------------------------------------------


def _read_v2(request: webob.Request, query: dict[str, str], window: datetime.timedelta) -> Signed:
    given = _together(query, _form(request) if request.method == "POST" else {})
    if "Signature" not in given:
        raise _refused("Signature not provided")
    if not given.get("AWSAccessKeyId"):
        raise _refused("Access key not provided")
    if given.get("SignatureVersion") != "2" or given.get("SignatureMethod") != "HmacSHA256":
        raise _refused("Sign with version 4, or with version 2 and HmacSHA256")
    return Signed(
        access=given["AWSAccessKeyId"],
        signature=given["Signature"],
        verb=request.method,
        host=request.host,
        path=_path(request),
        params={name: value for name, value in given.items() if name != "Signature"},
        headers={},
        body_hash="",
        action={name: value for name, value in given.items() if name not in _V2},
        expires_at=_end_of_v2(given, window),
    )


def _end_of_v2(given: Mapping[str, str], window: datetime.timedelta) -> datetime.datetime:
    """Return the end of a signature's life.  Raises: Ec2RequestExpired, Ec2RequestInvalid."""
    now = clock.utcnow()
    if ("Timestamp" in given) == ("Expires" in given):
        raise exception.Ec2RequestInvalid(reason="Give either Timestamp or Expires.")
    if "Timestamp" in given:
        return _end_of_window(_moment(given["Timestamp"]), window, now)
    end = _moment(given["Expires"])
    if not now <= end <= now + MAX_LIFE:
        raise exception.Ec2RequestExpired(reason="Expires is past, or more than a week away")
    return end


# --- Version 4 ------------------------------------------------------------------------------


def _read_v4_header(
    request: webob.Request,
    query: dict[str, str],
    authorization: str,
    window: datetime.timedelta,
) -> Signed:
    parts = _parts_of(authorization)
    date = request.headers.get("X-Amz-Date", "")
    body: bytes = request.body
    if request.method == "POST":
        # The check leaves the query of a POST request out.
        if query:
            raise exception.Ec2RequestInvalid(reason="A signed POST request can have no query.")
        covered, action = {}, _form(request)
    else:
        covered = action = query
    _refuse_other_versions(action)
    end = _end_of_window(_v4_moment(date), window, clock.utcnow())
    return _v4(request, parts, date, covered, action, hashlib.sha256(body).hexdigest(), end)


def _read_v4_query(
    request: webob.Request, query: dict[str, str], window: datetime.timedelta
) -> Signed:
    if request.method != "GET" or request.body:
        # The check leaves the query of a POST request out.
        raise exception.Ec2RequestInvalid(reason="Only GET requests can be presigned.")
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise _refused(f"Sign with {ALGORITHM}")
    parts = {
        name: query.get(f"X-Amz-{name}", "")
        for name in ("Credential", "SignedHeaders", "Signature")
    }
    date = query.get("X-Amz-Date", "")
    covered = {name: value for name, value in query.items() if name != "X-Amz-Signature"}
    action = {name: value for name, value in query.items() if name not in _V4}
    _refuse_other_versions(action)
    end = _end_of_presigned(_v4_moment(date), query.get("X-Amz-Expires", ""), window)
    empty = hashlib.sha256(b"").hexdigest()
    return _v4(request, parts, date, covered, action, empty, end)


def _parts_of(authorization: str) -> dict[str, str]:
    """Return the parts of an Authorization header.  Raises: Ec2SignatureRefused."""
    match = _V4_HEADER.match(authorization)
    if match is None:
        raise _refused(f"Sign with {ALGORITHM}")
    pairs = [part.strip().partition("=") for part in match["parts"].split(",")]
    parts = {name: value for name, _, value in pairs}
    if len(parts) != len(pairs) or set(parts) != {"Credential", "SignedHeaders", "Signature"}:
        raise _refused("The Authorization header is not complete")
    return parts


def _v4(
    request: webob.Request,
    parts: Mapping[str, str],
    date: str,
    covered: Mapping[str, str],
    action: Mapping[str, str],
    body_hash: str,
    end: datetime.datetime,
) -> Signed:
    """Return a request signed by version 4.  Raises: Ec2SignatureRefused."""
    credential = _CREDENTIAL.match(parts["Credential"])
    if credential is None or not date.startswith(credential["date"]):
        raise _refused("The scope of the credential does not fit the request")
    if not _V4_SIGNATURE.match(parts["Signature"]):
        raise _refused("The signature is none of version 4")
    headers = _signed_headers(request, parts["SignedHeaders"])
    if "Authorization" in request.headers:
        told = ", ".join(f"{name}={parts[name]}" for name in sorted(parts))
        headers["Authorization"] = f"{ALGORITHM} {told}"
    return Signed(
        access=credential["access"],
        signature=parts["Signature"],
        verb=request.method,
        host=request.host,
        path=_path(request),
        params=covered,
        headers=headers,
        body_hash=body_hash,
        action=action,
        expires_at=end,
    )


def _signed_headers(request: webob.Request, text: str) -> dict[str, str]:
    """Return the headers that the check needs.  Raises: Ec2SignatureRefused."""
    names = text.split(";")
    if not _SIGNED_HEADERS.match(text) or "host" not in names or len(set(names)) != len(names):
        raise _refused("The signed headers must be a list with host")
    if any(name not in request.headers for name in names):
        raise _refused("A signed header is missing")
    looked_at = [name for name in _LOOKED_AT if name in request.headers]
    return {name.title(): request.headers[name] for name in (*names, *looked_at)}


def _refuse_other_versions(action: Mapping[str, str]) -> None:
    """Refuse a second signature, by which the check might be made instead."""
    if any(name in action for name in (*_V2, *_V4) if name not in ("Timestamp", "Expires")):
        raise _refused("The request is signed twice")


# --- Times ----------------------------------------------------------------------------------


def _end_of_window(
    signed_at: datetime.datetime, window: datetime.timedelta, now: datetime.datetime
) -> datetime.datetime:
    if not now - window <= signed_at <= now + window:
        raise exception.Ec2RequestExpired(reason="its time is too far from now")
    return signed_at + window


def _end_of_presigned(
    signed_at: datetime.datetime, life: str, window: datetime.timedelta
) -> datetime.datetime:
    now = clock.utcnow()
    if not re.match(r"[0-9]{1,6}\Z", life, re.ASCII):
        raise exception.Ec2RequestExpired(reason="X-Amz-Expires is no number of seconds")
    lasts = min(datetime.timedelta(seconds=int(life)), MAX_LIFE)
    if not now - lasts <= signed_at <= now + window:
        raise exception.Ec2RequestExpired(reason="X-Amz-Date and X-Amz-Expires do not cover now")
    return signed_at + lasts


def _moment(text: str) -> datetime.datetime:
    try:
        return clock.parse(text)
    except ValueError as error:
        raise exception.Ec2RequestExpired(reason="its time can not be read") from error


def _v4_moment(text: str) -> datetime.datetime:
    try:
        return datetime.datetime.strptime(text, _V4_DATE)
    except ValueError as error:
        raise exception.Ec2RequestExpired(reason="its X-Amz-Date can not be read") from error


# --- Parameters -----------------------------------------------------------------------------


def _form(request: webob.Request) -> dict[str, str]:
    """Return the parameters of a body.  Raises: UnsupportedContentType, MalformedRequestBody."""
    body: bytes = request.body
    if not body:
        return {}
    if request.content_type not in ("", FORM):
        raise exception.Ec2RequestInvalid(reason=f"The body must be {FORM}.")
    try:
        return _pairs(body.decode("ascii"))
    except UnicodeDecodeError as error:
        raise exception.MalformedRequestBody(reason="it is not URL encoded") from error


def _pairs(text: str) -> dict[str, str]:
    """Return parameters by name.

    Raises: Ec2RequestInvalid when one is given twice: two readers may mean two things by it.
    """
    try:
        pairs = urllib.parse.parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError as error:
        raise exception.Ec2RequestInvalid(reason="The parameters can not be read.") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise exception.Ec2RequestInvalid(reason="A parameter is given more than once.")
    return found


def _path(request: webob.Request) -> str:
    """Return the path as it is signed.  Raises: Ec2RequestInvalid."""
    try:
        return str(request.path)
    except UnicodeDecodeError as error:
        raise exception.Ec2RequestInvalid(reason="The path is not UTF-8.") from error


def _together(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    if one.keys() & other.keys():
        raise exception.Ec2RequestInvalid(reason="A parameter is given more than once.")
    return one | other


def _refused(reason: str) -> exception.Ec2SignatureRefused:
    return exception.Ec2SignatureRefused(reason=f"{reason}.")
