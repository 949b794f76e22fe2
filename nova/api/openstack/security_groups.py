"""os-security-groups, os-security-group-rules and the groups of a server.

Source: compute-api-routes (Security groups), nova-network section 7.2.
"""

from typing import Any

from nova.api.openstack.answers import Items, items, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import (
    ANYTHING,
    INTEGER_OR_NULL,
    NONNEGATIVE,
    STRING,
    STRING_OR_NULL,
    TEXT255,
)
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.validation import is_uuid
from nova.api.openstack.views import Field, View
from nova.exception import (
    SecurityGroupInvalid,
    SecurityGroupNotFound,
    SecurityGroupRuleInvalid,
)
from nova.objects.instance import Scope
from nova.objects.security_group import (
    NewSecurityGroup,
    NewSecurityGroupRule,
    SecurityGroup,
    SecurityGroupQuery,
    SecurityGroupRule,
)
from nova.policy import MEMBER, READER

security_groups = Resource(
    "os-security-groups",
    rules={
        "list": READER,
        "get": READER,
        "show": READER,
        "create": MEMBER,
        "update": MEMBER,
        "delete": MEMBER,
        "rule:create": MEMBER,
        "rule:delete": MEMBER,
    },
)

UNTIL = "2.35"
EVERYWHERE = "0.0.0.0/0"
_TRUE = ("1", "true", "yes", "on", "t", "y")
_NO_ID = "The id of a group is an integer or a UUID."

_GROUP = Object(
    Key("name", TEXT255, required=True), Key("description", TEXT255, required=True), extra=True
)
BODY = Object(Key("security_group", _GROUP, required=True), extra=True)
_ID: Json = {"type": ["integer", "string", "null"], "maxLength": 255}
RULE_BODY = Object(
    Key(
        "security_group_rule",
        Object(
            Key("parent_group_id", _ID, required=True),
            Key("group_id", _ID),
            *(Key(name, ANYTHING) for name in ("to_port", "from_port", "ip_protocol", "cidr")),
            extra=True,
        ),
        required=True,
    ),
    extra=True,
)
PAGE = Query(
    Param("limit", NONNEGATIVE, repeat=True),
    Param("offset", NONNEGATIVE, repeat=True),
    Param("all_tenants", repeat=True),
)
SOURCE_GROUP: Json = {
    "type": "object",
    "properties": {"name": STRING, "tenant_id": STRING},
    "additionalProperties": False,
}
IP_RANGE: Json = {
    "type": "object",
    "properties": {"cidr": STRING},
    "additionalProperties": False,
}


def _source(rule: SecurityGroupRule, call: Call) -> dict[str, str]:
    if rule.group_id is None:
        return {}
    return {"name": rule.group_name or "", "tenant_id": rule.group_project_id or ""}


def _range(rule: SecurityGroupRule, call: Call) -> dict[str, str]:
    if rule.group_id is not None:
        return {}
    return {"cidr": rule.cidr or EVERYWHERE}


RULE = View(
    SecurityGroupRule,
    "security_group_rule",
    Field("id"),
    Field("parent_group_id"),
    Field("ip_protocol", "protocol", type=STRING_OR_NULL),
    Field("from_port", type=INTEGER_OR_NULL),
    Field("to_port", type=INTEGER_OR_NULL),
    Field("group", _source, type=SOURCE_GROUP),
    Field("ip_range", _range, type=IP_RANGE),
)


def _rules(group: SecurityGroup, call: Call) -> list[dict[str, object]]:
    return RULE.items(group.rules, call)


GROUP = View(
    SecurityGroup,
    "security_group",
    Field("id"),
    Field("name"),
    Field("description"),
    Field("tenant_id", "project_id"),
    Field("rules", _rules, type=Items(RULE)),
)


def _query(call: Call, scope: Scope, **more: Any) -> SecurityGroupQuery:
    return SecurityGroupQuery(
        scope=scope,
        project_id=call.context.project_id or "",
        user_id=call.context.user_id,
        **more,
    )


@security_groups.route(
    "GET /servers/{server_id}/os-security-groups",
    policy="list",
    answer=items("security_groups", GROUP),
)
def index_of_server(call: Call) -> dict[str, object]:
    """List the groups that a server is in."""
    query = _query(call, call.scope, instance_uuid=server_uuid(call, "server_id"))
    found = call.conductor.security_groups.page(call.context, query)
    return {"security_groups": GROUP.items(found, call)}


@security_groups.route(
    "GET /os-security-groups",
    policy="get",
    until=UNTIL,
    query=PAGE,
    answer=items("security_groups", GROUP),
)
def index(call: Call) -> dict[str, object]:
    """List the groups of the project, or for administrators of all projects."""
    own = Scope(project_id=call.context.project_id or "")
    everybody = str(call.query.get("all_tenants") or "").lower() in _TRUE
    query = _query(
        call,
        call.scope if everybody else own,
        limit=call.page_limit(),
        offset=int(call.query.get("offset") or 0),
    )
    found = call.conductor.security_groups.page(call.context, query)
    return {"security_groups": GROUP.items(found, call)}


