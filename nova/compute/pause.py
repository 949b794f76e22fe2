"""Pausing and going on: the guest is frozen, its memory is kept."""

from nova.compute import endings
from nova.compute.operations import Outcome, Plan, Running
from nova.objects.lifecycle import TaskState
from nova.virt.driver import ComputeDriver


class PauseActions:
    """Plans of pause and unpause on one host."""

    def __init__(self, driver: ComputeDriver) -> None:
        self._driver = driver

    def pause_plan(self) -> Plan:
        """Return how a server is paused."""
        return Plan(
            event="compute_pause_instance",
            task_state=TaskState.PAUSING,
            work=self._pause,
            explain=lambda running, error: endings.failure(
                self._driver, running, "The server could not be paused."
            ),
        )

    def unpause_plan(self) -> Plan:
        """Return how a paused server goes on."""
        return Plan(
            event="compute_unpause_instance",
            task_state=TaskState.UNPAUSING,
            work=self._unpause,
            explain=lambda running, error: endings.failure(
                self._driver, running, "The server could not be unpaused."
            ),
        )

    def _pause(self, running: Running) -> Outcome:
        self._driver.pause(running.instance)
        return endings.outcome(self._driver, running)

    def _unpause(self, running: Running) -> Outcome:
        self._driver.unpause(running.instance)
        return endings.outcome(self._driver, running)
