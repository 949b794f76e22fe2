"""servers/{server_id}/os-virtual-interfaces: a server's interfaces, up to 2.43.

Source: compute-api-routes (os-virtual-interfaces).
"""

from nova.api.openstack.answers import items
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Param, Query
from nova.api.openstack.schema_types import NONNEGATIVE
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.views import Field, View
from nova.objects.network import Vif
from nova.policy import READER

virtual_interfaces = Resource("os-virtual-interfaces", rules={"": READER})

LIST = Query(Param("limit", NONNEGATIVE, repeat=True), Param("offset", NONNEGATIVE, repeat=True))
SHOWN = View(
    Vif,
    "virtual_interface",
    Field("id"),
    Field("mac_address", "address"),
    Field("net_id", "network.uuid", since="2.12"),
)


@virtual_interfaces.route(
    "GET /servers/{server_id}/os-virtual-interfaces",
    policy="",
    until="2.43",
    query=LIST,
    answer=items("virtual_interfaces", SHOWN),
)
def index(call: Call) -> dict[str, object]:
    """List a server's interfaces."""
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call))
    offset = int(call.query.get("offset") or 0)
    page = server.vifs[offset : offset + call.page_limit()]
    return {"virtual_interfaces": SHOWN.items(page, call)}
