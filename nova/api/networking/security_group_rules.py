"""/v2.0/security-group-rules: what may reach the servers of a group.

Servers may send anything: nova-network has no rules about that.  Clients expect a group to
have two such rules, which are shown and can not be taken away.
"""

import uuid

from nova import exception
from nova.api.networking.collections import FIELDS, Document, query_of, shown, whole
from nova.api.networking.words import (
    OWNER_KEYS,
    Wish,
    is_derived,
    is_id,
    moment,
    only,
    project_filter,
    resource,
    wrapped,
)
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Json, Key
from nova.api.openstack.schema_types import STRING, STRING_OR_NULL, UUID_OR_NULL
from nova.api.openstack.views import Field, View
from nova.objects.security_group import (
    NewSecurityGroupRule,
    SecurityGroup,
    SecurityGroupQuery,
    SecurityGroupRule,
)

rules = resource("security-group-rules")

MOST = 1000
INGRESS, EGRESS = "ingress", "egress"
_FAMILIES = ("IPv4", "IPv6")
_EVERYWHERE = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
_PORTS = ("tcp", "udp")
# By name and by number of the protocol.  Source: the IANA registry of protocol numbers.
_PROTOCOLS = {
    "tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "icmp": "icmp", "1": "icmp",
    "icmpv6": "icmp", "ipv6-icmp": "icmp", "58": "icmp",
}  # fmt: skip
_LAST_PORT = 65535


def _ethertype(rule: SecurityGroupRule, call: Call) -> str:
    """Return the family of a rule; one for both, from a group, is told as IPv4."""
    if rule.cidr and ":" in rule.cidr:
        return "IPv6"
    return rule.ethertype or "IPv4"


def _protocol(rule: SecurityGroupRule, call: Call) -> str | None:
    if rule.protocol == "icmp" and _ethertype(rule, call) == "IPv6":
        return "ipv6-icmp"
    return rule.protocol


def _number(value: int | None) -> int | None:
    return None if value == -1 else value


SHOWN = View(
    SecurityGroupRule,
    "security_group_rule",
    Field("id", "uuid"),
    Field("security_group_id", "parent_group_uuid"),
    Field("direction", lambda rule, call: INGRESS),
    Field("ethertype", _ethertype),
    Field("protocol", _protocol),
    Field("port_range_min", lambda rule, call: _number(rule.from_port)),
    Field("port_range_max", lambda rule, call: _number(rule.to_port)),
    Field("remote_ip_prefix", "cidr"),
    Field("remote_group_id", "group_uuid"),
    Field("remote_address_group_id", lambda rule, call: None),
    Field("tenant_id", "project_id"),
    Field("project_id"),
    Field("description"),
    Field("tags", lambda rule, call: []),
    Field("created_at", lambda rule, call: moment(rule.created_at)),
    Field("updated_at", lambda rule, call: moment(rule.created_at)),
)

_PORT: Json = {
    "type": ["integer", "string", "null"],
    "pattern": r"^-?[0-9]{1,5}\Z",
    "minimum": -1,
    "maximum": _LAST_PORT,
}
CREATE = wrapped(
    "security_group_rule",
    Key("security_group_id", STRING, required=True),
    Key("direction", {"type": "string", "enum": [INGRESS, EGRESS]}, required=True),
    Key("ethertype", {"type": ["string", "null"], "enum": [*_FAMILIES, None]}),
    Key("protocol", {"type": ["string", "integer", "null"]}),
    Key("port_range_min", _PORT),
    Key("port_range_max", _PORT),
    Key("remote_ip_prefix", STRING_OR_NULL),
    Key("remote_group_id", UUID_OR_NULL),
    Key("remote_address_group_id", STRING_OR_NULL),
    Key("description", STRING_OR_NULL),
    *OWNER_KEYS,
)


def egress_id(group_uuid: str, family: str) -> str:
    """Return the id of the rule by which a group's servers may send anything."""
    return str(uuid.uuid5(uuid.UUID(group_uuid), f"egress-{family}"))


def egress_rules(group: SecurityGroup) -> list[Document]:
    """Return the rules by which a group's servers may send anything."""
    return [
        {
            "id": egress_id(group.uuid, family),
            "security_group_id": group.uuid,
            "direction": EGRESS,
            "ethertype": family,
            "protocol": None,
            "port_range_min": None,
            "port_range_max": None,
            "remote_ip_prefix": None,
            "remote_group_id": None,
            "remote_address_group_id": None,
            "tenant_id": group.project_id,
            "project_id": group.project_id,
            "description": "",
            "tags": [],
            "created_at": moment(group.created_at),
            "updated_at": moment(group.created_at),
        }
        for family in _FAMILIES
    ]


def rules_of(group: SecurityGroup, call: Call) -> list[Document]:
    """Return all rules of a group."""
    return [*egress_rules(group), *SHOWN.items(group.rules, call)]


@rules.route("GET /security-group-rules", policy="list", query=query_of(SHOWN))
def index(call: Call) -> dict[str, object]:
    """List the rules of the project's groups."""
    found = [document for group in _groups(call) for document in rules_of(group, call)]
    return whole(call, "security_group_rules", found)


