"""Power actions: start, stop, reboot."""

import dataclasses
import logging

from nova import exception
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.objects.instance import Instance
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.objects.operation import IF_POWER_STATE
from nova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

# Image property with the seconds that a guest needs to shut down.
SHUTDOWN_TIMEOUT_PROPERTY = "os_shutdown_timeout"
# An image can not hold up its host longer than this, and stays below the action's deadline.
MAX_OWN_TIMEOUT_S = 480


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownSettings:
    """How long a guest gets to shut down, and how often it is asked."""

    timeout_s: int = 60
    retry_interval_s: int = 10

    def timeout_s_of(self, instance: Instance) -> int:
        """Return the time of one guest: what its image says goes before what the host says.

        The image's owner can ask for no more than MAX_OWN_TIMEOUT_S, or what all guests get.
        """
        own = instance.image_properties.get(SHUTDOWN_TIMEOUT_PROPERTY, "")
        if not own.isdecimal():
            return self.timeout_s
        most = max(MAX_OWN_TIMEOUT_S, self.timeout_s)
        return most if len(own) > len(str(most)) else min(int(own), most)


class PowerActions:
    """Plans of the power actions on one host."""

    def __init__(self, driver: ComputeDriver, settings: ShutdownSettings) -> None:
        self._driver = driver
        self._settings = settings

    def start_plan(self) -> Plan:
        """Return how a server is started."""
        return Plan(
            event="compute_start_instance",
            task_state=TaskState.POWERING_ON,
            work=self._start,
            explain=lambda running, error: self._failure(running, "started"),
        )

    def stop_plan(self) -> Plan:
        """Return how a server is stopped."""
        return Plan(
            event="compute_stop_instance",
            task_state=TaskState.POWERING_OFF,
            work=self._stop,
            explain=lambda running, error: self._failure(running, "stopped"),
        )

    def reboot_plan(self, soft: bool) -> Plan:
        """Return how a server is rebooted."""
        return Plan(
            event="compute_reboot_instance",
            task_state=TaskState.REBOOT_PENDING if soft else TaskState.REBOOT_PENDING_HARD,
            work=self._reboot_soft if soft else self._reboot_hard,
            explain=lambda running, error: self._failure(running, "rebooted", VmState.ERROR),
        )

    def _start(self, running: Running) -> Outcome:
        self._driver.power_on(running.instance)
        return self._outcome(running)

    def _stop(self, running: Running) -> Outcome:
        """Stop a guest; one that was to be stopped for its power state must still have it."""
        wanted = running.operation.arguments.get(IF_POWER_STATE)
        found = self._driver.get_power_state(running.instance) if wanted is not None else None
        if found is not None and found.name != wanted:
            LOG.info("Instance %s is %s by now", running.instance.uuid, found.name)
            return Outcome(power_state=found, vm_state=running.instance.vm_state)
        self.shut_down(running.instance)
        return self._outcome(running)

    def shut_down(self, instance: Instance) -> None:
        """Switch a guest off; it gets the time that its image or the operator names."""
        self._driver.power_off(
            instance, self._settings.timeout_s_of(instance), self._settings.retry_interval_s
        )

    def _reboot_soft(self, running: Running) -> Outcome:
        """Ask the guest; one that is off or does not obey is rebooted hard."""
        running.step(TaskState.REBOOT_STARTED)
        instance = running.instance
        runs = self._driver.get_power_state(instance) is PowerState.RUNNING
        if not runs or not self._driver.reboot_soft(
            instance, self._settings.timeout_s_of(instance)
        ):
            self._driver.reboot_hard(instance)
        return self._outcome(running)

    def _reboot_hard(self, running: Running) -> Outcome:
        running.step(TaskState.REBOOT_STARTED_HARD)
        self._driver.reboot_hard(running.instance)
        return self._outcome(running)

    def _outcome(self, running: Running) -> Outcome:
        return Outcome(power_state=self._driver.get_power_state(running.instance))

    def _failure(
        self, running: Running, verb: str, vm_state_when_off: VmState | None = None
    ) -> Failure:
        power_state = self._power_state_if_known(running.instance)
        return Failure(
            message=f"The server could not be {verb}.",
            power_state=power_state,
            vm_state=None if power_state is PowerState.RUNNING else vm_state_when_off,
        )

    def _power_state_if_known(self, instance: Instance) -> PowerState | None:
        try:
            return self._driver.get_power_state(instance)
        except exception.HypervisorUnavailable:
            return None
