"""Actions restore and forceDelete: of servers that are kept for a while after their deletion.

Source: compute-api-routes (Actions).
"""

from nova.api.core import snapshots
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import ANYTHING
from nova.api.openstack.server_begin import begin
from nova.policy import MEMBER

deferred_delete = Resource("os-deferred-delete", rules={"restore": MEMBER, "force": MEMBER})

RESTORE = Object(Key("restore", ANYTHING, required=True))
FORCE_DELETE = Object(Key("forceDelete", ANYTHING, required=True))


@deferred_delete.route(
    "POST /servers/{id}/action restore", policy="restore", ok=202, body=RESTORE, errors=409
)
def restore(call: Call) -> None:
    """Bring a soft-deleted server back."""
    begin(call, "restore")


@deferred_delete.route(
    "POST /servers/{id}/action forceDelete", policy="force", ok=202, body=FORCE_DELETE, errors=409
)
def force_delete(call: Call) -> None:
    """Delete a server at once."""
    server = begin(call, "delete")
    snapshots.forget_shelved(call.services.images, call.token, server)
