"""os-server-groups: servers that shall be kept together or apart.

Source: compute-api-routes (Server groups).
"""

from nova.api.openstack.answers import items, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, ListOf, Object, Param, Query
from nova.api.openstack.schema_types import NAME, NONNEGATIVE, POSITIVE, STRING_VALUES
from nova.api.openstack.versions import Range
from nova.api.openstack.views import Field, View
from nova.exception import InvalidInput
from nova.objects.instance import Scope
from nova.objects.server_group import GroupPolicy, NewServerGroup, ServerGroup
from nova.policy import ADMIN, MEMBER, READER

server_groups = Resource(
    "os-server-groups",
    rules={
        "index": READER,
        "index:all_projects": ADMIN,
        "show": READER,
        "create": MEMBER,
        "delete": MEMBER,
    },
)

_STRICT = ["anti-affinity", "affinity"]
_ALL = [*_STRICT, "soft-anti-affinity", "soft-affinity"]
_POLICY: Json = {"type": "string", "enum": _STRICT}
_POLICY_215: Json = {"type": "string", "enum": _ALL}
_SOFT_ONES = Range("2.15")
_ONE_POLICY = Range("2.64")

CREATE = Object(
    Key(
        "server_group",
        Object(
            Key("name", NAME, required=True),
            Key(
                "policies",
                ListOf(_POLICY, minimum=1, maximum=1, unique=True),
                required=True,
                until="2.14",
            ),
            Key(
                "policies",
                ListOf(_POLICY_215, minimum=1, maximum=1, unique=True),
                required=True,
                since="2.15",
                until="2.63",
            ),
            Key("policy", _POLICY_215, required=True, since="2.64"),
            Key("rules", Object(Key("max_server_per_host", POSITIVE)), since="2.64"),
        ),
        required=True,
    )
)
PAGE = Query(
    Param("all_projects", repeat=True),
    Param("limit", NONNEGATIVE, repeat=True),
    Param("offset", NONNEGATIVE, repeat=True),
    strict_since="2.75",
)


def _policies(group: ServerGroup, call: Call) -> list[str]:
    """Return the policy as a list, which is empty where a version knows no such policy."""
    known = _ALL if call.version in _SOFT_ONES else _STRICT
    return [group.policy.value] if group.policy in known else []


def _rules(group: ServerGroup, call: Call) -> dict[str, int]:
    limit = group.max_server_per_host
    return {} if limit is None else {"max_server_per_host": limit}


SHOWN = View(
    ServerGroup,
    "server_group",
    Field("id", "uuid"),
    Field("name"),
    Field("policies", _policies, until="2.63"),
    Field("policy", since="2.64"),
    Field("rules", _rules, since="2.64"),
    Field("members"),
    Field("metadata", lambda group, call: {}, until="2.63", type=STRING_VALUES),
    Field("project_id", since="2.13"),
    Field("user_id", since="2.13"),
)


@server_groups.route(
    "GET /os-server-groups", policy="index", query=PAGE, answer=items("server_groups", SHOWN)
)
def index(call: Call) -> dict[str, object]:
    """List the groups of the project, or for administrators of all projects."""
    everybody = "all_projects" in call.query and call.allows("os-server-groups:index:all_projects")
    scope = Scope() if everybody else Scope(project_id=call.context.project_id or "")
    limit = call.page_limit() or call.settings.max_limit
    offset = int(call.query.get("offset") or 0)
    found = call.conductor.server_groups.page(call.context, scope, limit=limit, offset=offset)
    return {"server_groups": SHOWN.items(found, call)}


@server_groups.route(
    "POST /os-server-groups", policy="create", body=CREATE, errors=409, answer=one(SHOWN)
)
def create(call: Call) -> dict[str, object]:
    """Make a group without servers."""
    wanted = call.body["server_group"]
    policy = wanted["policy"] if call.version in _ONE_POLICY else wanted["policies"][0]
    rules = wanted.get("rules", {})
    if rules and policy != GroupPolicy.ANTI_AFFINITY:
        raise InvalidInput(reason="Only the policy anti-affinity has rules.")
    limit = rules.get("max_server_per_host")
    created = call.conductor.server_groups.create(
        call.context,
        NewServerGroup(
            name=wanted["name"],
            project_id=call.context.project_id or "",
            user_id=call.context.user_id or "",
            policy=GroupPolicy(policy),
            max_server_per_host=None if limit is None else int(limit),
        ),
    )
    return SHOWN.render(created, call)


@server_groups.route("GET /os-server-groups/{id}", policy="show", answer=one(SHOWN))
def show(call: Call) -> dict[str, object]:
    """Show a group."""
    found = call.conductor.server_groups.get(call.context, call.scope, call.args["id"])
    return SHOWN.render(found, call)


@server_groups.route("DELETE /os-server-groups/{id}", policy="delete", ok=204)
def delete(call: Call) -> None:
    """Delete a group; its servers live on."""
    call.conductor.server_groups.delete(call.context, call.scope, call.args["id"])
