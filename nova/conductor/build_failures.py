"""What becomes of builds that failed on a host: another host, or an end with a reason."""

import dataclasses
import datetime
import logging

from nova.conductor import transitions
from nova.conductor.tasks.build import LAST_FAILURE, TRIED, BuildJob, tried_hosts
from nova.db import block_devices, operations
from nova.db.engine import Transaction
from nova.objects.build_request import BuildRequest
from nova.objects.instance import Fault, Instance
from nova.objects.operation import ActionResult, Operation, OperationState

LOG = logging.getLogger(__name__)

PASSWORD_LOST = (
    "The build was interrupted, and the administrator password for the config drive is not "
    "stored. Delete the server and create it again."
)


def password_lost(instance: Instance, request: BuildRequest, password: str | None) -> bool:
    """Tell whether a config drive would lack a password that its user was given."""
    return instance.config_drive and request.had_admin_password and password is None


def is_foreign(operation: Operation, host: str) -> bool:
    """Tell whether an operation was never in the hands of a host."""
    return operation.owner_host != host and host not in tried_hosts(operation)


def fault_of(result: ActionResult, reason: str, now: datetime.datetime) -> Fault:
    """Return the fault of a result, or one with a reason."""
    fault = result.fault or Fault(code=500, message=reason)
    return dataclasses.replace(fault, message=fault.message[:255], created_at=now)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FailedBuild:
    """A build that ended on a host, and what is needed to go on elsewhere.

    reason: what the user may be told about the failure.
    """

    operation: Operation
    instance: Instance
    request: BuildRequest
    admin_password: str | None = None
    reason: str | None = None


def reschedule(
    tx: Transaction, failed: FailedBuild, placement_timeout_s: int, now: datetime.datetime
) -> BuildJob:
    """Free the host of a failed build; return the job that finds another."""
    operation, instance = failed.operation, failed.instance
    arguments = dict(operation.arguments)
    hosts = (*tried_hosts(operation), operation.owner_host or "")
    arguments[TRIED] = ",".join(filter(None, hosts))
    if failed.reason is not None:
        arguments[LAST_FAILURE] = failed.reason
    deadline = now + datetime.timedelta(seconds=placement_timeout_s)
    values = {
        "state": OperationState.PENDING,
        "owner_host": None,
        "arguments": arguments,
        "deadline": deadline,
        "updated_at": now,
    }
    operations.advance(tx, operation.id, operations.UNFINISHED, operation.owner_host, values)
    transitions.unplace(tx, instance, now)
    LOG.info("Instance %s is built on another host than %s", instance.uuid, instance.host)
    waiting = dataclasses.replace(
        operation,
        state=OperationState.PENDING,
        owner_host=None,
        arguments=arguments,
        deadline=deadline,
    )
    return BuildJob(
        instances=(dataclasses.replace(instance, host=None, node=None, vifs=()),),
        operations=(waiting,),
        request=failed.request,
        block_devices=block_devices.list_for(tx, [instance.uuid]).get(instance.uuid, ()),
        admin_password=failed.admin_password,
    )
