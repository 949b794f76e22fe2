"""os-fping: which servers answer, as the host of the API sees it, up to 2.35.

Source: compute-api-routes (Networks, nova-network era).
"""

from collections.abc import Sequence

from nova.api.core.fping import alive
from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object, Param, Query
from nova.api.openstack.schema_types import STRING, TRUE_OR_FALSE
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.validation import is_uuid, query_boolean
from nova.exception import PolicyNotAuthorized
from nova.objects.instance import Instance, InstanceQuery, Scope
from nova.policy import ADMIN, MEMBER

fping = Resource("os-fping", rules={"": MEMBER, "all_tenants": ADMIN})

_UNTIL = "2.35"
LIST = Query(
    Param("all_tenants", repeat=True), Param("include", repeat=True), Param("exclude", repeat=True)
)
SHOWN = Object(
    Key("id", STRING, required=True),
    Key("project_id", STRING, required=True),
    Key("alive", TRUE_OR_FALSE, required=True),
)


@fping.route(
    "GET /os-fping",
    policy="",
    until=_UNTIL,
    query=LIST,
    errors=503,
    answer=items("servers", SHOWN),
)
def index(call: Call) -> dict[str, object]:
    """Tell of each server whether it answers."""
    include, exclude = _ids(call, "include"), _ids(call, "exclude")
    exact = {"uuid": tuple(sorted(include))} if include else {}
    query = InstanceQuery(scope=_scope(call), exact=exact, limit=call.settings.max_limit)
    found = call.conductor.instances.page(call.context, query)
    wanted = found if include else [server for server in found if server.uuid not in exclude]
    return {"servers": _shown(call, wanted)}


@fping.route(
    "GET /os-fping/{id}", policy="", until=_UNTIL, errors=503, answer=named("server", SHOWN)
)
def show(call: Call) -> dict[str, object]:
    """Tell whether a server answers."""
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call, "id"))
    return {"server": _shown(call, [server])[0]}


def _ids(call: Call, name: str) -> set[str]:
    """Return the servers that a parameter lists; what is no UUID names none."""
    words = (call.query.get(name) or "").split(",")
    return {word.strip().lower() for word in words if is_uuid(word.strip())}


def _scope(call: Call) -> Scope:
    text = call.query.get("all_tenants")
    if text is not None and query_boolean("all_tenants", text):
        call.authorize("os-fping:all_tenants")
        return Scope()
    if not call.context.project_id:
        raise PolicyNotAuthorized(rule="os_compute_api:os-fping")
    return Scope(project_id=call.context.project_id)


def _shown(call: Call, servers: Sequence[Instance]) -> list[dict[str, object]]:
    addresses = {
        server.uuid: {address for vif in server.vifs for address in vif.fixed_ips}
        for server in servers
    }
    answering = alive(call.settings.fping_path, sorted(set().union(*addresses.values())))
    return [
        {
            "id": server.uuid,
            "project_id": server.project_id,
            "alive": bool(addresses[server.uuid] & answering),
        }
        for server in servers
    ]