@rules.route("GET /security-group-rules/{id}", policy="show", query=FIELDS)
def show(call: Call) -> dict[str, object]:
    """Show a rule."""
    rule_id = _rule_id(call)
    try:
        found = call.conductor.security_groups.get_rule(call.context, call.scope, rule_id)
    except exception.SecurityGroupRuleNotFound:
        document = _find_egress(call, rule_id)
        if document is None:
            raise
    else:
        document = SHOWN.item(found, call)
    return {"security_group_rule": shown(call, document)}


@rules.route("POST /security-group-rules", policy="create", body=CREATE, ok=201, errors=(404, 409))
def create(call: Call) -> dict[str, object]:
    """Let more traffic reach the servers of a group."""
    wish = call.body["security_group_rule"]
    only(wish, remote_address_group_id=(None,))
    group_id = wish["security_group_id"]
    if not is_id(group_id):
        raise exception.SecurityGroupNotFound(name=group_id)
    if wish["direction"] == EGRESS:
        raise exception.DefaultRuleFixed(what="a rule about what servers send")
    made = call.conductor.security_groups.create_rule(call.context, call.scope, _new(wish))
    return SHOWN.render(made, call)


@rules.route("DELETE /security-group-rules/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Take a rule away."""
    rule_id = _rule_id(call)
    try:
        call.conductor.security_groups.delete_rule(call.context, call.scope, rule_id)
    except exception.SecurityGroupRuleNotFound:
        if _find_egress(call, rule_id) is None:
            raise
        raise exception.DefaultRuleFixed(what="a group whose servers may not send") from None


def _new(wish: Wish) -> NewSecurityGroupRule:
    """Return the rule that a request asks for.

    Raises: SecurityGroupRuleInvalid, NetworkingUnsupported.
    """
    family = wish.get("ethertype") or "IPv4"
    prefix, group = wish.get("remote_ip_prefix"), wish.get("remote_group_id")
    if prefix and group:
        raise exception.SecurityGroupRuleInvalid(
            reason="Give remote_ip_prefix or remote_group_id, not both."
        )
    if prefix and (":" in prefix) != (family == "IPv6"):
        raise exception.SecurityGroupRuleInvalid(
            reason=f"The range {prefix} does not go with {family}."
        )
    protocol = _wanted_protocol(wish.get("protocol"))
    from_port, to_port = _wanted_ports(wish, protocol)
    return NewSecurityGroupRule(
        parent_group=wish["security_group_id"],
        protocol=protocol,
        from_port=from_port,
        to_port=to_port,
        cidr=None if group else prefix or _EVERYWHERE[family],
        group=group,
        ethertype=family,
        description=wish.get("description") or "",
    )


def _wanted_protocol(value: str | int | None) -> str | None:
    if value is None or str(value).lower() == "any":
        return None
    name = str(value).lower()
    if name not in _PROTOCOLS:
        raise exception.NetworkingUnsupported(
            what=f"the protocol {name}; there are tcp, udp, icmp, and any"
        )
    return _PROTOCOLS[name]


def _wanted_ports(wish: Wish, protocol: str | None) -> tuple[int | None, int | None]:
    """Return the ports of a rule, or type and code; without any: all.

    Raises: SecurityGroupRuleInvalid.
    """
    low, high = (
        None if value is None else int(value)
        for value in (wish.get("port_range_min"), wish.get("port_range_max"))
    )
    if protocol is None:
        if (low, high) != (None, None):
            raise exception.SecurityGroupRuleInvalid(reason="Ports need a protocol.")
        return None, None
    if protocol not in _PORTS:
        return -1 if low is None else low, -1 if high is None else high
    if (low, high) == (None, None):
        return 1, _LAST_PORT
    if low is None or high is None or low > high:
        raise exception.SecurityGroupRuleInvalid(
            reason="port_range_min and port_range_max must both be given, the lower one first."
        )
    return low, high


def _groups(call: Call) -> tuple[SecurityGroup, ...]:
    """Return the groups whose rules are asked for."""
    client = call.conductor.security_groups
    named = call.query.all("security_group_id")
    scope = project_filter(call)
    if len(named) == 1:
        if not is_id(named[0]):
            return ()
        try:
            return (client.get(call.context, scope, named[0]),)
        except exception.SecurityGroupNotFound:
            return ()
    query = SecurityGroupQuery(
        scope=scope,
        project_id=call.context.project_id or "",
        user_id=call.context.user_id,
        limit=MOST,
    )
    return client.page(call.context, query)


def _rule_id(call: Call) -> str:
    rule_id = call.args["id"]
    if not is_id(rule_id):
        raise exception.SecurityGroupRuleNotFound(rule_id=rule_id)
    return rule_id


def _find_egress(call: Call, rule_id: str) -> Document | None:
    """Return a rule by which the servers of a group may send, by its id."""
    if not is_derived(rule_id):
        return None
    found = (rule for group in _groups(call) for rule in egress_rules(group))
    return next((rule for rule in found if rule["id"] == rule_id), None)
