"""Making a guest's kernel dump its memory."""

from nova.compute import endings
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.virt.driver import ComputeDriver


class CrashDumpActions:
    """The plan of trigger_crash_dump on one host."""

    def __init__(self, driver: ComputeDriver) -> None:
        self._driver = driver

    def plan(self) -> Plan:
        """Return how an NMI is sent; one that may have been sent is not sent again."""
        return Plan(
            event="compute_trigger_crash_dump",
            task_state=None,
            work=self._trigger,
            explain=lambda running, error: Failure(
                message="The crash dump could not be triggered."
            ),
            undo=lambda running: Failure(message=endings.INTERRUPTED),
        )

    def _trigger(self, running: Running) -> Outcome:
        self._driver.trigger_crash_dump(running.instance)
        return Outcome()
