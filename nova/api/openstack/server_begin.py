"""Begins an operation on the server that an action's path names."""

from nova.api.core import actions
from nova.api.openstack.call import Call
from nova.api.openstack.server_ids import server_uuid
from nova.objects.instance import Instance


def begin(call: Call, action: str) -> Instance:
    """Begin an operation that needs to know no more than its server.

    Raises: InstanceNotFound, InstanceInvalidState, InstanceIsLocked, InstanceNotReady.
    """
    return actions.begin(
        call.context, call.conductor.instances, call.scope, server_uuid(call, "id"), action
    )
