import datetime

import pytest

from nova import clock


def test_times_come_out_in_utc_without_zone() -> None:
    assert clock.parse("2026-01-02T03:04:05+02:00") == datetime.datetime(2026, 1, 2, 1, 4, 5)
    assert clock.parse("2026-01-02T03:04:05Z") == clock.parse("2026-01-02T03:04:05")


@pytest.mark.parametrize("text", ["", "x", "2026-13-01", "0001-01-01T00:00:00+23:00"])
def test_texts_that_name_no_time_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        clock.parse(text)


def test_wire_form_has_microseconds() -> None:
    assert clock.isoformat(datetime.datetime(2026, 1, 2)) == "2026-01-02T00:00:00.000000"
