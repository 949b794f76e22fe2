"""Ids of servers in paths."""

from nova import exception
from nova.api.openstack.call import Call
from nova.api.openstack.validation import is_uuid


def server_uuid(call: Call, arg: str = "server_id") -> str:
    """Return the server that the path names; what is no UUID names none.

    Raises: InstanceNotFound.
    """
    text = call.args[arg]
    if not is_uuid(text):
        raise exception.InstanceNotFound(instance_uuid=text[:80])
    return text.lower()
