import io
import socket

import pytest

from nova import clock
from nova.http_patience import BODY, GRACE_S, HEAD, Limits, Patience, PatientFile
from tests.fixtures.time import hold_time


class Ended(Exception):
    pass


class FakeSocket:
    """Takes note of the end of its reading side."""

    def __init__(self):
        self.ended = False

    def shutdown(self, how):
        assert how == socket.SHUT_RD
        self.ended = True


@pytest.fixture
def waits():
    """Return a function that lets connections wait, and the time of a frozen clock."""
    stack = []

    def wait(patience, source="10.0.0.1", since=0.0, seconds=30.0):
        connection = FakeSocket()
        now = clock.monotonic()
        context = patience.waiting(connection, source, now - since, now - since + seconds)
        context.__enter__()
        stack.append(context)
        return connection

    yield wait
    for context in stack:
        context.__exit__(None, None, None)


def test_in_17_overdue_read_is_cut_off(waits):
    patience = Patience(Limits())
    late = waits(patience, since=31.0)
    fine = waits(patience, since=29.0)
    assert patience.cut() == 1
    assert (late.ended, fine.ended) == (True, False)


def test_in_17_one_source_holds_a_limited_number_of_slow_reads(waits):
    patience = Patience(Limits(slow_per_source=2))
    slow = [waits(patience, since=GRACE_S + 5 - number) for number in range(4)]
    other = waits(patience, source="10.0.0.2", since=GRACE_S + 9)
    patience.cut()
    assert [one.ended for one in slow] == [True, True, False, False]
    assert not other.ended


def test_in_17_quick_reads_are_never_too_many(waits):
    patience = Patience(Limits(slow_per_source=2))
    quick = [waits(patience, since=0.1) for _ in range(50)]
    assert patience.cut() == 0
    assert not any(one.ended for one in quick)


def test_without_limit_only_the_time_counts(waits):
    patience = Patience(Limits(slow_per_source=0))
    for _ in range(50):
        waits(patience, since=20.0)
    assert patience.cut() == 0


def test_file_reads_as_the_one_inside_and_is_forgotten_afterwards():
    patience = Patience(Limits())
    file = PatientFile(
        io.BufferedReader(io.BytesIO(b"one\ntwo\nthree")), FakeSocket(), "a", patience
    )
    file.begin(HEAD)
    assert file.readline() == b"one\n"
    file.begin(BODY)
    assert file.peek(1)[:3] == b"two"
    assert list(file) == [b"two\n", b"three"]
    assert patience._reads == {}


class Dribble:
    """Gives so many bytes at each read, after so many seconds."""

    def __init__(self, frozen, patience, size, seconds):
        self._frozen, self._patience = frozen, patience
        self._size, self._seconds = size, seconds
        self.cut = 0

    def read(self, _):
        self._frozen.advance(self._seconds)
        self.cut += self._patience.cut()
        return bytes(self._size)


@pytest.mark.parametrize(
    ("size", "seconds", "is_cut"), [(10_000, 10, False), (50_000, 50, False), (9_000, 10, True)]
)
def test_in_17_large_body_may_take_long_but_not_be_slow(monkeypatch, size, seconds, is_cut):
    frozen = hold_time(monkeypatch)
    patience = Patience(Limits(body_s=60, body_bytes_per_s=1000))
    inner = Dribble(frozen, patience, size, seconds)
    file = PatientFile(inner, FakeSocket(), "a", patience)
    file.begin(BODY)
    for _ in range(100):
        file.read(size)
    assert bool(inner.cut) == is_cut


def test_in_17_quick_beginning_of_a_body_buys_no_long_end(monkeypatch):
    frozen = hold_time(monkeypatch)
    patience = Patience(Limits(body_s=60, body_bytes_per_s=1000))
    file = PatientFile(io.BytesIO(bytes(10_000_000)), FakeSocket(), "a", patience)
    file.begin(BODY)
    file.read(10_000_000)
    file._inner = Dribble(frozen, patience, 1, 61)
    file.read(1)
    assert file._inner.cut == 1
