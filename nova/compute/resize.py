"""Resize on this host, its confirmation and its revert.

Source: server-states, section 3 (task sequences); virt-driver, section 12.
"""

import dataclasses
import logging

from nova import exception
from nova.compute import endings
from nova.compute.operations import Cancelled, Failure, Outcome, Plan, Running
from nova.compute.power import ShutdownSettings
from nova.objects.flavor import Flavor
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.objects.migration import Migration
from nova.objects.numa import GuestNuma
from nova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

_ENDS = {PowerState.RUNNING: VmState.ACTIVE, PowerState.SHUTDOWN: VmState.STOPPED}


class ResizeActions:
    """Plans of resize, confirmResize and revertResize on one host; each may be repeated."""

    def __init__(self, driver: ComputeDriver, shutdown: ShutdownSettings) -> None:
        self._driver = driver
        self._shutdown = shutdown

    def resize_plan(self) -> Plan:
        """Return how a server gets another flavor."""
        return Plan(
            event="compute_resize_instance",
            task_state=TaskState.RESIZE_MIGRATING,
            work=self._resize,
            explain=self._explain_resize,
        )

    def confirm_plan(self) -> Plan:
        """Return how a server stays with its new flavor."""
        return Plan(
            event="compute_confirm_resize",
            task_state=TaskState.RESIZE_CONFIRMING,
            work=self._confirm,
            explain=lambda running, error: self._explain_end(running, error, "confirmed"),
        )

    def revert_plan(self) -> Plan:
        """Return how a server goes back to its old flavor."""
        return Plan(
            event="compute_revert_resize",
            task_state=TaskState.RESIZE_REVERTING,
            work=self._revert,
            explain=lambda running, error: self._explain_end(running, error, "reverted"),
        )

    # --- Resize

    def _resize(self, running: Running) -> Outcome:
        """Put the disks aside and grow copies; a server that was stopped stays so."""
        migration = _migration_of(running)
        old = _with_flavor(running, migration.old_flavor, migration.old_numa)
        new = _with_flavor(running, migration.new_flavor, migration.new_numa)
        power_on = migration.old_vm_state is VmState.ACTIVE
        try:
            self._driver.migrate_disk_and_power_off(
                old.instance,
                migration.new_flavor,
                self._shutdown.timeout_s_of(old.instance),
                self._shutdown.retry_interval_s,
            )
            running.step(TaskState.RESIZE_MIGRATED)
            running.step(TaskState.RESIZE_FINISH)
            self._driver.finish_migration(new, migration.old_flavor, power_on=power_on)
            return endings.outcome(self._driver, running)
        except (Cancelled, exception.HypervisorUnavailable, exception.ResizeRefused):
            # Nothing is to be put back: by the deletion, not yet, not touched.
            raise
        except Exception as error:
            self._put_back(old, power_on, error)
            raise

    def _put_back(self, old: InstanceDetail, power_on: bool, error: Exception) -> None:
        """Undo a resize that failed.  Raises: ResizeNotUndone."""
        uuid = old.instance.uuid
        LOG.warning("Instance %s is put back as it was before its resize: %s", uuid, error)
        try:
            self._driver.finish_revert_migration(old, power_on=power_on)
        except Exception as second:
            LOG.exception("Instance %s can not be put back", uuid)
            raise exception.ResizeNotUndone(instance_uuid=uuid) from second

    def _explain_resize(self, running: Running, error: Exception) -> Failure | None:
        """Tell what the tenant may know; while the hypervisor is away, try again later."""
        if isinstance(error, exception.HypervisorUnavailable):
            return None
        message = "The server could not be resized."
        if isinstance(error, exception.ResizeRefused):
            message = str(error)
        failure = endings.failure(self._driver, running, message)
        if isinstance(error, exception.ResizeNotUndone):
            return dataclasses.replace(failure, vm_state=VmState.ERROR)
        return failure

    # --- Its two ends

    def _confirm(self, running: Running) -> Outcome:
        """Delete what was put aside; what the guest does now decides about its state."""
        migration = _migration_of(running)
        self._driver.confirm_migration(running.instance)
        power_state = self._driver.get_power_state(running.instance)
        vm_state = _ENDS.get(power_state, migration.old_vm_state)
        return Outcome(power_state=power_state, vm_state=vm_state)

    def _revert(self, running: Running) -> Outcome:
        migration = _migration_of(running)
        old = _with_flavor(running, migration.old_flavor, migration.old_numa)
        power_on = migration.old_vm_state is VmState.ACTIVE
        self._driver.finish_revert_migration(old, power_on=power_on)
        outcome = endings.outcome(self._driver, running)
        return dataclasses.replace(outcome, vm_state=migration.old_vm_state)

    def _explain_end(self, running: Running, error: Exception, verb: str) -> Failure | None:
        """Leave the server resized, so that the same may be asked for again."""
        if isinstance(error, exception.HypervisorUnavailable):
            return None
        return endings.failure(self._driver, running, f"The resize could not be {verb}.")


def _migration_of(running: Running) -> Migration:
    """Return the record of the resize.  Raises: Invalid."""
    migration = running.detail.migration
    if migration is None:
        raise exception.Invalid(reason="There is no record of a resize.")
    return migration


def _with_flavor(running: Running, flavor: Flavor, numa: GuestNuma | None) -> InstanceDetail:
    """Return the server as it is, or will be, with a flavor."""
    instance = dataclasses.replace(running.instance, flavor=flavor, numa_topology=numa)
    return dataclasses.replace(running.detail, instance=instance)
