"""Parts of an object that a request asks for, and conditions that it makes.

Source: RFC 9110 sections 13 and 14.
"""

import datetime
import re
from collections.abc import Callable

from nova.objectstore import http_dates
from nova.objectstore.errors import refuse

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")

Header = Callable[[str], str | None]


def wanted_range(text: str | None, size: int) -> tuple[int, int] | None:
    """Return the first and the last byte that a header Range asks for; None for all of them.

    What can not be read, and several ranges at once, stand for the whole.
    Raises: Refusal when the object has no such bytes.
    """
    found = _RANGE.fullmatch((text or "").replace(" ", ""))
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        first, last = size - length, size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
        if found[2] and int(found[2]) < first:
            return None
    if first > last:
        raise refuse("InvalidRange", "The requested range is not satisfiable")
    return first, last


def copied_range(text: str, size: int) -> tuple[int, int]:
    """Return the bytes of a source that x-amz-copy-source-range names.  Raises: Refusal."""
    found = _RANGE.fullmatch(text)
    if found is None or not found[1] or not found[2] or int(found[1]) > int(found[2]):
        raise refuse(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last",
        )
    first, last = int(found[1]), int(found[2])
    if last >= size:
        raise refuse("InvalidRange", "The requested range is not satisfiable")
    return first, last


def check_reading(header: Header, etag: str, modified_at: datetime.datetime) -> None:
    """Refuse what the conditions of a GET or HEAD rule out.  Raises: Refusal."""
    if not _is_unchanged(header, etag, modified_at):
        raise _failed()
    if not _is_new(header, etag, modified_at):
        raise refuse("NotModified", "Not Modified")


def check_copying(header: Header, etag: str, modified_at: datetime.datetime) -> None:
    """Refuse what the conditions on the source of a copy rule out.  Raises: Refusal."""

    def of_source(name: str) -> str | None:
        return header(f"x-amz-copy-source-{name}")

    if not _is_unchanged(of_source, etag, modified_at) or not _is_new(of_source, etag, modified_at):
        raise _failed()


def check_writing(header: Header, etag: str | None) -> None:
    """Refuse to replace what the conditions of a PUT protect; etag: None where nothing is.

    Raises: Refusal.
    """
    none_match, match = header("if-none-match"), header("if-match")
    if none_match is not None and etag is not None and _matches(none_match, etag):
        raise _failed()
    if match is None:
        return
    if etag is None:
        raise refuse("NoSuchKey", "The specified key does not exist.")
    if not _matches(match, etag):
        raise _failed()


def applies(header: Header, etag: str, modified_at: datetime.datetime) -> bool:
    """Tell whether If-Range lets a range apply."""
    condition = header("if-range")
    if condition is None:
        return True
    moment = _moment(condition)
    if moment is not None:
        return modified_at.replace(microsecond=0) <= moment
    return _matches(condition, etag)


def _is_unchanged(header: Header, etag: str, modified_at: datetime.datetime) -> bool:
    match = header("if-match")
    if match is not None:
        return _matches(match, etag)
    since = _moment(header("if-unmodified-since"))
    return since is None or modified_at.replace(microsecond=0) <= since


def _is_new(header: Header, etag: str, modified_at: datetime.datetime) -> bool:
    none_match = header("if-none-match")
    if none_match is not None:
        return not _matches(none_match, etag)
    since = _moment(header("if-modified-since"))
    return since is None or modified_at.replace(microsecond=0) > since


def _matches(condition: str, etag: str) -> bool:
    names = [one.strip().removeprefix("W/").strip('"') for one in condition.split(",")]
    return "*" in names or etag in names


def _moment(text: str | None) -> datetime.datetime | None:
    if text is None:
        return None
    try:
        return http_dates.parse(text)
    except ValueError:
        return None


def _failed() -> Exception:
    return refuse(
        "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
    )
