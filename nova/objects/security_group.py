"""Security groups: which traffic may reach the servers that are in them."""

import dataclasses
import datetime

from nova.objects.instance import Scope


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupRule:
    """One kind of incoming traffic that a group lets through.

    It comes from a range (cidr) or from the servers of a group (group_id and what follows
    describe that one).  protocol None: all.  from_port and to_port: ports of TCP and UDP,
    type and code of ICMP, -1 any.  ethertype: "IPv4" or "IPv6"; None stands for both.
    Every rule has an integer id and a uuid.  Source: nova-network, section 7.2.
    """

    id: int
    uuid: str
    parent_group_id: int
    parent_group_uuid: str
    project_id: str
    protocol: str | None = None
    from_port: int | None = None
    to_port: int | None = None
    cidr: str | None = None
    group_id: int | None = None
    group_uuid: str | None = None
    group_name: str | None = None
    group_project_id: str | None = None
    ethertype: str | None = None
    description: str = ""
    created_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """A named set of rules of a project; servers are in some."""

    id: int
    uuid: str
    name: str
    project_id: str
    description: str = ""
    user_id: str | None = None
    rules: tuple[SecurityGroupRule, ...] = ()
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupQuery:
    """One page of groups in order of project and name.

    project_id: whose "default" group is made if it has none yet.
    instance_uuid: only groups that the server is in.  names: only groups so called.
    """

    scope: Scope
    project_id: str
    user_id: str | None = None
    instance_uuid: str | None = None
    names: tuple[str, ...] = ()
    limit: int = 1000
    offset: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewSecurityGroup:
    """What a group is made from."""

    project_id: str
    user_id: str
    name: str
    description: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewSecurityGroupRule:
    """What a rule is made from; groups are named by integer id or uuid."""

    parent_group: str
    protocol: str | None = None
    from_port: int | None = None
    to_port: int | None = None
    cidr: str | None = None
    group: str | None = None
    ethertype: str | None = None
    description: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DefaultRule:
    """A rule that every new "default" group gets a copy of."""

    id: int
    protocol: str
    from_port: int
    to_port: int
    cidr: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRule:
    """Traffic that the operator keeps from all servers, whatever their groups say."""

    id: int
    protocol: str
    from_port: int
    to_port: int
    cidr: str
