"""Ports: what clients of the Networking API call the interface of a server."""

import dataclasses
import datetime

from nova.objects.instance import Scope
from nova.objects.network import Network, Vif


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An interface, of a server or of none yet, with what the Networking API shows of it.

    host and active describe the server that it belongs to; group_uuids its groups.
    """

    vif: Vif
    project_id: str
    name: str = ""
    host: str | None = None
    active: bool = False
    availability_zone: str | None = None
    group_uuids: tuple[str, ...] = ()
    created_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewPort:
    """What an interface is made from before its server; mac and fixed_ip None: any."""

    project_id: str
    network_uuid: str
    name: str = ""
    fixed_ip: str | None = None
    mac: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PortQuery:
    """One page of ports, newest last; each filter left out is none."""

    scope: Scope
    ids: tuple[str, ...] = ()
    network_uuids: tuple[str, ...] = ()
    instance_uuids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    limit: int = 1000
    marker: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkUse:
    """How many IPv4 addresses a network has for servers, and how many of these are taken."""

    network: Network
    total: int
    used: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HeldPort:
    """An interface that was made before its server, as far as binding it needs."""

    row_id: int
    uuid: str
    mac: str
    network_uuid: str
    instance_uuid: str | None = None
    fixed_ip: str | None = None
    fixed_ip_v6: str | None = None
