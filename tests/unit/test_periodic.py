"""Periodic work: delays, errors, no overlap."""

import logging
import random
import threading

import pytest

from nova.exception import MessagingUnavailable
from nova.periodic import PeriodicRunner, PeriodicTask, TaskHealth


def task(function=lambda: None, interval_s=0.001, **options):
    return PeriodicTask(name="t", interval_s=interval_s, function=function, **options)


def test_first_run_is_spread():
    runner = PeriodicRunner([], fuzzy_delay_s=60, rng=random.Random(1))
    delays = [runner.first_delay_s(task(interval_s=600)) for _ in range(50)]
    assert max(delays) <= 60 and len(set(delays)) == 50


def test_first_run_is_spread_over_one_interval_at_most():
    runner = PeriodicRunner([], fuzzy_delay_s=60)
    assert runner.first_delay_s(task(interval_s=1)) <= 1


def test_task_runs_again_and_stops():
    thrice = threading.Semaphore(0)
    runner = PeriodicRunner([task(thrice.release, initial_delay_s=0)])
    runner.start()
    assert all(thrice.acquire(timeout=5) for _ in range(3))
    runner.stop()
    assert runner.wait(5)


def test_failed_run_is_repeated_sooner_with_growing_pauses():
    report = task(interval_s=10, retry_s=1)
    assert [report.pause_s(failures) for failures in (0, 1, 2, 4, 5, 5000)] == [
        10,
        1,
        2,
        8,
        10,
        10,
    ]
    assert task(interval_s=10).pause_s(3) == 10


def test_runner_repeats_a_failed_run_after_the_short_pause():
    thrice = threading.Semaphore(0)

    def fail():
        thrice.release()
        raise MessagingUnavailable()

    runner = PeriodicRunner([task(fail, interval_s=600, retry_s=0.001, initial_delay_s=0)])
    runner.start()
    assert all(thrice.acquire(timeout=5) for _ in range(3))
    runner.stop()
    assert runner.wait(5)


def test_task_without_interval_never_runs():
    runs = []
    runner = PeriodicRunner([task(lambda: runs.append(1), interval_s=0, initial_delay_s=0)])
    runner.start()
    runner.stop()
    assert runner.wait(5) and not runs


def test_failure_is_logged_once_and_recovery_too(caplog):
    caplog.set_level(logging.INFO)
    health = TaskHealth("report")

    def fail():
        raise MessagingUnavailable()

    assert [health.run(fail), health.run(fail), health.run(lambda: None)] == [False, False, True]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.logs_errors
def test_unexpected_error_does_not_end_the_task():
    assert not TaskHealth("t").run(lambda: 1 / 0)
