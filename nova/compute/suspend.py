"""Suspending and resuming: the guest's memory is saved to disk."""

from nova.compute import endings
from nova.compute.networks import Networks
from nova.compute.operations import Outcome, Plan, Running
from nova.objects.lifecycle import TaskState
from nova.virt.driver import ComputeDriver


class SuspendActions:
    """Plans of suspend and resume on one host."""

    def __init__(self, driver: ComputeDriver, networks: Networks) -> None:
        self._driver = driver
        self._networks = networks

    def suspend_plan(self) -> Plan:
        """Return how a server is suspended."""
        return Plan(
            event="compute_suspend_instance",
            task_state=TaskState.SUSPENDING,
            work=self._suspend,
            explain=lambda running, error: endings.failure(
                self._driver, running, "The server could not be suspended."
            ),
        )

    def resume_plan(self) -> Plan:
        """Return how a suspended server goes on."""
        return Plan(
            event="compute_resume_instance",
            task_state=TaskState.RESUMING,
            work=self._resume,
            explain=lambda running, error: endings.failure(
                self._driver, running, "The server could not be resumed."
            ),
        )

    def _suspend(self, running: Running) -> Outcome:
        self._driver.suspend(running.instance)
        return endings.outcome(self._driver, running)

    def _resume(self, running: Running) -> Outcome:
        """Go on; the host may have been restarted since, so its networks are made ready."""
        self._networks.setup(running.context, running.instance)
        self._driver.resume(running.instance)
        return endings.outcome(self._driver, running)
