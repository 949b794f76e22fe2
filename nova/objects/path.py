"""What hosts find on the way of a server's packets: devices, rules with counters, DHCP.

Everything here is read and nothing is judged; see nova.manage.path_lines for that.
"""

import dataclasses

from nova.objects.lifecycle import PowerState


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A network device of a host.

    bridge: the one that it is a port of.  addresses: as address/prefix length.  For a tap,
    received is what the guest sent.
    """

    name: str
    kind: str | None = None
    up: bool = False
    bridge: str | None = None
    addresses: tuple[str, ...] = ()
    received_packets: int = 0
    received_bytes: int = 0
    sent_packets: int = 0
    sent_bytes: int = 0
    dropped_packets: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CountedRule:
    """A rule as iptables-save prints it, with what it has met so far."""

    rule: str
    packets: int = 0
    bytes: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain with some or all of its rules; policy: of a built-in chain only.

    version: 4 or 6, of the packets.
    """

    table: str
    name: str
    version: int = 4
    policy: str | None = None
    rules: tuple[CountedRule, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestPath:
    """What the compute host of a server has for it.

    bridge_filtering: whether the kernel shows bridged packets to iptables; None when it has
    no such setting, since nothing of the kind is loaded.
    """

    host: str
    power_state: PowerState
    links: tuple[Link, ...] = ()
    chains: tuple[Chain, ...] = ()
    bridge_filtering: bool | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DhcpService:
    """The dnsmasq of a bridge: its process, None when it does not run, and lines of guests."""

    bridge: str
    process_id: int | None = None
    entries: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPath:
    """What a nova-network host has for some networks and addresses.

    served: row ids of those networks that it serves.
    """

    host: str
    served: tuple[int, ...] = ()
    links: tuple[Link, ...] = ()
    chains: tuple[Chain, ...] = ()
    services: tuple[DhcpService, ...] = ()
