"""Actions rescue and unrescue: a server boots from another image for a while.

Source: compute-api-routes (rescue, unrescue).
"""

from nova.api.core import images, passwords
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf, Key, Object
from nova.api.openstack.schema_types import ANYTHING, NULL, STRING, UUID
from nova.api.openstack.server_begin import begin
from nova.api.openstack.server_ids import server_uuid
from nova.objects.action_request import ActionRequest, RescueRequest
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
    uuid = server_uuid(call, "id")
    password = wanted.get("adminPass") or passwords.generate(call.settings.password_length)
    image_id = wanted.get("rescue_image_ref") or call.settings.rescue_image_id
    image = None
    if image_id is not None:
        image = images.choice(call.token, image_id, call.services.images)
    call.conductor.instances.begin_action(
        call.context,
        call.scope,
        uuid,
        "rescue",
        request=ActionRequest(rescue=RescueRequest(image=image)),
        admin_password=password,
    )
    return {"adminPass": password} if call.settings.enable_instance_password else None


@unrescue_server.route(
    "POST /servers/{id}/action unrescue", policy="", ok=202, body=UNRESCUE, errors=(409, 501)
)
def unrescue(call: Call) -> None:
    """Boot a rescued server from its own disk again."""
    begin(call, "unrescue")
