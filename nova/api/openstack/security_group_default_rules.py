"""os-security-group-default-rules: what new groups "default" get.

Source: compute-api-routes (Security groups).
"""

from nova.api.openstack.answers import items, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import ANYTHING
from nova.api.openstack.security_groups import EVERYWHERE, IP_RANGE, UNTIL, optional_text, port
from nova.api.openstack.views import Field, View
from nova.exception import SecurityGroupDefaultRuleNotFound, SecurityGroupRuleInvalid
from nova.objects.security_group import DefaultRule
from nova.policy import ADMIN

default_rules = Resource("os-security-group-default-rules", rules={"": ADMIN})

CREATE = Object(
    Key(
        "security_group_default_rule",
        Object(
            *(
                Key(name, ANYTHING, required=True)
                for name in ("ip_protocol", "from_port", "to_port")
            ),
            Key("cidr", ANYTHING),
            extra=True,
        ),
        required=True,
    ),
    extra=True,
)


def _range(rule: DefaultRule, call: Call) -> dict[str, str]:
    return {"cidr": rule.cidr}


SHOWN = View(
    DefaultRule,
    "security_group_default_rule",
    Field("id"),
    Field("ip_protocol", "protocol"),
    Field("from_port"),
    Field("to_port"),
    Field("ip_range", _range, type=IP_RANGE),
)


@default_rules.route(
    "GET /os-security-group-default-rules",
    policy="",
    until=UNTIL,
    errors=501,
    answer=items("security_group_default_rules", SHOWN),
)
def index(call: Call) -> dict[str, object]:
    """List the rules."""
    found = call.conductor.security_groups.list_default_rules(call.context)
    return {"security_group_default_rules": SHOWN.items(found, call)}


@default_rules.route(
    "POST /os-security-group-default-rules",
    policy="",
    until=UNTIL,
    body=CREATE,
    errors=(409, 501),
    answer=one(SHOWN),
)
def create(call: Call) -> dict[str, object]:
    """Add a rule."""
    wanted = call.body["security_group_default_rule"]
    protocol = optional_text(wanted, "ip_protocol")
    first, last = port(wanted, "from_port"), port(wanted, "to_port")
    if protocol is None or first is None or last is None:
        raise SecurityGroupRuleInvalid(reason="A rule needs ip_protocol, from_port and to_port.")
    cidr = optional_text(wanted, "cidr") or EVERYWHERE
    made = call.conductor.security_groups.create_default_rule(
        call.context, protocol, first, last, cidr
    )
    return SHOWN.render(made, call)


@default_rules.route(
    "GET /os-security-group-default-rules/{id}",
    policy="",
    until=UNTIL,
    errors=501,
    answer=one(SHOWN),
)
def show(call: Call) -> dict[str, object]:
    """Show a rule."""
    found = call.conductor.security_groups.get_default_rule(call.context, _rule_id(call))
    return SHOWN.render(found, call)


@default_rules.route(
    "DELETE /os-security-group-default-rules/{id}", policy="", ok=204, until=UNTIL, errors=501
)
def delete(call: Call) -> None:
    """Remove a rule."""
    call.conductor.security_groups.delete_default_rule(call.context, _rule_id(call))


def _rule_id(call: Call) -> int:
    """Return the number in the path.  Raises: SecurityGroupDefaultRuleNotFound."""
    text = call.args["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise SecurityGroupDefaultRuleNotFound(rule_id=text[:32])
    return int(text)
