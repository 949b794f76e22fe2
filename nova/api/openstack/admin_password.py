"""Action changePassword: the administrator's password inside the guest.

Source: compute-api-routes (Actions).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import STRING
from nova.api.openstack.server_ids import server_uuid
from nova.policy import MEMBER

admin_password = Resource("os-admin-password", rules={"": MEMBER})

CHANGE_PASSWORD = Object(
    Key("changePassword", Object(Key("adminPass", STRING, required=True)), required=True)
)


@admin_password.route(
    "POST /servers/{id}/action changePassword",
    policy="",
    ok=202,
    body=CHANGE_PASSWORD,
    errors=(409, 501),
)
def change_password(call: Call) -> None:
    """Set the password through the guest's agent; it is stored nowhere."""
    call.conductor.instances.begin_action(
        call.context,
        call.scope,
        server_uuid(call, "id"),
        "changePassword",
        admin_password=call.body["changePassword"]["adminPass"],
    )
