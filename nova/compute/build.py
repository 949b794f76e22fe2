"""Builds a server: named steps, each with its undo."""

import contextlib
import dataclasses
import logging
import threading
from collections.abc import Callable, Sequence

from nova import exception
from nova.compute.config_drive import ConfigDrives
from nova.compute.networks import Networks
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.context import RequestContext
from nova.metadata.documents import DocumentSettings
from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import TaskState
from nova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

# Another host would fail in the same way, and the tenant can do something about it.
IMAGE_ERRORS = (
    exception.ImageNotFound,
    exception.ImageNotActive,
    exception.ImageUnacceptable,
    exception.ImageTooLarge,
    exception.ImageCorrupt,
    exception.ImageServiceForbidden,
    exception.ImageConversionFailed,
    exception.FlavorDiskTooSmall,
)

INTERRUPTED = "The compute service was restarted while it built the server."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """One step of a build; undo is safe also after a step that failed halfway.

    failure: what the tenant is told when the step fails for a reason of ours.
    """

    task_state: TaskState
    do: Callable[[RequestContext, InstanceDetail], None]
    undo: Callable[[RequestContext, Instance], None]
    failure: str


class Builder:
    """Builds servers on one host, a limited number at the same time."""

    def __init__(
        self,
        driver: ComputeDriver,
        networks: Networks,
        *,
        documents: DocumentSettings,
        force_config_drive: bool = False,
        max_concurrent: int = 0,
    ) -> None:
        self._driver = driver
        self._networks = networks
        self._config_drives = ConfigDrives(documents=documents, forced=force_config_drive)
        self._room = threading.BoundedSemaphore(max_concurrent) if max_concurrent else None
        self._leftovers = False
        self._steps = (
            BuildStep(
                task_state=TaskState.NETWORKING,
                do=self._network,
                undo=self._unnetwork,
                failure="The network of the server could not be set up.",
            ),
            BuildStep(
                task_state=TaskState.SPAWNING,
                do=self._spawn,
                undo=self._unspawn,
                failure="The hypervisor could not start the server.",
            ),
        )

    def plan(self) -> Plan:
        """Return how a build is carried out."""
        return Plan(
            event="compute__do_build_and_run_instance",
            task_state=self._steps[0].task_state,
            work=self._build,
            explain=self.explain,
            discard=lambda running: self.clean(running.context, running.instance),
            undo=self._end_interrupted,
        )

    def clean(self, context: RequestContext, instance: Instance) -> None:
        """Undo all steps in reverse order, whether or not they were done."""
        self._undo(self._steps, context, instance)

    def _end_interrupted(self, running: Running) -> Failure:
        self.clean(running.context, running.instance)
        return Failure(message=INTERRUPTED, retry=True)

    def take_leftovers(self) -> bool:
        """Tell whether something could not be undone since the last time this was asked."""
        found, self._leftovers = self._leftovers, False
        return found

    def _build(self, running: Running) -> Outcome:
        return self.build(running, running.detail)

    def build(self, running: Running, detail: InstanceDetail) -> Outcome:
        """Build a server that is described by detail; on an error nothing is left."""
        with self._room or contextlib.nullcontext():
            begun: list[BuildStep] = []
            try:
                for step in self._steps:
                    if begun:
                        running.step(step.task_state)
                    begun.append(step)
                    step.do(running.context, detail)
                running.check()
            except Exception:
                self._undo(begun, running.context, running.instance)
                raise
        return Outcome(power_state=self._driver.get_power_state(running.instance))

    def _undo(
        self, steps: Sequence[BuildStep], context: RequestContext, instance: Instance
    ) -> None:
        """Undo steps in reverse order; after an error the rest is still undone."""
        for step in reversed(steps):
            try:
                step.undo(context, instance)
            except exception.NovaException:
                LOG.exception("Instance %s: %s can not be undone", instance.uuid, step.task_state)
                self._leftovers = True

    def _network(self, context: RequestContext, detail: InstanceDetail) -> None:
        self._networks.setup(context, detail.instance)

    def _unnetwork(self, context: RequestContext, instance: Instance) -> None:
        self._networks.teardown(context, instance)

    def _spawn(self, context: RequestContext, detail: InstanceDetail) -> None:
        self._driver.spawn(detail, self._config_drives.files(detail))

    def _unspawn(self, context: RequestContext, instance: Instance) -> None:
        self._driver.destroy(instance)

    def explain(self, running: Running, error: Exception) -> Failure:
        """Tell what the tenant may know, and whether another host is worth trying."""
        if isinstance(error, IMAGE_ERRORS):
            uuid = running.instance.uuid
            return Failure(message=f"Build of instance {uuid} aborted: {error}")
        if isinstance(error, exception.ImageServiceUnavailable):
            return Failure(message="The image service can not be reached.", retry=True)
        found = [step for step in self._steps if step.task_state == running.task_state]
        step = (found or self._steps)[0]
        return Failure(message=step.failure, retry=True)
