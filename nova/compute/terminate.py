"""Removes a server from its host."""

from nova.compute.networks import Networks
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.compute.uploads import Uploads
from nova.image.api import ImageService
from nova.objects.lifecycle import PowerState, TaskState
from nova.virt.driver import ComputeDriver


class Terminator:
    """Removes guests and what belongs to them; repeated until it succeeds."""

    def __init__(self, driver: ComputeDriver, networks: Networks, images: ImageService) -> None:
        self._driver = driver
        self._networks = networks
        self._uploads = Uploads(driver, images)

    def plan(self) -> Plan:
        """Return how a server is removed.

        A failure is never reported as the end: the operation stays and is taken up again.
        """
        return Plan(
            event="compute_terminate_instance",
            task_state=TaskState.DELETING,
            work=self._terminate,
            explain=_keep,
        )

    def _terminate(self, running: Running) -> Outcome:
        self._driver.destroy(running.instance)
        self._networks.teardown(running.context, running.instance)
        self._uploads.delete_shelved(running)
        self._uploads.delete_abandoned(running.operation)
        return Outcome(power_state=PowerState.NOSTATE)


def _keep(running: Running, error: Exception) -> Failure | None:
    return None
