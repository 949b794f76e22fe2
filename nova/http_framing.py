"""Strict rules for the head of an HTTP/1 request, so that no two readers see it differently.

Source: RFC 9112 sections 2.2, 5, 6.3 and 7; where it lets a server choose between repair
and refusal, this refuses.
"""

import re
from collections.abc import Callable

from nova.exception import Invalid

MAX_HEADERS = 100

_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)\r\n\Z", re.DOTALL)
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class BadFraming(Invalid):
    """A request head that may not be served; its connection must be closed."""

    message = "{reason}"


def read_head(readline: Callable[[int], bytes], max_line_bytes: int) -> bytes:
    """Read header lines up to the empty line; return them with it.  Raises: BadFraming."""
    lines: list[bytes] = []
    while True:
        line = readline(max_line_bytes + 1)
        if len(line) > max_line_bytes:
            raise BadFraming(reason="A header line is too long.")
        if not line.endswith(b"\r\n"):
            raise BadFraming(reason="A header line does not end with CRLF.")
        lines.append(line)
        if line == b"\r\n":
            break
        if len(lines) > MAX_HEADERS:
            raise BadFraming(reason="Too many header lines.")
    check_headers(lines[:-1])
    return b"".join(lines)


def check_request_line(line: bytes, max_bytes: int) -> None:
    """Refuse a first line that is too long, ends badly or has controls.  Raises: BadFraming."""
    if len(line) > max_bytes:
        raise BadFraming(reason="The request line is too long.")
    if not line.endswith(b"\r\n") or _FORBIDDEN.search(line[:-2]):
        raise BadFraming(reason="The request line is malformed.")


def check_headers(lines: list[bytes]) -> None:
    """Refuse lines that are malformed or that contradict each other.  Raises: BadFraming."""
    seen: dict[bytes, list[bytes]] = {}
    for line in lines:
        found = _HEADER.match(line)
        if found is None or _FORBIDDEN.search(found[2]):
            raise BadFraming(reason="A header line is malformed.")
        seen.setdefault(found[1].lower(), []).append(found[2].strip(b" \t"))
    lengths = seen.get(b"content-length", [])
    encodings = seen.get(b"transfer-encoding", [])
    if len(lengths) > 1 or any(not one.isdigit() for one in lengths):
        raise BadFraming(reason="Content-Length is not one number.")
    if encodings and (lengths or [one.lower() for one in encodings] != [b"chunked"]):
        raise BadFraming(reason="Transfer-Encoding is not acceptable.")
    if len(seen.get(b"host", [])) > 1:
        raise BadFraming(reason="Host is named twice.")
