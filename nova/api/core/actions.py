"""Actions on servers that REST and EC2 share."""

from nova import exception
from nova.api.core import snapshots
from nova.api.core.caller import Caller
from nova.compute.rpcapi import ComputeAPI
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.context import RequestContext
from nova.objects.diagnostics import Diagnostics
from nova.objects.instance import Instance, Scope
from nova.rpc.bus import Client

# Deletes a server for good where nothing is kept for a while.
DELETE = "soft_delete"


def reboot_action(kind: str) -> str:
    """Return the operation that a reboot of a kind (SOFT or HARD, any case) is."""
    return "soft_reboot" if kind.upper() == "SOFT" else "hard_reboot"


def begin(
    context: RequestContext,
    instances: ConductorInstances,
    scope: Scope,
    instance_uuid: str,
    action: str,
) -> Instance:
    """Begin an operation; return the server as it is then.

    Raises: InstanceNotFound, InstanceInvalidState, InstanceIsLocked, InstanceNotReady.
    """
    return instances.begin_action(context, scope, instance_uuid, action)


def delete(caller: Caller, scope: Scope, instance_uuid: str) -> Instance:
    """Delete a server, whatever it is doing; it is kept for a while where that is configured.

    Raises: InstanceNotFound, InstanceIsLocked.
    """
    instances = caller.conductor.instances
    server = begin(caller.context, instances, scope, instance_uuid, DELETE)
    snapshots.forget_shelved(caller.services.images, caller.token, server)
    return server


def console_output(
    context: RequestContext,
    compute: Client[ComputeAPI],
    instance: Instance,
    tail_lines: int | None,
) -> str:
    """Return the newest console lines of a server, read live from its host.

    Raises: InstanceNotReady, ConsoleNotAvailable, MessagingTimeout.
    """
    if instance.host is None:
        raise exception.InstanceNotReady(instance_uuid=instance.uuid)
    return compute.on(instance.host).get_console_output(context, instance, tail_lines)


def diagnostics(
    context: RequestContext, compute: Client[ComputeAPI], instance: Instance
) -> Diagnostics:
    """Return the counters of a running guest, read live from its host.

    Raises: InstanceNotReady, InstanceInvalidState, MessagingTimeout.
    """
    if instance.host is None:
        raise exception.InstanceNotReady(instance_uuid=instance.uuid)
    return compute.on(instance.host).get_diagnostics(context, instance)
