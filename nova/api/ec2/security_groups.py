"""Security groups of the project and their rules.

Groups are named by name or by id.  Source: ec2-api, sections 4, 5 and 7.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from nova import exception
from nova.api.ec2 import ids
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.filters import Filters, no_tags
from nova.api.ec2.group_rules import (
    FLAT,
    PERMISSIONS,
    numbers_of_names,
    permissions,
    rules_of,
)
from nova.api.ec2.params import TEXT, Param, invalid
from nova.objects.instance import Scope
from nova.objects.security_group import NewSecurityGroup, SecurityGroup, SecurityGroupQuery

groups = Family()

_NAME = Param("GroupName", type=TEXT)
_ID = Param("GroupId", type=TEXT)
# What AWS takes itself; nova was stricter, and today's tools describe groups with commas.
_STRICT = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}\Z")
_LOOSE = re.compile(r"[\x20-\x7e]{1,255}\Z")


def _in_rules(name: str) -> Any:
    return lambda group: [
        str(getattr(rule, name)) for rule in group.rules if getattr(rule, name) is not None
    ]


def _cidrs(group: SecurityGroup) -> list[str]:
    return [rule.cidr for rule in group.rules if rule.cidr is not None]


_FILTERS: Filters[SecurityGroup] = Filters(
    {
        "group-name": lambda group: [group.name],
        "group-id": lambda group: [_id_of(group)],
        "description": lambda group: [group.description],
        "owner-id": lambda group: [group.project_id],
        "ip-permission.protocol": _in_rules("protocol"),
        "ip-permission.from-port": _in_rules("from_port"),
        "ip-permission.to-port": _in_rules("to_port"),
        "ip-permission.cidr": lambda group: [cidr for cidr in _cidrs(group) if ":" not in cidr],
        "ip-permission.ipv6-cidr": lambda group: [cidr for cidr in _cidrs(group) if ":" in cidr],
        "ip-permission.user-id": _in_rules("group_project_id"),
        "ip-permission.group-name": _in_rules("group_name"),
        "ip-permission.group-id": lambda group: [
            ids.compose(ids.GROUP, rule.group_id) for rule in group.rules if rule.group_id
        ],
    },
    tags=no_tags,
    nothing=("egress.", "ip-permission.prefix-list-id", "vpc-id"),
)


@groups.action(
    "DescribeSecurityGroups",
    Param("GroupName", type=TEXT, many=True),
    Param("GroupId", type=TEXT, many=True),
    policy="os-security-groups:get",
    filtered=True,
    paged=True,
)
def describe_security_groups(call: Ec2Call) -> Result:
    """List the project's groups by name."""
    names, given = call.params["GroupName"], call.params["GroupId"]
    _FILTERS.read(call.params["Filter"])
    if names or given:
        return {"securityGroupInfo": [_described(one) for one in _selected(call, names, given)]}
    limit, marker = call.page()
    if marker is not None and not re.match(r"[0-9]{1,9}\Z", marker, re.ASCII):
        raise invalid("NextToken", "it was not given out here")
    offset = int(marker or 0)
    found = _page(call, limit=limit, offset=offset)
    shown = _FILTERS.select(call.params["Filter"], found)
    more = str(offset + limit) if len(found) == limit else None
    return {
        "securityGroupInfo": [_described(one) for one in shown],
        "nextToken": call.next_token(more),
    }


def _selected(call: Ec2Call, names: tuple[str, ...], given: tuple[str, ...]) -> list[SecurityGroup]:
    """Return the groups that a request names.  Raises: Ec2IdNotFound, SecurityGroupNotFound."""
    wanted = dict.fromkeys((*names, *_names_of(call, given)))
    found = _page(call, names=tuple(wanted))
    missing = wanted.keys() - {one.name for one in found}
    for name in names:
        if name in missing:
            raise exception.SecurityGroupNotFound(name=name)
    return _FILTERS.select(call.params["Filter"], found)


def _names_of(call: Ec2Call, given: tuple[str, ...]) -> list[str]:
    """Return the names of the groups that have some ids.  Raises: Ec2IdMalformed, …NotFound."""
    numbers = {text: ids.number_of(ids.GROUP, text) for text in given}
    if not numbers:
        return []
    project_id = call.context.project_id or ""
    found = call.ec2.names_of_groups(call.context, project_id, tuple(numbers.values()))
    for text, number in numbers.items():
        if number not in found:
            raise exception.Ec2IdNotFound(kind=ids.GROUP, given=text)
    return [found[number] for number in numbers.values()]


