"""Addresses of consoles, as REST gives them out."""

from nova.compute.rpcapi import ComputeAPI
from nova.consoleauth.rpcapi import ConsoleAuthAPI
from nova.context import RequestContext
from nova.exception import InstanceInvalidState, InstanceNotReady
from nova.objects.console import ConsoleType
from nova.objects.instance import Instance
from nova.objects.lifecycle import VmState, has_console
from nova.rpc.bus import Client


def open_console(
    context: RequestContext,
    compute: Client[ComputeAPI],
    consoleauth: ConsoleAuthAPI,
    instance: Instance,
    console_type: ConsoleType,
) -> str:
    """Return a fresh address of a server's console.

    Raises: InstanceNotReady, InstanceInvalidState, ConsoleTypeUnavailable, GuestNotFound,
    GuestNotRunning, ActionNotSupported, MessagingTimeout.
    """
    if instance.host is None or instance.vm_state is VmState.BUILDING:
        raise InstanceNotReady(instance_uuid=instance.uuid)
    if not has_console(instance.vm_state, instance.task_state):
        raise InstanceInvalidState(
            action="get console",
            instance_uuid=instance.uuid,
            attribute="task_state" if instance.task_state else "vm_state",
            state=str(instance.task_state or instance.vm_state),
        )
    connection = compute.on(instance.host).get_console(context, instance, console_type)
    return consoleauth.authorize_console(context, instance, console_type, connection)
