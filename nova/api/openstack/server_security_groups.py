"""Actions addSecurityGroup and removeSecurityGroup.

Source: compute-api-routes (Actions).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.server_ids import server_uuid
from nova.exception import InvalidBody
from nova.policy import MEMBER

server_security_groups = Resource("os-security-groups", rules={"add": MEMBER, "remove": MEMBER})

_NAME: Json = {"type": "string", "minLength": 1, "maxLength": 255}
_GROUP = Object(Key("name", _NAME, required=True), extra=True)
ADD = Object(Key("addSecurityGroup", _GROUP, required=True))
REMOVE = Object(Key("removeSecurityGroup", _GROUP, required=True))


def _name(call: Call, action: str) -> str:
    name: str = call.body[action]["name"]
    if not name.strip():
        raise InvalidBody(name="name", value=name, reason="It is blank.")
    return name


@server_security_groups.route(
    "POST /servers/{id}/action addSecurityGroup", policy="add", ok=202, body=ADD, errors=409
)
def add(call: Call) -> None:
    """Put a server into one more security group."""
    name = _name(call, "addSecurityGroup")
    call.conductor.instances.add_security_group(
        call.context, call.scope, server_uuid(call, "id"), name
    )


@server_security_groups.route(
    "POST /servers/{id}/action removeSecurityGroup",
    policy="remove",
    ok=202,
    body=REMOVE,
    errors=409,
)
def remove(call: Call) -> None:
    """Take a server out of a security group."""
    name = _name(call, "removeSecurityGroup")
    call.conductor.instances.remove_security_group(
        call.context, call.scope, server_uuid(call, "id"), name
    )
