"""Rebuild: the guest is made anew in its place; its networks stay.

Source: server-states, section 3 (task sequences).
"""

import dataclasses

from nova import exception
from nova.compute import endings
from nova.compute.build import IMAGE_ERRORS
from nova.compute.config_drive import ConfigDrives
from nova.compute.networks import Networks
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.objects.lifecycle import TaskState, VmState
from nova.objects.operation import DISCARD_ASIDE
from nova.virt.driver import ComputeDriver

INTERRUPTED = "The compute service was restarted while it rebuilt the server."


class RebuildActions:
    """The plan of rebuild on one host."""

    def __init__(
        self, driver: ComputeDriver, networks: Networks, config_drives: ConfigDrives
    ) -> None:
        self._driver = driver
        self._networks = networks
        self._config_drives = config_drives

    def plan(self) -> Plan:
        """Return how a server is rebuilt."""
        return Plan(
            event="compute_rebuild_instance",
            task_state=TaskState.REBUILDING,
            work=self._rebuild,
            explain=self._explain,
            undo=self._end_interrupted,
        )

    def _rebuild(self, running: Running) -> Outcome:
        """Replace the disks; a server that was stopped stays so."""
        request = running.operation.request
        wanted = request.rebuild if request is not None else None
        files = wanted.injected_files if wanted is not None else ()
        detail = dataclasses.replace(running.detail, injected_files=files)
        config_drive = self._config_drives.renewed(detail)
        instance = detail.instance
        stopped = instance.vm_state is VmState.STOPPED
        running.step(TaskState.REBUILD_BLOCK_DEVICE_MAPPING)
        self._networks.setup(running.context, instance)
        if DISCARD_ASIDE in running.operation.arguments:
            self._driver.confirm_migration(instance)
        running.step(TaskState.REBUILD_SPAWNING)
        self._driver.rebuild(
            detail,
            config_drive,
            power_on=not stopped,
            preserve_ephemeral=wanted is not None and wanted.preserve_ephemeral,
        )
        outcome = endings.outcome(self._driver, running)
        return dataclasses.replace(outcome, vm_state=VmState.STOPPED if stopped else None)

    def _explain(self, running: Running, error: Exception) -> Failure:
        """Tell what the tenant may know; the guest is not what the record says any more."""
        message = "The server could not be rebuilt."
        if isinstance(error, (*IMAGE_ERRORS, exception.AdminPasswordLost)):
            message = f"The server could not be rebuilt: {error}"
        return self._broken(running, message)

    def _end_interrupted(self, running: Running) -> Failure:
        return self._broken(running, INTERRUPTED)

    def _broken(self, running: Running, message: str) -> Failure:
        power_state = endings.power_state_if_known(self._driver, running.instance)
        return Failure(message=message, power_state=power_state, vm_state=VmState.ERROR)
