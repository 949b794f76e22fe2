"""Floating addresses: public ones that are translated to a server's fixed address."""

import dataclasses
import datetime
import uuid

_POOLS = uuid.UUID("8a3c5f0e-6d5b-4a58-9f0e-3f1f0b7a2c11")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FloatingIp:
    """A floating address with what it leads to; it has an integer id and a uuid.

    host is the nova-network host that translates it.  An address that leads nowhere but
    still has a host waits for that host to forget it, and is given to nobody meanwhile.
    """

    id: int
    uuid: str
    address: str
    pool: str
    interface: str | None = None
    project_id: str | None = None
    fixed_ip: str | None = None
    instance_uuid: str | None = None
    vif_id: str | None = None
    auto_assigned: bool = False
    host: str | None = None
    description: str = ""
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FloatingRange:
    """Addresses that an administrator adds: one address, or the hosts of a range."""

    ip_range: str
    pool: str
    interface: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Where a floating address shall lead; a server or an interface is named.

    Without fixed_address: the first fixed address of it.
    """

    instance_uuid: str | None = None
    vif_id: str | None = None
    fixed_address: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewFloatingIp:
    """An address that a project wants: of a pool by its id, and leading to target."""

    project_id: str
    pool_id: str
    address: str | None = None
    description: str = ""
    target: Association | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostFloatingIp:
    """A translation on one nova-network host; fixed_ip None: it is to be removed there."""

    address: str
    fixed_ip: str | None = None
    interface: str | None = None


def pool_uuid(name: str) -> str:
    """Return the id under which clients know a pool as an external network."""
    return str(uuid.uuid5(_POOLS, name))
