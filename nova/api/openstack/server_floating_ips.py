"""Actions addFloatingIp and removeFloatingIp, for requests up to 2.43.

Source: compute-api-routes (Actions).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import IP
from nova.api.openstack.server_ids import server_uuid
from nova.objects.floating_ip import Association
from nova.policy import MEMBER

server_floating_ips = Resource("os-floating-ips", rules={"add": MEMBER, "remove": MEMBER})

ADD = Object(
    Key(
        "addFloatingIp",
        Object(Key("address", IP, required=True), Key("fixed_address", IP)),
        required=True,
    )
)
REMOVE = Object(Key("removeFloatingIp", Object(Key("address", IP, required=True)), required=True))


@server_floating_ips.route(
    "POST /servers/{id}/action addFloatingIp",
    policy="add",
    ok=202,
    until="2.43",
    body=ADD,
    errors=403,
)
def add(call: Call) -> None:
    """Let a floating address lead to a server."""
    wanted = call.body["addFloatingIp"]
    target = Association(
        instance_uuid=server_uuid(call, "id"), fixed_address=wanted.get("fixed_address")
    )
    call.conductor.floating_ips.associate(call.context, call.scope, wanted["address"], target)


@server_floating_ips.route(
    "POST /servers/{id}/action removeFloatingIp",
    policy="remove",
    ok=202,
    until="2.43",
    body=REMOVE,
    errors=(403, 409),
)
def remove(call: Call) -> None:
    """Let a floating address lead to a server no more."""
    address = call.body["removeFloatingIp"]["address"]
    call.conductor.floating_ips.disassociate(
        call.context, call.scope, address, server_uuid(call, "id")
    )
