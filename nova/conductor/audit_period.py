"""Periods of the usage audit: "month", "day@2", ... and when the last one ended.

Source: daemons-and-config, section 4 (instance_usage_audit_period).
"""

import calendar
import datetime
import re
from collections.abc import Mapping

from nova.exception import ConfigurationError
from nova.objects.audit import Period

_FORM = re.compile(r"^(year|month|day|hour)(?:@(\d{1,2}))?\Z", re.ASCII)
# Smallest and largest offset: month of the year, day of the month, hour, minute.
_OFFSETS: Mapping[str, tuple[int, int]] = {
    "year": (1, 12),
    "month": (1, 31),
    "day": (0, 23),
    "hour": (0, 59),
}


def check(text: str) -> None:
    """Refuse what names no period.  Raises: ConfigurationError."""
    _parse(text)


def _parse(text: str) -> tuple[str, int]:
    found = _FORM.match(text)
    if found is not None:
        low, high = _OFFSETS[found[1]]
        offset = low if found[2] is None else int(found[2])
        if low <= offset <= high:
            return found[1], offset
    raise ConfigurationError(
        reason=f"instance_usage_audit_period = {text} is not one of year, month, day, hour, with "
        "an offset such as @1 behind it"
    )


def last_complete(text: str, now: datetime.datetime) -> Period:
    """Return the newest period that has ended at a time.  Raises: ConfigurationError."""
    unit, offset = _parse(text)
    ending = _start(unit, offset, now)
    just_before = ending - datetime.timedelta(microseconds=1)
    return Period(beginning=_start(unit, offset, just_before), ending=ending)


def _start(unit: str, offset: int, moment: datetime.datetime) -> datetime.datetime:
    """Return when the period that a moment lies in began."""
    start = _boundary(unit, offset, moment)
    return start if start <= moment else _boundary(unit, offset, _unit_before(unit, moment))


def _boundary(unit: str, offset: int, moment: datetime.datetime) -> datetime.datetime:
    """Return the boundary in the year, month, day or hour of a moment."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    match unit:
        case "hour":
            return hour.replace(minute=offset)
        case "day":
            return hour.replace(hour=offset)
        case "month":
            last_day = calendar.monthrange(moment.year, moment.month)[1]
            return hour.replace(hour=0, day=min(offset, last_day))
        case _:
            return hour.replace(hour=0, day=1, month=offset)


def _unit_before(unit: str, moment: datetime.datetime) -> datetime.datetime:
    match unit:
        case "hour":
            return moment - datetime.timedelta(hours=1)
        case "day":
            return moment - datetime.timedelta(days=1)
        case "month":
            return moment.replace(day=1) - datetime.timedelta(days=1)
        case _:
            return moment.replace(year=moment.year - 1, day=1)
