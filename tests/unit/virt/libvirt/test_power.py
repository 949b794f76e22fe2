"""Waiting for guests, without waiting."""

import pytest

from nova import exception
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt.host import GuestFacts
from nova.virt.libvirt.power import GuestPower
from tests.fixtures.time import frozen_clock  # noqa: F401

UUID = "3f1a2b4c-0000-4000-8000-123456789abc"


class StubbornHost:
    """A host with one guest, which obeys the n-th request after a while.

    obeys: which press of the power button works, None for none.
    reboots_after_s: when a requested reboot happens, None for never.
    """

    def __init__(self, clock, obeys=1, reboots_after_s=None):
        self.state = PowerState.RUNNING
        self.presses = []
        self.killed_at = None
        self.refuses = False
        self._clock = clock
        self._obeys = obeys
        self._after_s = reboots_after_s
        self._reboot_at = None

    def find_guest(self, instance_uuid):
        if instance_uuid != UUID:
            return None
        if self._obeys is not None and len(self.presses) >= self._obeys:
            self.state = PowerState.SHUTDOWN
        return GuestFacts(uuid=UUID, name="instance-00000001", power_state=self.state)

    def ask_shutdown(self, instance_uuid):
        self.presses.append(self._clock.seconds)
        if self.refuses:
            raise exception.DriverError(operation="shut the guest down", reason="busy")

    def ask_reboot(self, instance_uuid):
        if self.refuses:
            raise exception.DriverError(operation="reboot the guest", reason="busy")
        if self._after_s is not None:
            self._reboot_at = self._clock.seconds + self._after_s

    def count_reboots(self, instance_uuid):
        return int(self._reboot_at is not None and self._clock.seconds >= self._reboot_at)

    def kill(self, instance_uuid):
        self.killed_at = self._clock.seconds
        self.state = PowerState.SHUTDOWN


@pytest.fixture
def make(frozen_clock):  # noqa: F811
    def make(**kwargs):
        host = StubbornHost(frozen_clock, **kwargs)
        return host, GuestPower(host, frozen_clock.advance)

    return make


def test_guest_that_obeys_is_not_killed(make):
    host, power = make(obeys=1)
    power.shut_down(UUID, 60, 10)
    assert (len(host.presses), host.killed_at) == (1, None)


def test_button_is_pressed_again_each_interval(make):
    host, power = make(obeys=3)
    power.shut_down(UUID, 60, 10)
    assert [second - host.presses[0] for second in host.presses] == [0, 10, 20]
    assert host.killed_at is None


def test_power_is_cut_at_the_end_of_patience(make):
    host, power = make(obeys=None)
    power.shut_down(UUID, 60, 10)
    assert host.killed_at - host.presses[0] == 60
    assert len(host.presses) == 6


def test_without_patience_power_is_cut_at_once(make):
    host, power = make()
    power.shut_down(UUID, 0, 10)
    assert host.presses == [] and host.killed_at is not None


def test_guest_that_is_off_is_left_alone(make):
    host, power = make()
    host.state = PowerState.SHUTDOWN
    power.shut_down(UUID, 60, 10)
    assert host.presses == [] and host.killed_at is None


def test_paused_guest_can_not_obey_and_is_killed(make):
    host, power = make()
    host.state = PowerState.PAUSED
    power.shut_down(UUID, 60, 10)
    assert host.presses == [] and host.killed_at is not None


def test_refused_requests_end_in_a_cut(make):
    host, power = make(obeys=None)
    host.refuses = True
    power.shut_down(UUID, 20, 10)
    assert host.killed_at is not None


def test_missing_guest_is_an_error(make):
    _, power = make()
    with pytest.raises(exception.GuestNotFound):
        power.shut_down("0" * 36, 60, 10)
    with pytest.raises(exception.GuestNotFound):
        power.reboot_softly("0" * 36, 60)


def test_reboot_that_happens_is_seen(make):
    _, power = make(obeys=None, reboots_after_s=5)
    assert power.reboot_softly(UUID, 60)


def test_reboot_that_comes_too_late_is_not(make, frozen_clock):  # noqa: F811
    _, power = make(obeys=None, reboots_after_s=61)
    before = frozen_clock.seconds
    assert not power.reboot_softly(UUID, 60)
    assert frozen_clock.seconds - before == 60


@pytest.mark.parametrize("state", [PowerState.SHUTDOWN, PowerState.PAUSED])
def test_guest_that_does_not_run_can_not_reboot_softly(make, state):
    host, power = make()
    host.state = state
    assert not power.reboot_softly(UUID, 60)


def test_refused_reboot_is_no_reboot(make):
    host, power = make()
    host.refuses = True
    assert not power.reboot_softly(UUID, 60)
