"""Operations that follow from shelving: offloading at once, and builds of offloaded servers."""

import dataclasses
import datetime

from nova.conductor import abandoned_images, dispatch, instance_rows, transitions
from nova.conductor.tasks.build import BuildJob
from nova.context import RequestContext
from nova.db import block_devices, instances, operations
from nova.db.engine import Transaction
from nova.objects.action_request import UnshelveRequest
from nova.objects.build_request import BuildRequest
from nova.objects.instance import Instance
from nova.objects.lifecycle import ACTIONS, STOPPED_IMAGE, VmState
from nova.objects.network import NetworkMode
from nova.objects.operation import ABANDONED_IMAGE, Operation, Work
from nova.objects.unset import UNSET

OFFLOAD = "shelveOffload"


_IMAGE_TASKS = frozenset(
    task
    for name in ("createImage", STOPPED_IMAGE, "createBackup", "shelve")
    for task in ACTIONS[name].running
)


def abandoned_image(tx: Transaction, instance: Instance) -> dict[str, str]:
    """Return, as an argument, the image that what runs on a server has begun to make.

    Its host may never hear of an operation that another one ends before it has begun.
    """
    if instance.task_state not in _IMAGE_TASKS:
        return {}
    for operation in operations.list_unfinished_of(tx, instance.uuid):
        image_id = abandoned_images.image_of(operation)
        if image_id is not None:
            return {ABANDONED_IMAGE: image_id}
    return {}


def is_build(operation: Operation, instance: Instance | None) -> bool:
    """Tell whether an operation places a server on a host: a new one, or an offloaded one."""
    if operation.action == "create":
        return True
    offloaded = instance is not None and instance.vm_state is VmState.SHELVED_OFFLOADED
    return operation.action == "unshelve" and offloaded


def build_request_of(
    operation: Operation, instance: Instance, default_zone: str | None
) -> BuildRequest:
    """Return what the scheduler is asked for an offloaded server: it keeps its addresses."""
    request = operation.request
    wish = (request.unshelve if request is not None else None) or UnshelveRequest()
    zone = instance.pinned_availability_zone
    if wish.availability_zone is not UNSET:
        zone = wish.availability_zone
    return BuildRequest(
        network_mode=NetworkMode.NONE,
        availability_zone=zone or default_zone,
        requested_host=wish.host,
    )


def job_of(work: Work, default_zone: str | None) -> BuildJob:
    """Return the job that finds a host for an offloaded server."""
    instance = work.detail.instance
    return BuildJob(
        instances=(instance,),
        operations=(work.operation,),
        request=build_request_of(work.operation, instance, default_zone),
        block_devices=work.detail.block_devices,
    )


def begin_offload(tx: Transaction, shelved: Operation, now: datetime.datetime) -> Work | None:
    """Begin to offload a server in the transaction that ends its shelving.

    The action is listed under a request id of its own.  None: the server is gone.
    """
    instance = instances.find(tx, shelved.instance_uuid)
    if instance is None:
        return None
    action = ACTIONS[OFFLOAD]
    values = transitions.begun(instance, action, now)
    if not transitions.begin(tx, instance, values):
        return None
    begun = dataclasses.replace(instance, **instance_rows.fields_of(values))
    context = RequestContext(user_id=shelved.user_id, project_id=shelved.project_id)
    deadline = now + datetime.timedelta(seconds=action.deadline_s)
    operation = instance_rows.operation_of(context, begun, OFFLOAD, deadline)
    row = instance_rows.operation_row(operation, now)
    operation_id = operations.create(tx, [row])[instance.uuid]
    devices = block_devices.list_for(tx, [instance.uuid]).get(instance.uuid, ())
    return Work(
        operation=dataclasses.replace(operation, id=operation_id),
        detail=dispatch.detail_of(begun, devices),
    )
