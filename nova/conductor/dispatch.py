"""Sends stored operations to the hosts that carry them out."""

import dataclasses
import logging
from collections.abc import Sequence

from nova.compute.rpcapi import ComputeAPI
from nova.conductor.actions.registry import rules_of
from nova.context import RequestContext
from nova.db import block_devices, instances, operations
from nova.db.engine import Transaction
from nova.exception import NovaException
from nova.objects.block_device import BlockDevice
from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.objects.operation import Operation, Work
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)


def cast(bus: Bus, context: RequestContext, work: Work) -> None:
    """Send an operation to its host.

    A failure is only logged: the host learns of the operation with its next report.
    """
    operation = work.operation
    if operation.owner_host is None:
        return
    compute = bus.client(ComputeAPI).on(operation.owner_host)
    try:
        compute.run_operation(context, work)
    except NovaException as error:
        LOG.warning(
            "Operation %s (%s) of instance %s was not sent to %s: %s",
            operation.id,
            operation.action,
            operation.instance_uuid,
            operation.owner_host,
            error,
        )


def load_work(tx: Transaction, pending: Sequence[Operation]) -> list[Work]:
    """Return operations with what their hosts need, without those on servers that are gone.

    The number of statements does not depend on how many operations there are.
    """
    uuids = [operation.instance_uuid for operation in pending]
    found = {instance.uuid: instance for instance in instances.list_by_uuids(tx, uuids)}
    devices = block_devices.list_for(tx, uuids)
    requests = operations.build_requests(tx, [entry.id for entry in pending])
    work = []
    for operation in pending:
        instance = found.get(operation.instance_uuid)
        if instance is None:
            continue
        request = requests.get(operation.id)
        detail = detail_of(instance, devices.get(instance.uuid, ()))
        if request is not None:
            detail = dataclasses.replace(detail, injected_files=request.injected_files)
        migration = rules_of(operation.action).migration_of(tx, instance.uuid)
        if migration is not None:
            detail = dataclasses.replace(detail, migration=migration)
        work.append(Work(operation=operation, detail=detail))
    return work


def detail_of(instance: Instance, devices: Sequence[BlockDevice]) -> InstanceDetail:
    """Return a server with its stored devices, or those that its image implies."""
    stored = tuple(devices) or block_devices.implied(instance.image_ref)
    return InstanceDetail(instance=instance, block_devices=stored)
