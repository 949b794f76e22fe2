"""Times in answers: a copy of a file is never older than the file."""

import datetime

import pytest

from nova.objectstore import xml

MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [(0, "05.000Z"), (1, "05.001Z"), (1000, "05.001Z"), (999001, "06.000Z")],
)
def test_times_are_rounded_up_to_milliseconds(microsecond, text):
    moment = MOMENT.replace(microsecond=microsecond)
    assert xml.timestamp(moment) == f"2026-01-02T03:04:{text}"
