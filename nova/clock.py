"""The one source of time, so that tests can hold it still."""

import datetime
import time


def utcnow() -> datetime.datetime:
    """Return the present time in UTC, without time zone, in microseconds."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def monotonic() -> float:
    """Return seconds of a clock that never goes back."""
    return time.monotonic()


def isoformat(moment: datetime.datetime) -> str:
    """Return the wire form of a time: ISO 8601 with microseconds, UTC, without zone."""
    return moment.isoformat(timespec="microseconds")


def parse(text: str) -> datetime.datetime:
    """Return the time that an ISO 8601 text names, in UTC without zone.

    Raises: ValueError.
    """
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(datetime.UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise ValueError(str(error)) from error