def _page(call: Ec2Call, **more: Any) -> tuple[SecurityGroup, ...]:
    query = SecurityGroupQuery(
        scope=_own(call),
        project_id=call.context.project_id or "",
        user_id=call.context.user_id,
        **more,
    )
    return call.conductor.security_groups.page(call.context, query)


@groups.action(
    "CreateSecurityGroup",
    Param("GroupName", type=TEXT, required=True),
    Param("GroupDescription", type=TEXT, required=True),
    policy="os-security-groups:create",
    changes=True,
)
def create_security_group(call: Ec2Call) -> Result:
    """Make a group that lets nothing in."""
    name, description = call.params["GroupName"], call.params["GroupDescription"]
    allowed = _STRICT if call.settings_ec2.strict_validation else _LOOSE
    for parameter, text in (("GroupName", name), ("GroupDescription", description)):
        if not allowed.match(text):
            raise invalid(
                parameter, "up to 255 letters, digits, blanks or ._-:/()#,@[]+=&;{}!$* are expected"
            )
    new = NewSecurityGroup(
        project_id=call.context.project_id or "",
        user_id=call.context.user_id or "",
        name=name,
        description=description,
    )
    made = call.conductor.security_groups.create(call.context, new)
    return {"return": True, "groupId": _id_of(made), "securityGroupSet": [_described(made)]}


@groups.action("DeleteSecurityGroup", _NAME, _ID, policy="os-security-groups:delete", changes=True)
def delete_security_group(call: Ec2Call) -> Result:
    """Delete a group that no instance is in."""
    with _as_asked(call) as group:
        call.conductor.security_groups.delete(call.context, _own(call), group)
    return None


@groups.action(
    "AuthorizeSecurityGroupIngress",
    _NAME,
    _ID,
    PERMISSIONS,
    *FLAT,
    policy="os-security-groups:rule:create",
    changes=True,
)
def authorize_security_group_ingress(call: Ec2Call) -> Result:
    """Let traffic in: all that is named, or on an error nothing of it."""
    with _as_asked(call) as group:
        rules = rules_of(call, group)
        call.conductor.security_groups.create_rules(call.context, _own(call), rules)
    return None


@groups.action(
    "RevokeSecurityGroupIngress",
    _NAME,
    _ID,
    PERMISSIONS,
    *FLAT,
    policy="os-security-groups:rule:delete",
    changes=True,
)
def revoke_security_group_ingress(call: Ec2Call) -> Result:
    """Keep traffic out that was let in."""
    with _as_asked(call) as group:
        rules = rules_of(call, group)
        call.conductor.security_groups.delete_rules(call.context, _own(call), rules)
    return None


@contextlib.contextmanager
def _as_asked(call: Ec2Call) -> Iterator[str]:
    """Give the number of the group that a request names; errors name it as the request does.

    Raises: Ec2ParameterMissing, Ec2IdMalformed, Ec2IdNotFound, SecurityGroupNotFound.
    """
    name, given = call.params["GroupName"], call.params["GroupId"]
    if given:
        number = str(ids.number_of(ids.GROUP, given))
    elif name:
        known = numbers_of_names(call, [name])
        if name not in known:
            raise exception.SecurityGroupNotFound(name=name)
        number = known[name]
    else:
        raise exception.Ec2ParameterMissing(name="GroupId")
    try:
        yield number
    except exception.SecurityGroupNotFound as error:
        if error.kwargs.get("name") != number:
            raise
        raise exception.Ec2IdNotFound(kind=ids.GROUP, given=given or name) from error


def _own(call: Ec2Call) -> Scope:
    return Scope(project_id=call.context.project_id or "")


def _id_of(group: SecurityGroup) -> str:
    return ids.compose(ids.GROUP, group.id)


def _described(group: SecurityGroup) -> Mapping[str, Any]:
    return {
        "ownerId": group.project_id,
        "groupId": _id_of(group),
        "groupName": group.name,
        "groupDescription": group.description,
        "ipPermissions": permissions(group.rules),
        "ipPermissionsEgress": [],
        "tagSet": [],
    }
