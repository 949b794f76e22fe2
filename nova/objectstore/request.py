"""A request as S3 sees it: bucket, key, parameters, headers, and the bytes that follow."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, unquote, unquote_plus, unquote_to_bytes

from nova.objectstore.errors import refuse

Environ = dict[str, Any]

# Source: RFC 9110 sections 5.1 and 5.5.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class Stream(Protocol):
    """The bytes of a request."""

    def read(self, size: int) -> bytes:
        """Return up to so many bytes; fewer only at the end."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    raw_path: as it was sent, without the query, because signatures are about that.
    query: pairs in the order sent, decoded.  headers: by names in lower case.
    """

    method: str
    raw_path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    stream: Stream
    bucket: str = ""
    key: str = ""
    is_presigned: bool = False

    def parameter(self, name: str) -> str | None:
        """Return the first value of a parameter."""
        return next((value for found, value in self.query if found == name), None)

    def has(self, name: str) -> bool:
        """Tell whether a parameter was sent, with a value or without."""
        return any(found == name for found, _ in self.query)

    def header(self, name: str) -> str | None:
        """Return a header; a presigned URL carries those of Amazon among its parameters."""
        found = self.headers.get(name)
        if found is None and self.is_presigned and _may_be_parameter(name):
            return next((value for key, value in self.query if key.lower() == name), None)
        return found

    def headers_beginning(self, prefix: str) -> dict[str, str]:
        """Return the headers of a family by the rest of their names."""
        found = dict(self.headers)
        if self.is_presigned:
            found |= {key.lower(): value for key, value in self.query}
        return {
            name.removeprefix(prefix): value
            for name, value in found.items()
            if name.startswith(prefix) and name != prefix
        }

    @property
    def length(self) -> int | None:
        """Bytes that the headers announce; None when only the end will tell."""
        text = self.headers.get("content-length")
        if text is not None:
            return int(text)
        return None if "transfer-encoding" in self.headers else 0


def _may_be_parameter(name: str) -> bool:
    return name.startswith("x-amz-") and not name.startswith("x-amz-checksum-")


def from_environ(environ: Environ) -> Request:
    """Return the request that a WSGI server has read.  Raises: Refusal."""
    raw_path = _raw_path(environ)
    if not raw_path.startswith("/"):
        raise refuse("InvalidURI", "The request must name a path.")
    bucket, _, key = _text(raw_path)[1:].partition("/")
    query = _pairs(environ.get("QUERY_STRING", ""))
    names = {name.lower() for name, _ in query}
    headers = _headers(environ)
    is_presigned = "x-amz-signature" in names or "signature" in names
    if is_presigned:
        _require_headers(headers, query)
    return Request(
        method=environ["REQUEST_METHOD"],
        raw_path=raw_path,
        query=query,
        headers=headers,
        stream=environ["wsgi.input"],
        bucket=bucket,
        key=key,
        is_presigned=is_presigned,
    )


def _require_headers(headers: Mapping[str, str], query: Iterable[tuple[str, str]]) -> None:
    """Refuse parameters that stand for headers and can be none, or not beside those sent.

    The signature could be checked with one meaning of them, and another one be done; and what
    is kept with an object becomes headers of answers.  Raises: Refusal.
    """
    found = dict(headers)
    for key, value in query:
        name = key.lower()
        if not name.startswith("x-amz-"):
            continue
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise refuse("InvalidArgument", "A parameter can not stand for a header.")
        if found.setdefault(name, value) != value:
            raise refuse("InvalidArgument", "A header of Amazon's has two values.")


def resource_of(environ: Environ) -> str:
    """Return what a request is about, to be read by people."""
    return unquote(_raw_path(environ), errors="replace")


def _raw_path(environ: Environ) -> str:
    """Return the path as it was sent; servers give it under different names."""
    if "RAW_PATH_INFO" in environ:
        return str(environ["RAW_PATH_INFO"])
    if "REQUEST_URI" in environ:
        return str(environ["REQUEST_URI"]).partition("?")[0]
    return quote(environ.get("PATH_INFO", "").encode("latin-1"), safe="/~")


def _text(encoded: str) -> str:
    try:
        return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError as error:
        raise refuse("InvalidURI", "The path is not UTF-8.") from error


def _pairs(raw_query: str) -> tuple[tuple[str, str], ...]:
    found = []
    for part in raw_query.split("&"):
        name, _, value = part.partition("=")
        if part:
            try:
                found.append(
                    (unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict"))
                )
            except UnicodeDecodeError as error:
                raise refuse("InvalidURI", "The query is not UTF-8.") from error
    return tuple(found)


def _headers(environ: Environ) -> dict[str, str]:
    if "headers_raw" in environ:
        return _joined(environ["headers_raw"])
    found = {
        key[5:].replace("_", "-").lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    for key, name in (("CONTENT_LENGTH", "content-length"), ("CONTENT_TYPE", "content-type")):
        if environ.get(key):
            found[name] = environ[key]
    return found


def _joined(raw: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return eventlet's headers as sent: its environ invents a type of content."""
    found: dict[str, str] = {}
    for name, value in raw:
        key = name.lower()
        if "_" not in key:
            found[key] = f"{found[key]},{value}" if key in found else value
    return found
