"""servers/{server_id}/topology: the NUMA cells of a server."""

from nova.api.openstack.answers import Items
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.schema_types import INTEGER, INTEGER_OR_NULL
from nova.api.openstack.server_ids import server_uuid
from nova.objects.numa import GuestCell
from nova.policy import ADMIN, READER

INDEX = "compute:server:topology:index"
HOST = "compute:server:topology:host:index"

server_topology = Resource("topology", rules={INDEX: READER, HOST: ADMIN})


_INTEGERS: Json = {"type": "array", "items": INTEGER}
_NODE = Object(
    Key("memory_mb", INTEGER, required=True),
    Key("siblings", Items(_INTEGERS), required=True),
    Key("vcpu_set", _INTEGERS, required=True),
    Key("host_node", INTEGER_OR_NULL),
    Key("cpu_pinning", {"type": "object", "additionalProperties": INTEGER}),
)
SHOWN = Object(
    Key("nodes", Items(_NODE), required=True), Key("pagesize_kb", INTEGER_OR_NULL, required=True)
)


@server_topology.route(
    "GET /servers/{server_id}/topology", policy=INDEX, since="2.78", answer=SHOWN
)
def index(call: Call) -> dict[str, object]:
    """Show the cells; where they are on the host is for administrators."""
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call))
    cells = server.numa_topology.cells if server.numa_topology is not None else ()
    with_host = call.allows(HOST, server.project_id, server.user_id)
    pages = {cell.page_size_kb for cell in cells if cell.page_size_kb is not None}
    return {
        "nodes": [_node(cell, with_host) for cell in cells],
        "pagesize_kb": min(pages, default=None),
    }


def _node(cell: GuestCell, with_host: bool) -> dict[str, object]:
    node: dict[str, object] = {
        "memory_mb": cell.memory_mb,
        "siblings": [list(group) for group in cell.siblings],
        "vcpu_set": list(cell.cpus),
    }
    if with_host:
        node["host_node"] = cell.host_cell
        node["cpu_pinning"] = {str(cpu): host for cpu, host in cell.pinning.items()}
    return node
