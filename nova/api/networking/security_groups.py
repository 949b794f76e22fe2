"""/v2.0/security-groups: groups of servers that let the same traffic through."""

from typing import Any

from nova import exception
from nova.api.networking.collections import FIELDS, query_of, shown, whole
from nova.api.networking.security_group_rules import MOST, rules_of
from nova.api.networking.words import (
    OWNER_KEYS,
    is_id,
    moment,
    only,
    project_filter,
    project_of,
    resource,
    wrapped,
)
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Key, ListOf
from nova.api.openstack.schema_types import BOOL, STRING, STRING_OR_NULL, TEXT255
from nova.api.openstack.views import Field, View
from nova.objects.security_group import NewSecurityGroup, SecurityGroup, SecurityGroupQuery
from nova.policy import ADMIN

_DELETE_DEFAULT = "networking:security-groups:delete-default"

security_groups = resource("security-groups", **{"delete-default": ADMIN})


def _rules(group: SecurityGroup, call: Call) -> list[dict[str, Any]]:
    return rules_of(group, call)


SHOWN = View(
    SecurityGroup,
    "security_group",
    Field("id", "uuid"),
    Field("name"),
    Field("description"),
    Field("tenant_id", "project_id"),
    Field("project_id"),
    Field("stateful", lambda group, call: True),
    Field("shared", lambda group, call: False),
    Field("security_group_rules", _rules),
    Field("tags", lambda group, call: []),
    Field("created_at", lambda group, call: moment(group.created_at)),
    Field("updated_at", lambda group, call: moment(group.updated_at)),
)

_KEYS = (Key("description", STRING_OR_NULL), Key("stateful", BOOL))
CREATE = wrapped(
    "security_group",
    Key("name", TEXT255, required=True),
    Key("tags", ListOf(STRING)),
    *_KEYS,
    *OWNER_KEYS,
)
UPDATE = wrapped("security_group", Key("name", TEXT255), *_KEYS)


@security_groups.route("GET /security-groups", policy="list", query=query_of(SHOWN))
def index(call: Call) -> dict[str, object]:
    """List the groups of the project."""
    query = SecurityGroupQuery(
        scope=project_filter(call),
        project_id=call.context.project_id or "",
        user_id=call.context.user_id,
        names=call.query.all("name"),
        limit=MOST,
    )
    found = call.conductor.security_groups.page(call.context, query)
    return whole(call, "security_groups", SHOWN.items(found, call))


@security_groups.route("GET /security-groups/{id}", policy="show", query=FIELDS)
def show(call: Call) -> dict[str, object]:
    """Show a group with its rules."""
    found = call.conductor.security_groups.get(call.context, call.scope, _group_id(call))
    return {"security_group": shown(call, SHOWN.item(found, call))}


@security_groups.route("POST /security-groups", policy="create", body=CREATE, ok=201, errors=409)
def create(call: Call) -> dict[str, object]:
    """Make a group."""
    wish = call.body["security_group"]
    only(wish, stateful=(True,), tags=([],))
    new = NewSecurityGroup(
        project_id=project_of(call, wish),
        user_id=call.context.user_id or "",
        name=wish["name"],
        description=wish.get("description") or "",
    )
    return SHOWN.render(call.conductor.security_groups.create(call.context, new), call)


@security_groups.route("PUT /security-groups/{id}", policy="update", body=UPDATE, errors=409)
def update(call: Call) -> dict[str, object]:
    """Change name and description of a group."""
    wish = call.body["security_group"]
    only(wish, stateful=(True,))
    found = call.conductor.security_groups.update(
        call.context,
        call.scope,
        _group_id(call),
        name=wish.get("name"),
        description=wish.get("description"),
    )
    return SHOWN.render(found, call)


@security_groups.route("DELETE /security-groups/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Delete a group that no server is in; administrators clear away "default", too.

    Whoever removes a project removes its groups first.  While the project lives, its next request
    makes "default" anew.
    """
    default = call.allows(_DELETE_DEFAULT)
    call.conductor.security_groups.delete(call.context, call.scope, _group_id(call), default)


def _group_id(call: Call) -> str:
    """Return the id of the path; a name is none.  Raises: SecurityGroupNotFound."""
    group_id = call.args["id"]
    if not is_id(group_id):
        raise exception.SecurityGroupNotFound(name=group_id)
    return group_id
