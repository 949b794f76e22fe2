"""shelve, shelveOffload, unshelve: a server is put away in an image, and comes back from it.

All of it is repeated after a crash.  Source: server-states section 3.
"""

import dataclasses
import logging

from nova import exception
from nova.compute import endings
from nova.compute.build import Builder
from nova.compute.networks import Networks
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.compute.power import PowerActions
from nova.compute.snapshot import request_of
from nova.compute.uploads import Uploads, explanation
from nova.image.api import ImageService
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)


class ShelveActions:
    """Plans of shelve and shelveOffload on one host."""

    def __init__(
        self,
        driver: ComputeDriver,
        networks: Networks,
        power: PowerActions,
        images: ImageService,
    ) -> None:
        self._driver = driver
        self._networks = networks
        self._power = power
        self._uploads = Uploads(driver, images)

    def shelve_plan(self) -> Plan:
        """Return how a server is stopped and its root disk becomes an image."""
        return Plan(
            event="compute_shelve_instance",
            task_state=TaskState.SHELVING,
            work=self._shelve,
            explain=self._explain,
            discard=self._uploads.take_back,
        )

    def offload_plan(self) -> Plan:
        """Return how a shelved server leaves its host; repeated until it succeeds."""
        return Plan(
            event="compute_shelve_offload_instance",
            task_state=TaskState.SHELVING_OFFLOADING,
            work=self._offload,
            explain=lambda running, error: None,
        )

    def _shelve(self, running: Running) -> Outcome:
        instance = running.instance
        image_id = request_of(running.operation).image_id
        try:
            self._power.shut_down(instance)
            if not self._uploads.is_complete(image_id):
                running.step(TaskState.SHELVING_IMAGE_PENDING_UPLOAD)
                file = self._driver.snapshot(instance)
                running.step(TaskState.SHELVING_IMAGE_UPLOADING)
                self._uploads.upload(instance, image_id, file)
            running.check()
        except Exception:
            self._uploads.take_back(running)
            raise
        return endings.outcome(self._driver, running)

    def _explain(self, running: Running, error: Exception) -> Failure:
        """Let a guest that ran run again; one whose memory is lost by now is a stopped one."""
        message = explanation("Shelving the server", error)
        vm_state = running.instance.vm_state
        if vm_state is VmState.ACTIVE:
            try:
                self._driver.power_on(running.instance)
            except exception.NovaException:
                LOG.exception("Instance %s can not be started again", running.instance.uuid)
        power_state = endings.power_state_if_known(self._driver, running.instance)
        off = power_state in (PowerState.SHUTDOWN, PowerState.CRASHED)
        return Failure(
            message=message,
            power_state=power_state,
            vm_state=VmState.STOPPED if off and vm_state is not VmState.SUSPENDED else None,
        )

    def _offload(self, running: Running) -> Outcome:
        """Remove the guest; its addresses stay with the server, but not with this host."""
        self._driver.destroy(running.instance)
        self._networks.teardown(running.context, running.instance)
        return Outcome(power_state=PowerState.NOSTATE)


class UnshelveActions:
    """The plan of unshelve on one host."""

    def __init__(
        self,
        driver: ComputeDriver,
        networks: Networks,
        builder: Builder,
        images: ImageService,
    ) -> None:
        self._driver = driver
        self._networks = networks
        self._builder = builder
        self._uploads = Uploads(driver, images)

    def plan(self) -> Plan:
        """Return how a shelved server comes back."""
        return Plan(
            event="compute_unshelve_instance",
            task_state=TaskState.UNSHELVING,
            work=self._unshelve,
            explain=self._explain,
            discard=self._discard,
            settle=self._uploads.delete_shelved,
        )

    def _unshelve(self, running: Running) -> Outcome:
        """Start a server that never left, or build one from its image."""
        if _is_offloaded(running):
            return self._builder.build(running, _from_shelved_image(running.detail))
        self._networks.setup(running.context, running.instance)
        self._driver.power_on(running.instance)
        return endings.outcome(self._driver, running)

    def _explain(self, running: Running, error: Exception) -> Failure:
        if _is_offloaded(running):
            return self._builder.explain(running, error)
        power_state = endings.power_state_if_known(self._driver, running.instance)
        return Failure(message="The server could not be started.", power_state=power_state)

    def _discard(self, running: Running) -> None:
        """Remove a guest that was built for nobody."""
        if _is_offloaded(running):
            self._builder.clean(running.context, running.instance)


def _is_offloaded(running: Running) -> bool:
    return running.instance.vm_state is VmState.SHELVED_OFFLOADED


def _from_shelved_image(detail: InstanceDetail) -> InstanceDetail:
    """Return a server whose root disk is made of the image that it was shelved to."""
    image_id = detail.instance.shelved_image_id
    if image_id is None:
        return detail
    devices = tuple(
        dataclasses.replace(device, image_id=image_id)
        if device.source_type == "image" and device.boot_index == 0
        else device
        for device in detail.block_devices
    )
    instance = dataclasses.replace(detail.instance, image_ref=image_id)
    return dataclasses.replace(detail, instance=instance, block_devices=devices)
