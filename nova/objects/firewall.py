"""What a compute host must let through to the servers on it."""

import dataclasses

from nova.objects.network import Vif
from nova.objects.security_group import ProviderRule, SecurityGroupRule


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestFirewall:
    """A server of the host: its interfaces, and the row ids of its groups."""

    instance_id: int
    instance_uuid: str
    vifs: tuple[Vif, ...] = ()
    group_ids: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GroupFirewall:
    """The rules of a group that some server of the host is in."""

    group_id: int
    rules: tuple[SecurityGroupRule, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GroupMembers:
    """The addresses, IPv4 and IPv6, of all servers in a group that a rule names as source."""

    group_id: int
    addresses: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostFirewall:
    """Everything that the rules of one host are computed from.

    Groups and members are listed once however many servers they concern, so that its size
    grows with the host and the groups, not with their product.
    """

    guests: tuple[GuestFirewall, ...] = ()
    groups: tuple[GroupFirewall, ...] = ()
    members: tuple[GroupMembers, ...] = ()
    provider_rules: tuple[ProviderRule, ...] = ()
