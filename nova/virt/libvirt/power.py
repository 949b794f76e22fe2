"""Power actions that wait for the guest to do its part."""

import logging
from collections.abc import Callable

from nova import clock, concurrency, exception
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt.host import Host

LOG = logging.getLogger(__name__)

_POLL_S = 0.25

# Power states of a guest that has a process.
ON = frozenset({PowerState.RUNNING, PowerState.PAUSED, PowerState.SUSPENDED})


class GuestPower:
    """Asks guests and waits for them; sleep does the waiting."""

    def __init__(self, host: Host, sleep: Callable[[float], object] = concurrency.sleep) -> None:
        self._host = host
        self._sleep = sleep

    def shut_down(self, instance_uuid: str, timeout_s: int, retry_interval_s: int) -> None:
        """Press the power button, again each interval; cut the power after timeout_s.

        A guest that is still starting misses a press, hence the repetition.
        Raises: GuestNotFound.
        """
        deadline = clock.monotonic() + timeout_s
        next_press = clock.monotonic()
        while (now := clock.monotonic()) < deadline and self._runs(instance_uuid):
            if now >= next_press:
                self._press(instance_uuid)
                next_press = now + retry_interval_s
            self._sleep(_POLL_S)
        if self._state(instance_uuid) in ON:
            LOG.info("Cutting the power of guest %s after %d seconds", instance_uuid, timeout_s)
            self._host.kill(instance_uuid)

    def reboot_softly(self, instance_uuid: str, timeout_s: int) -> bool:
        """Ask a running guest to reboot; tell whether it did within timeout_s.

        Raises: GuestNotFound.
        """
        if not self._runs(instance_uuid):
            return False
        seen = self._host.count_reboots(instance_uuid)
        try:
            self._host.ask_reboot(instance_uuid)
        except exception.DriverError:
            return False
        deadline = clock.monotonic() + timeout_s
        while self._host.count_reboots(instance_uuid) == seen:
            if clock.monotonic() >= deadline or self._state(instance_uuid) not in ON:
                return False
            self._sleep(_POLL_S)
        return True

    def is_off(self, instance_uuid: str) -> bool:
        """Tell whether the guest has no process.  Raises: GuestNotFound."""
        return self._state(instance_uuid) not in ON

    def _press(self, instance_uuid: str) -> None:
        try:
            self._host.ask_shutdown(instance_uuid)
        except exception.DriverError:
            LOG.info("Guest %s can not be asked to shut down", instance_uuid)

    def _runs(self, instance_uuid: str) -> bool:
        return self._state(instance_uuid) is PowerState.RUNNING

    def _state(self, instance_uuid: str) -> PowerState:
        guest = self._host.find_guest(instance_uuid)
        if guest is None:
            raise exception.GuestNotFound(instance_uuid=instance_uuid)
        return guest.power_state
