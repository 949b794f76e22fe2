"""Deletion that can be taken back: the guest is off until it is reclaimed or restored."""

from nova import exception
from nova.compute import endings
from nova.compute.networks import Networks
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.compute.power import PowerActions
from nova.compute.uploads import Uploads
from nova.image.api import ImageService
from nova.objects.lifecycle import TaskState, VmState
from nova.virt.driver import ComputeDriver


class DeferredDeleteActions:
    """Plans of soft_delete and restore on one host."""

    def __init__(
        self,
        driver: ComputeDriver,
        networks: Networks,
        power: PowerActions,
        images: ImageService,
    ) -> None:
        self._driver = driver
        self._uploads = Uploads(driver, images)
        self._networks = networks
        self._power = power

    def soft_delete_plan(self) -> Plan:
        """Return how a server is switched off and kept."""
        return Plan(
            event="compute_soft_delete_instance",
            task_state=TaskState.SOFT_DELETING,
            work=self._soft_delete,
            explain=lambda running, error: self._failure(running, "The server was not deleted."),
        )

    def restore_plan(self) -> Plan:
        """Return how a soft-deleted server comes back."""
        return Plan(
            event="compute_restore_instance",
            task_state=TaskState.RESTORING,
            work=self._restore,
            explain=lambda running, error: self._failure(
                running, "The server could not be restored."
            ),
            settle=self._uploads.delete_shelved,
        )

    def _soft_delete(self, running: Running) -> Outcome:
        """Switch the guest off; one in rescue goes back to its own disk for a restore."""
        try:
            if running.instance.vm_state is VmState.RESCUED:
                self._driver.unrescue(running.instance)
            self._power.shut_down(running.instance)
        except exception.GuestNotFound:
            pass
        self._uploads.delete_abandoned(running.operation)
        return endings.outcome(self._driver, running)

    def _restore(self, running: Running) -> Outcome:
        self._networks.setup(running.context, running.instance)
        self._driver.power_on(running.instance)
        return endings.outcome(self._driver, running)

    def _failure(self, running: Running, message: str) -> Failure:
        """Return a failure that leaves the state alone, so that both can be asked for again."""
        power_state = endings.power_state_if_known(self._driver, running.instance)
        return Failure(message=message, power_state=power_state)
