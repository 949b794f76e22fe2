"""Rules of security groups in the words of EC2: permissions.

One permission has a protocol, ports and any number of sources; each source is one rule here.
Source: ec2-api, sections 5 and 7.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nova import exception
from nova.api.ec2 import ids
from nova.api.ec2.action import Ec2Call
from nova.api.ec2.params import INTEGER, TEXT, Param, invalid, text_up_to
from nova.objects.instance import Scope
from nova.objects.security_group import (
    NewSecurityGroupRule,
    SecurityGroupQuery,
    SecurityGroupRule,
)

EVERYWHERE = "0.0.0.0/0"
ANY_PROTOCOL = "-1"
_PORTS = {"tcp": (1, 65535), "udp": (1, 65535), "icmp": (-1, -1)}
_KNOWN = frozenset({*_PORTS, "6", "17", "1", "icmpv6", "58"})

_PORT_RANGE = (
    Param("IpProtocol", type=TEXT),
    Param("FromPort", type=INTEGER),
    Param("ToPort", type=INTEGER),
)
_DESCRIPTION = Param("Description", type=text_up_to(255))
PERMISSIONS = Param(
    "IpPermissions",
    many=True,
    fields=(
        *_PORT_RANGE,
        Param("IpRanges", many=True, fields=(Param("CidrIp", type=TEXT), _DESCRIPTION)),
        Param("Ipv6Ranges", many=True, fields=(Param("CidrIpv6", type=TEXT), _DESCRIPTION)),
        Param(
            "Groups",
            many=True,
            fields=(
                Param("GroupName", type=TEXT),
                Param("GroupId", type=TEXT),
                Param("UserId", type=TEXT),
                _DESCRIPTION,
            ),
        ),
    ),
)
# One permission as parameters of the request itself, which is the older way.
FLAT = (
    *_PORT_RANGE,
    Param("CidrIp", type=TEXT),
    Param("SourceSecurityGroupName", type=TEXT),
    Param("SourceSecurityGroupOwnerId", type=TEXT),
)

Words = Mapping[str, Any]


def rules_of(call: Ec2Call, group: str) -> tuple[NewSecurityGroupRule, ...]:
    """Return the rules of a group that a request is about.

    group: its number.  Raises: Ec2ParameterMissing, Ec2ParameterInvalid, Ec2IdMalformed,
    SecurityGroupNotFound.
    """
    given = [*call.params["IpPermissions"], *_flat(call.params)]
    if not given:
        raise exception.Ec2ParameterMissing(name="IpPermissions")
    sources = _Sources(call, given)
    return tuple(rule for permission in given for rule in _rules(group, permission, sources))


def _flat(params: Words) -> list[Words]:
    """Return the permissions that a request gives in the older way."""
    if not any(params[param.name] is not None for param in FLAT):
        return []
    name, owner = params["SourceSecurityGroupName"], params["SourceSecurityGroupOwnerId"]
    found = {
        **{param.name: params[param.name] for param in _PORT_RANGE},
        "IpRanges": (),
        "Ipv6Ranges": (),
        "Groups": (),
    }
    if name is None:
        cidr = params["CidrIp"] or EVERYWHERE
        return [{**found, "IpRanges": ({"CidrIp": cidr, "Description": None},)}]
    source = {"GroupName": name, "GroupId": None, "UserId": owner, "Description": None}
    found["Groups"] = (source,)
    if found["IpProtocol"] is not None:
        return [found]
    return [{**found, "IpProtocol": protocol} for protocol in _PORTS]


class _Sources:
    """Groups that permissions name as their sources, all looked up at once."""

    def __init__(self, call: Ec2Call, permissions: Iterable[Words]) -> None:
        groups = [group for permission in permissions for group in permission["Groups"]]
        names = [one["GroupName"] for one in groups if one["GroupName"] and not one["GroupId"]]
        self._project_id = call.context.project_id
        self._known = numbers_of_names(call, names) if names else {}

    def number_of(self, words: Words) -> str:
        """Return the number of a group of the project.

        Raises: Ec2ParameterInvalid, Ec2IdMalformed, SecurityGroupNotFound.
        """
        if words["UserId"] not in (None, "", self._project_id):
            # Groups of others are not told apart from groups that do not exist (EC-12).
            raise exception.SecurityGroupNotFound(name=words["GroupId"] or words["GroupName"])
        if words["GroupId"]:
            return str(ids.number_of(ids.GROUP, words["GroupId"]))
        name = words["GroupName"]
        if not name:
            raise invalid("Groups", "a source group has a GroupId or a GroupName")
        if name not in self._known:
            raise exception.SecurityGroupNotFound(name=name)
        return self._known[name]


def numbers_of_names(call: Ec2Call, names: Iterable[str]) -> dict[str, str]:
    """Return the numbers of those of the project's groups that are so called, as texts."""
    project_id = call.context.project_id or ""
    query = SecurityGroupQuery(
        scope=Scope(project_id=project_id),
        project_id=project_id,
        user_id=call.context.user_id,
        names=tuple(dict.fromkeys(names)),
    )
    found = call.conductor.security_groups.page(call.context, query)
    return {group.name: str(group.id) for group in found}


