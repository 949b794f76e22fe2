"""Pools, locks by key, mail between threads."""

import threading

import pytest

from nova import concurrency, log
from nova.context import RequestContext


def test_pool_runs_and_waits():
    pool, done = concurrency.Pool(2), []
    for number in range(5):
        pool.spawn(done.append, number)
    assert pool.wait(5) and sorted(done) == [0, 1, 2, 3, 4]
    pool.stop()


@pytest.mark.logs_errors
def test_error_in_a_pool_is_logged_and_the_pool_goes_on(caplog):
    pool, done = concurrency.Pool(1), []
    pool.spawn(lambda: 1 / 0)
    pool.spawn(done.append, 1)
    assert pool.wait(5) and done == [1] and "ZeroDivisionError" in caplog.text
    pool.stop()


def test_pool_that_is_stopped_takes_nothing():
    pool = concurrency.Pool(1)
    pool.stop()
    with pytest.raises(RuntimeError):
        pool.spawn(print)
    assert pool.wait(0)


def test_request_id_follows_into_the_pool():
    pool, seen = concurrency.Pool(1), []
    with log.bound(RequestContext(request_id="req-7")):
        pool.spawn(lambda: seen.append(log.current_request_id()))
    assert pool.wait(5) and seen == ["req-7"]
    pool.stop()


def test_lock_of_a_key_excludes_and_is_forgotten():
    locks, order = concurrency.LockRegistry(), []
    inside, leave = threading.Event(), threading.Event()

    def first():
        with locks.hold("a"):
            inside.set()
            leave.wait(5)
            order.append("first")

    def second():
        with locks.hold("a"):
            order.append("second")

    threads = [concurrency.spawn(first)]
    assert inside.wait(5)
    threads.append(concurrency.spawn(second))
    with locks.hold("b"):
        leave.set()
    for thread in threads:
        thread.join(5)
    assert order == ["first", "second"] and not locks._locks


def test_mailbox_keeps_order():
    box = concurrency.Mailbox()
    concurrency.spawn_native(lambda: [box.put(number) for number in range(100)], "sender")
    assert [box.get() for _ in range(100)] == list(range(100))


def test_run_native_returns_the_result():
    assert concurrency.run_native(divmod, 7, 2) == (3, 1)


def test_call_aside_goes_on_beside_and_its_error_is_told():
    events = []
    released = concurrency.Event()

    def work():
        released.wait(60)
        events.append("work")
        raise OSError("it failed")

    with concurrency.Aside() as aside:
        aside.begin(work)
        events.append("meanwhile")
        released.set()
        with pytest.raises(OSError, match="it failed"):
            aside.begin(events.append, "next")
        aside.begin(events.append, "last")
        aside.wait()
    assert events == ["meanwhile", "work", "last"]
