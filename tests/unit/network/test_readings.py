"""Readings that many ask for at once."""

import concurrent.futures
import threading
import time

import pytest

from nova.network.readings import Readings


def test_each_call_alone_reads():
    seen = []
    readings = Readings()
    readings.fresh(lambda: seen.append(1))
    readings.fresh(lambda: seen.append(2))
    assert seen == [1, 2]


def test_callers_that_wait_share_one_reading_that_began_after_they_asked():
    readings, begun, go_on, count = Readings(), threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        assert go_on.wait(10)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        first = pool.submit(readings.fresh, slow)
        assert begun.wait(10)
        rest = [pool.submit(readings.fresh, lambda: count.append(1)) for _ in range(5)]
        while readings.asked < 6:
            time.sleep(0)
        go_on.set()
        for one in (first, *rest):
            one.result(10)
    assert len(count) == 1


def test_failed_reading_is_not_shared():
    readings, seen = Readings(), []
    with pytest.raises(ZeroDivisionError):
        readings.fresh(lambda: 1 / 0)
    readings.fresh(lambda: seen.append(1))
    assert seen == [1]