def _rules(group: str, words: Words, sources: _Sources) -> Iterator[NewSecurityGroupRule]:
    """Give the rules of one permission, one for each of its sources."""
    protocol, first, last = _traffic(words, to_groups=bool(words["Groups"]))
    ranges = [
        *((one["CidrIp"], one["Description"]) for one in words["IpRanges"]),
        *((one["CidrIpv6"], one["Description"]) for one in words["Ipv6Ranges"]),
    ]
    if not ranges and not words["Groups"]:
        ranges = [(EVERYWHERE, None)]
    rule = NewSecurityGroupRule(
        parent_group=group, protocol=protocol, from_port=first, to_port=last
    )
    for cidr, description in ranges:
        if not cidr:
            raise invalid("IpPermissions", "a range has a CIDR")
        yield dataclasses.replace(rule, cidr=cidr, description=description or "")
    for source in words["Groups"]:
        number = sources.number_of(source)
        yield dataclasses.replace(rule, group=number, description=source["Description"] or "")


def _traffic(words: Words, *, to_groups: bool) -> tuple[str | None, int | None, int | None]:
    """Return protocol (None for all) and ports of a permission.  Raises: Ec2Parameter…"""
    protocol = words["IpProtocol"]
    if protocol is None:
        raise exception.Ec2ParameterMissing(name="IpProtocol")
    if protocol == ANY_PROTOCOL:
        return None, None, None
    if protocol.lower() not in _KNOWN:
        raise invalid("IpProtocol", "tcp, udp, icmp, icmpv6, their numbers or -1 is expected")
    first, last = words["FromPort"], words["ToPort"]
    names = {"6": "tcp", "17": "udp", "1": "icmp"}
    if first is None and last is None and to_groups:
        return (protocol, *_PORTS.get(names.get(protocol, protocol.lower()), (None, None)))
    return protocol, first, last


def permissions(rules: Iterable[SecurityGroupRule]) -> list[dict[str, Any]]:
    """Return rules as permissions, those of the same traffic together."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for rule in rules:
        traffic = rule.protocol, rule.from_port, rule.to_port
        entry = found.setdefault(
            traffic,
            {
                "ipProtocol": rule.protocol or ANY_PROTOCOL,
                "fromPort": rule.from_port,
                "toPort": rule.to_port,
                "groups": [],
                "ipRanges": [],
                "ipv6Ranges": [],
                "prefixListIds": [],
            },
        )
        _add_source(entry, rule)
    return list(found.values())


def _add_source(entry: dict[str, Any], rule: SecurityGroupRule) -> None:
    text = rule.description or None
    if rule.group_id is not None:
        source = {
            "userId": rule.group_project_id,
            "groupName": rule.group_name,
            "groupId": ids.compose(ids.GROUP, rule.group_id),
            "description": text,
        }
        entry["groups"].append(source)
    elif rule.cidr is not None and ":" in rule.cidr:
        entry["ipv6Ranges"].append({"cidrIpv6": rule.cidr, "description": text})
    else:
        entry["ipRanges"].append({"cidrIp": rule.cidr or EVERYWHERE, "description": text})
