"""Actions rescue and unrescue: a server boots from another image for a while.

Source: compute-api-routes (rescue, unrescue).
"""

from nova.api.core import rescue as rescues
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf, Key, Object
from nova.api.openstack.schema_types import ANYTHING, NULL, STRING, UUID
from nova.api.openstack.server_begin import begin
from nova.api.openstack.server_ids import server_uuid
from nova.policy import MEMBER

rescue_server = Resource("os-rescue", rules={"": MEMBER})
unrescue_server = Resource("os-unrescue", rules={"": MEMBER})

RESCUE = Object(
    Key(
        "rescue",
        AnyOf(Object(Key("adminPass", STRING), Key("rescue_image_ref", UUID)), NULL),
        required=True,
    )
)
ANSWER = named("adminPass", STRING)
UNRESCUE = Object(Key("unrescue", ANYTHING, required=True))


@rescue_server.route(
    "POST /servers/{id}/action rescue",
    policy="",
    ok=200,
    body=RESCUE,
    errors=(409, 501),
    answer=ANSWER,
)
def rescue(call: Call) -> dict[str, object] | None:
    """Boot a server from a rescue image, with its own disk attached."""
    wanted = call.body["rescue"] or {}
    password = rescues.begin(
        call, server_uuid(call, "id"), wanted.get("rescue_image_ref"), wanted.get("adminPass")
    )
    return {"adminPass": password} if call.settings.enable_instance_password else None


@unrescue_server.route(
    "POST /servers/{id}/action unrescue", policy="", ok=202, body=UNRESCUE, errors=(409, 501)
)
def unrescue(call: Call) -> None:
    """Boot a rescued server from its own disk again."""
    begin(call, "unrescue")
