"""os-floating-ip-pools: names of the pools of floating addresses, for requests up to 2.35."""

from nova.api.openstack.answers import items
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import STRING
from nova.policy import ANY

floating_ip_pools = Resource("os-floating-ip-pools", rules={"": ANY})

_POOL = Object(Key("name", STRING, required=True))


@floating_ip_pools.route(
    "GET /os-floating-ip-pools",
    policy="",
    until="2.35",
    answer=items("floating_ip_pools", _POOL),
)
def index(call: Call) -> dict[str, object]:
    """List pools."""
    found = call.conductor.floating_ips.list_pools(call.context)
    return {"floating_ip_pools": [{"name": name} for name in found]}