def _is_id(text: str) -> bool:
    """Tell whether a text can be the number or UUID of a group."""
    return is_uuid(text) or (text.isascii() and text.isdecimal())


@security_groups.route(
    "GET /os-security-groups/{id}", policy="show", until=UNTIL, answer=one(GROUP)
)
def show(call: Call) -> dict[str, object]:
    """Show a group."""
    found = call.conductor.security_groups.get(call.context, call.scope, call.args["id"])
    return GROUP.render(found, call)


def _texts(call: Call) -> tuple[str, str]:
    """Return name and description without blanks around them.  Raises: SecurityGroupInvalid."""
    wanted = call.body["security_group"]
    name, description = wanted["name"].strip(), wanted["description"].strip()
    if not (name and description):
        raise SecurityGroupInvalid(reason="Name and description of a group can not be empty.")
    return name, description


@security_groups.route(
    "POST /os-security-groups", policy="create", until=UNTIL, body=BODY, answer=one(GROUP)
)
def create(call: Call) -> dict[str, object]:
    """Make a group without rules."""
    name, description = _texts(call)
    new = NewSecurityGroup(
        project_id=call.context.project_id or "",
        user_id=call.context.user_id or "",
        name=name,
        description=description,
    )
    return GROUP.render(call.conductor.security_groups.create(call.context, new), call)


@security_groups.route(
    "PUT /os-security-groups/{id}", policy="update", until=UNTIL, body=BODY, answer=one(GROUP)
)
def update(call: Call) -> dict[str, object]:
    """Change name and description of a group."""
    name, description = _texts(call)
    group_id = call.args["id"]
    # Only here: clients look a group up by GET with its name and go on after 404.
    if not _is_id(group_id):
        raise SecurityGroupInvalid(reason=_NO_ID)
    changed = call.conductor.security_groups.update(
        call.context, call.scope, group_id, name=name, description=description
    )
    return GROUP.render(changed, call)


@security_groups.route("DELETE /os-security-groups/{id}", policy="delete", ok=202, until=UNTIL)
def delete(call: Call) -> None:
    """Delete a group that no server is in."""
    call.conductor.security_groups.delete(call.context, call.scope, call.args["id"])


@security_groups.route(
    "POST /os-security-group-rules",
    policy="rule:create",
    until=UNTIL,
    body=RULE_BODY,
    answer=one(RULE),
)
def create_rule(call: Call) -> dict[str, object]:
    """Add a rule to a group."""
    new = _new_rule(call.body["security_group_rule"])
    made = call.conductor.security_groups.create_rule(call.context, call.scope, new)
    return RULE.render(made, call)


@security_groups.route(
    "DELETE /os-security-group-rules/{id}", policy="rule:delete", ok=202, until=UNTIL, errors=409
)
def delete_rule(call: Call) -> None:
    """Remove a rule."""
    rule_id = call.args["id"]
    call.conductor.security_groups.delete_rule(call.context, call.scope, rule_id)


def _new_rule(wanted: dict[str, Any]) -> NewSecurityGroupRule:
    """Return the rule that a body asks for.  Raises: SecurityGroupRuleInvalid, …NotFound."""
    parent, group = wanted["parent_group_id"], wanted.get("group_id")
    if parent is None:
        raise SecurityGroupNotFound(name="null")
    protocol = optional_text(wanted, "ip_protocol")
    from_port, to_port = port(wanted, "from_port"), port(wanted, "to_port")
    cidr = optional_text(wanted, "cidr")
    if group is None:
        cidr = cidr or EVERYWHERE
        if protocol is None or from_port is None or to_port is None:
            raise SecurityGroupRuleInvalid(
                reason="A rule for a cidr needs ip_protocol, from_port and to_port."
            )
    return NewSecurityGroupRule(
        parent_group=_group_id(parent),
        protocol=protocol,
        from_port=from_port,
        to_port=to_port,
        cidr=cidr,
        group=None if group is None else _group_id(group),
    )


def _group_id(value: int | str) -> str:
    """Return the number or UUID of a group in a rule.  Raises: SecurityGroupRuleInvalid."""
    text = str(value)
    if not _is_id(text):
        raise SecurityGroupRuleInvalid(reason=_NO_ID)
    return text


def optional_text(wanted: dict[str, Any], name: str) -> str | None:
    """Return a text of a rule; an empty one counts as none.  Raises: SecurityGroupRuleInvalid."""
    value = wanted.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise SecurityGroupRuleInvalid(reason=f"{name} is not a text.")
    return value


def port(wanted: dict[str, Any], name: str) -> int | None:
    """Return a port, or ICMP type or code, of a rule.  Raises: SecurityGroupRuleInvalid."""
    value = wanted.get(name)
    if value is None or value == "":
        return None
    text = str(value)
    digits = text.removeprefix("-")
    if isinstance(value, bool | float) or not (digits.isascii() and digits.isdigit()):
        raise SecurityGroupRuleInvalid(reason=f"{name} is not an integer.")
    if len(digits) > 5:
        raise SecurityGroupRuleInvalid(reason=f"{name} is out of range.")
    return int(text)
