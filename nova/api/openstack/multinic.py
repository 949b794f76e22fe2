"""Actions addFixedIp, for requests up to 2.43, and removeFixedIp.

The current client has no other way to take an address from a server, and asks by the newest
version; so removeFixedIp does not end with 2.43 (decision 0009).

Source: compute-api-routes (Actions).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.schema_types import IP
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.values import canonical_address
from nova.objects.action_request import ActionRequest, FixedIpRequest
from nova.policy import MEMBER

multinic = Resource("os-multinic", rules={"add": MEMBER, "remove": MEMBER})

_UNTIL = "2.43"
_NETWORK_ID: Json = {"type": ["string", "number"], "minLength": 1, "maxLength": 36}
ADD = Object(Key("addFixedIp", Object(Key("networkId", _NETWORK_ID, required=True)), required=True))
REMOVE = Object(Key("removeFixedIp", Object(Key("address", IP, required=True)), required=True))


@multinic.route(
    "POST /servers/{id}/action addFixedIp",
    policy="add",
    ok=202,
    until=_UNTIL,
    body=ADD,
    errors=409,
)
def add(call: Call) -> None:
    """Give a server one more address of a network that it is in."""
    network_uuid = str(call.body["addFixedIp"]["networkId"]).lower()
    _begin(call, "add_fixed_ip", FixedIpRequest(network_uuid=network_uuid))


@multinic.route(
    "POST /servers/{id}/action removeFixedIp",
    policy="remove",
    ok=202,
    body=REMOVE,
    errors=409,
)
def remove(call: Call) -> None:
    """Take a fixed address from a server."""
    address = canonical_address(call.body["removeFixedIp"]["address"])
    _begin(call, "remove_fixed_ip", FixedIpRequest(address=address))


def _begin(call: Call, action: str, request: FixedIpRequest) -> None:
    call.conductor.instances.begin_action(
        call.context,
        call.scope,
        server_uuid(call, "id"),
        action,
        request=ActionRequest(fixed_ip=request),
    )
