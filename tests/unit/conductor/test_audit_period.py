import datetime

import pytest

from nova.conductor import audit_period
from nova.exception import ConfigurationError

NOW = datetime.datetime(2026, 3, 31, 12, 30)


def _day(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "beginning", "ending"),
    [
        ("month", "2026-02-01", "2026-03-01"),
        ("month@31", "2026-02-28", "2026-03-31"),
        ("month@30", "2026-02-28", "2026-03-30"),
        ("day", "2026-03-30", "2026-03-31"),
        ("day@13", "2026-03-29T13:00", "2026-03-30T13:00"),
        ("day@12", "2026-03-30T12:00", "2026-03-31T12:00"),
        ("hour", "2026-03-31T11:00", "2026-03-31T12:00"),
        ("hour@30", "2026-03-31T11:30", "2026-03-31T12:30"),
        ("hour@31", "2026-03-31T10:31", "2026-03-31T11:31"),
        ("year", "2025-01-01", "2026-01-01"),
        ("year@4", "2024-04-01", "2025-04-01"),
        ("year@3", "2025-03-01", "2026-03-01"),
    ],
)
def test_the_last_complete_period(text: str, beginning: str, ending: str) -> None:
    found = audit_period.last_complete(text, NOW)
    assert (found.beginning, found.ending) == (_day(beginning), _day(ending))


@pytest.mark.parametrize("text", ["month", "month@31", "day@5", "hour@59", "year@12"])
def test_periods_join_without_gaps(text: str) -> None:
    moment = datetime.datetime(2024, 2, 29, 23, 59)
    for _ in range(40):
        found = audit_period.last_complete(text, moment)
        assert found.beginning < found.ending <= moment
        before = audit_period.last_complete(text, found.beginning)
        assert before.ending == found.beginning
        moment = found.beginning


@pytest.mark.parametrize(
    "text", ["week", "month@0", "month@32", "day@24", "hour@60", "year@13", "day@", "day@x", ""]
)
def test_what_names_no_period_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="instance_usage_audit_period"):
        audit_period.check(text)
