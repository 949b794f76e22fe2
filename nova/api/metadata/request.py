"""A metadata request and its answer, free of any web framework."""

import dataclasses
from collections.abc import Mapping

MAX_PATH_BYTES = 1024
MAX_PATH_DEPTH = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetadataRequest:
    """What a guest (or a proxy on its behalf) sent.

    headers: names in lower case.  peer: address of the other end of the connection.
    """

    method: str
    path: str
    peer: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetadataResponse:
    """What is sent back."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=UTF-8"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Refused(Exception):
    """Ends the handling of a request with an answer of its own."""

    def __init__(self, status: int, text: str = "", headers: Mapping[str, str] | None = None):
        super().__init__(text)
        self.response = MetadataResponse(
            status=status, body=text.encode(), headers=dict(headers or {})
        )


def split_path(path: str) -> tuple[str, ...]:
    """Return the segments of a path; empty ones and trailing slashes do not count.

    Raises: Refused with 404 for a path that is too long, too deep or climbs up.
    """
    if len(path) > MAX_PATH_BYTES:
        raise Refused(404)
    segments = tuple(segment for segment in path.split("/") if segment)
    if len(segments) > MAX_PATH_DEPTH or ".." in segments or "." in segments:
        raise Refused(404)
    return segments
