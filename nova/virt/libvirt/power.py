"""Power actions that wait for the guest to do its part."""

import logging

from nova import clock, concurrency, exception
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt.host import Host

LOG = logging.getLogger(__name__)

_POLL_S = 0.25
_ON = frozenset({PowerState.RUNNING, PowerState.PAUSED, PowerState.SUSPENDED})


def shut_down(host: Host, instance_uuid: str, timeout_s: int, retry_interval_s: int) -> None:
    """Press the power button, again each interval; cut the power after timeout_s.

    A guest that is still starting misses a press, hence the repetition.
    Raises: GuestNotFound.
    """
    deadline = clock.monotonic() + timeout_s
    next_press = clock.monotonic()
    while _state(host, instance_uuid) is PowerState.RUNNING and clock.monotonic() < deadline:
        if clock.monotonic() >= next_press:
            _press(host, instance_uuid)
            next_press = clock.monotonic() + retry_interval_s
        concurrency.sleep(_POLL_S)
    if _state(host, instance_uuid) in _ON:
        LOG.info("Cutting the power of guest %s after %d seconds", instance_uuid, timeout_s)
        host.kill(instance_uuid)


def reboot_softly(host: Host, instance_uuid: str, timeout_s: int) -> bool:
    """Ask a running guest to reboot; tell whether it did within timeout_s.

    Raises: GuestNotFound.
    """
    if _state(host, instance_uuid) is not PowerState.RUNNING:
        return False
    seen = host.count_reboots(instance_uuid)
    try:
        host.ask_reboot(instance_uuid)
    except exception.DriverError:
        return False
    deadline = clock.monotonic() + timeout_s
    while host.count_reboots(instance_uuid) == seen:
        if clock.monotonic() >= deadline or _state(host, instance_uuid) not in _ON:
            return False
        concurrency.sleep(_POLL_S)
    return True


def _press(host: Host, instance_uuid: str) -> None:
    try:
        host.ask_shutdown(instance_uuid)
    except exception.DriverError:
        LOG.info("Guest %s can not be asked to shut down", instance_uuid)


def _state(host: Host, instance_uuid: str) -> PowerState:
    guest = host.find_guest(instance_uuid)
    if guest is None:
        raise exception.GuestNotFound(instance_uuid=instance_uuid)
    return guest.power_state
