"""Access keys that are locked out after too many wrong signatures."""

import threading

import pytest

from nova.api.ec2 import lockout
from nova.api.ec2.lockout import Lockout, LockoutSettings
from nova.exception import Ec2LockedOut

HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def locks():
    return Lockout(LockoutSettings(attempts=3, window_minutes=2, minutes=5))


def _fail(locks, times, key="key", address=HERE):
    for _ in range(times):
        locks.check(key, address)
        locks.note_refusal(key, address)


def test_too_many_refusals_lock_a_key_out_for_a_while(locks, frozen_clock):
    _fail(locks, 3)
    for seconds in (0, 299):
        frozen_clock.advance(seconds)
        with pytest.raises(Ec2LockedOut):
            locks.check("key", HERE)
    frozen_clock.advance(1)
    _fail(locks, 2)
    locks.check("key", HERE)


def test_refusals_are_forgotten_after_the_window(locks, frozen_clock):
    _fail(locks, 2)
    frozen_clock.advance(120)
    _fail(locks, 2)
    locks.check("key", HERE)


def test_refusals_while_it_is_locked_do_not_make_it_longer(locks, frozen_clock):
    _fail(locks, 3)
    frozen_clock.advance(200)
    locks.note_refusal("key", HERE)
    frozen_clock.advance(100)
    locks.check("key", HERE)


def test_another_key_and_another_address_are_not_meant(locks, frozen_clock):
    _fail(locks, 3)
    locks.check("key", THERE)
    locks.check("another", HERE)


def test_there_is_no_lockout_unless_it_is_wanted():
    _fail(Lockout(None), 100)


def test_the_memory_is_bounded(locks, frozen_clock):
    _fail(locks, 3)
    for number in range(lockout.MAX_KEYS):
        locks.note_refusal(f"{number}" * 1000 if number < 9 else str(number), THERE)
    assert len(locks._refusals) == lockout.MAX_KEYS
    assert {len(key) for key in locks._refusals} == {64}
    # The oldest goes first.
    locks.check("key", HERE)


def test_every_refusal_counts_when_many_come_at_once(frozen_clock):
    locks = Lockout(LockoutSettings(attempts=1000))
    threads = [threading.Thread(target=_fail, args=(locks, 250)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(Ec2LockedOut):
        locks.check("key", HERE)
