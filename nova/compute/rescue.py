"""Rescue and unrescue: the guest boots from another image, and from its own disk again."""

import logging

from nova import exception
from nova.compute import endings
from nova.compute.build import IMAGE_ERRORS
from nova.compute.config_drive import ConfigDrives
from nova.compute.networks import Networks
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.objects.action_request import ImageChoice
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)


class RescueActions:
    """Plans of rescue and unrescue on one host."""

    def __init__(
        self, driver: ComputeDriver, networks: Networks, config_drives: ConfigDrives
    ) -> None:
        self._driver = driver
        self._networks = networks
        self._config_drives = config_drives

    def rescue_plan(self) -> Plan:
        """Return how a server is rescued."""
        return Plan(
            event="compute_rescue_instance",
            task_state=TaskState.RESCUING,
            work=self._rescue,
            explain=self._explain_rescue,
        )

    def unrescue_plan(self) -> Plan:
        """Return how a server goes back to its own disk."""
        return Plan(
            event="compute_unrescue_instance",
            task_state=TaskState.UNRESCUING,
            work=self._unrescue,
            explain=lambda running, error: endings.failure(
                self._driver, running, "The server could not be started from its own disk."
            ),
        )

    def _rescue(self, running: Running) -> Outcome:
        image = _image_of(running)
        config_drive = self._config_drives.renewed(running.detail)
        self._networks.setup(running.context, running.instance)
        self._driver.rescue(running.detail, image, config_drive)
        return endings.outcome(self._driver, running)

    def _unrescue(self, running: Running) -> Outcome:
        self._networks.setup(running.context, running.instance)
        self._driver.unrescue(running.instance)
        return endings.outcome(self._driver, running)

    def _explain_rescue(self, running: Running, error: Exception) -> Failure:
        """Start a guest again that was stopped for its rescue, and tell what went wrong."""
        if running.instance.vm_state is VmState.ACTIVE:
            self._restart(running)
        message = "The server could not be rescued."
        if isinstance(error, (*IMAGE_ERRORS, exception.AdminPasswordLost)):
            message = f"The server could not be rescued: {error}"
        return endings.failure(self._driver, running, message)

    def _restart(self, running: Running) -> None:
        instance = running.instance
        try:
            if self._driver.get_power_state(instance) is not PowerState.RUNNING:
                self._driver.unrescue(instance)
        except exception.NovaException:
            LOG.exception("Instance %s is off after a failed rescue", instance.uuid)


def _image_of(running: Running) -> ImageChoice:
    """Return the image that the conductor has chosen.  Raises: Invalid."""
    request = running.operation.request
    if request is None or request.rescue is None or request.rescue.image is None:
        raise exception.Invalid(reason="There is no image to rescue the server with.")
    return request.rescue.image
