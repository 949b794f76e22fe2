"""Grants interfaces and fixed addresses to servers, inside the caller's transaction."""

import dataclasses
import datetime
import random
import re
import uuid
from collections.abc import Sequence

from nova.conductor.network_plan import Pick, contains
from nova.db import bulk, firewall, fixed_ips, floating_ips, networks, ports, services, vifs
from nova.db.engine import Transaction
from nova.exception import (
    FixedIpAlreadyInUse,
    FixedIpInvalid,
    NetworkHostUnavailable,
    NoMoreFixedIps,
    PortInUse,
    PortInvalid,
)
from nova.objects.addresses import guest_address_v6, local_addresses
from nova.objects.network import Network, Vif
from nova.objects.port import HeldPort
from nova.objects.service import Service

NETWORK_BINARY = "nova-network"
_MAC = re.compile(r"^[0-9a-f]{2}(?::[0-9a-f]{2}){5}\Z")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Who gets addresses, where and when; live_after bounds the reports of live services.

    ipv6_backend: how IPv6 addresses are made, for some of the project.
    """

    instance_uuid: str
    host: str
    now: datetime.datetime
    live_after: datetime.datetime
    project_id: str = ""
    ipv6_backend: str = "rfc2462"


def random_mac() -> str:
    """Return a MAC address in the range of nova-network.  Source: nova-network, section 2.2."""
    return "fa:16:3e:" + ":".join(f"{random.randrange(256):02x}" for _ in range(3))


def allocate(tx: Transaction, guest: Guest, picks: Sequence[Pick]) -> tuple[Vif, ...]:
    """Give a server an interface with an address in each network.

    Raises: NoMoreFixedIps, FixedIpAlreadyInUse, NetworkHostUnavailable.
    """
    made = tuple(_allocate_one(tx, guest, pick) for pick in picks)
    firewall.note_arrival(tx, guest.instance_uuid, guest.host)
    return made


def check_wanted(tx: Transaction, pick: Pick) -> None:
    """Refuse an address that a server can not be given.

    Raises: FixedIpInvalid, FixedIpAlreadyInUse.
    """
    if pick.fixed_ip is None:
        return
    found = fixed_ips.find(tx, pick.fixed_ip)
    if not contains(pick.network, pick.fixed_ip) or found is None:
        raise FixedIpInvalid(address=pick.fixed_ip, network_id=pick.network.uuid)
    held = found.instance_uuid is not None or found.virtual_interface_id is not None
    if held or found.reserved or found.host is not None:
        raise FixedIpAlreadyInUse(address=pick.fixed_ip)


def check_unbound(pick: Pick) -> None:
    """Refuse a port that a server has.  Raises: PortInUse."""
    if pick.port is not None and pick.port.instance_uuid is not None:
        raise PortInUse(port_id=pick.port.uuid, instance_uuid=pick.port.instance_uuid)


def release(tx: Transaction, instance_uuid: str, vif_uuid: str, now: datetime.datetime) -> bool:
    """Take an interface and its address from a server; tell whether there was one.

    One that was made before the server stays, and keeps its address.
    """
    floating_ips.release_for(tx, instance_uuid, now, vif_uuid)
    firewall.note_server(tx, instance_uuid)
    fixed_ips.release_for(tx, instance_uuid, now, vif_uuid)
    gone = vifs.delete(tx, instance_uuid, vif_uuid)
    return gone or ports.unbind(tx, instance_uuid, now, vif_uuid) > 0


def bring(tx: Transaction, guest: Guest) -> tuple[Vif, ...]:
    """Make ready what a server that comes to a host has already; return its interfaces.

    Raises: NoMoreFixedIps, NetworkHostUnavailable.
    """
    for vif in vifs.list_for(tx, [guest.instance_uuid]).get(guest.instance_uuid, ()):
        network = vif.network
        if network.multi_host:
            if not network.share_address:
                claim_host_address(tx, network, guest.host, guest.now)
        elif network.host is None:
            _claim_network_host(tx, network, guest)
    firewall.note_arrival(tx, guest.instance_uuid, guest.host)
    return tuple(vifs.list_for(tx, [guest.instance_uuid]).get(guest.instance_uuid, ()))


def _allocate_one(tx: Transaction, guest: Guest, pick: Pick) -> Vif:
    network, host_address = pick.network, pick.host_address
    if network.multi_host:
        if host_address is None and not network.share_address:
            host_address = claim_host_address(tx, network, guest.host, guest.now)
    elif network.host is None:
        network = _claim_network_host(tx, network, guest)
    gateway, dhcp_server = local_addresses(network, host_address)
    made = _bound(tx, guest, pick, pick.port) if pick.port else _new(tx, guest, pick)
    return dataclasses.replace(
        made, network=network, gateway=gateway, dhcp_server=dhcp_server, tag=pick.tag
    )


def _new(tx: Transaction, guest: Guest, pick: Pick) -> Vif:
    mac = random_mac()
    columns = {
        "uuid": str(uuid.uuid4()),
        "instance_uuid": guest.instance_uuid,
        "tag": pick.tag,
        "fixed_ip_v6": address_v6(pick.network, mac, guest.project_id, guest.ipv6_backend),
    }
    return make_interface(tx, pick, mac, columns, guest.now)


def address_v6(network: Network, mac: str, project_id: str, backend: str) -> str | None:
    """Return the IPv6 address of a project's interface, None in a network without IPv6."""
    if network.cidr_v6 is None:
        return None
    return guest_address_v6(backend, network.cidr_v6, mac, project_id)


def _bound(tx: Transaction, guest: Guest, pick: Pick, port: HeldPort) -> Vif:
    """Give a port that was made before to a server.  Raises: PortInUse."""
    if not ports.bind(tx, port, guest.instance_uuid, pick.tag, guest.now):
        raise PortInUse(port_id=port.uuid, instance_uuid=port.instance_uuid or "another")
    return Vif(
        id=port.uuid,
        address=port.mac,
        network=pick.network,
        instance_uuid=guest.instance_uuid,
        fixed_ip=port.fixed_ip,
        fixed_ip_v6=port.fixed_ip_v6,
        preserved=True,
    )


def checked_mac(text: str) -> str:
    """Return a MAC address in its usual form.  Raises: PortInvalid."""
    mac = text.lower().replace("-", ":")
    if not _MAC.match(mac) or int(mac[:2], 16) & 1:
        raise PortInvalid(reason=f"{text} can not be the MAC address of a server.")
    return mac


def make_interface(
    tx: Transaction, pick: Pick, mac: str, columns: bulk.Row, now: datetime.datetime
) -> Vif:
    """Make an interface with an address in a network; columns say the rest of it.

    Raises: NoMoreFixedIps, FixedIpAlreadyInUse; Repeat when the MAC address is taken.
    """
    network = pick.network
    vif_id = vifs.create(tx, {"address": mac, "network_id": network.id, **columns})
    instance_uuid = columns.get("instance_uuid")
    return Vif(
        id=columns["uuid"],
        address=mac,
        network=network,
        instance_uuid=instance_uuid,
        fixed_ip=_take_address(tx, instance_uuid, pick, vif_id, now),
        fixed_ip_v6=columns["fixed_ip_v6"],
    )


def _take_address(
    tx: Transaction, instance_uuid: str | None, pick: Pick, vif_id: int, now: datetime.datetime
) -> str | None:
    network = pick.network
    if network.cidr is None:
        return None
    values = {
        "instance_uuid": instance_uuid,
        "virtual_interface_id": vif_id,
        "allocated": True,
        "leased": False,
        "updated_at": now,
    }
    if pick.fixed_ip is not None:
        if not fixed_ips.take(tx, network.id, pick.fixed_ip, values):
            raise FixedIpAlreadyInUse(address=pick.fixed_ip)
        return pick.fixed_ip
    address = fixed_ips.take_any(tx, network.id, values)
    if address is None:
        raise NoMoreFixedIps(network=network.label)
    return address


def claim_host_address(
    tx: Transaction, network: Network, host: str, now: datetime.datetime
) -> str | None:
    """Take an address of a multi_host network for a host itself.

    A host that has one already keeps it.  Raises: NoMoreFixedIps, Repeat.
    """
    if network.cidr is None:
        return None
    for known, address in networks.list_served_by(tx, host):
        if known.id == network.id and address is not None:
            return address
    address = fixed_ips.take_for_host(tx, network.id, host, now)
    if address is None:
        raise NoMoreFixedIps(network=network.label)
    return address


def _claim_network_host(tx: Transaction, network: Network, guest: Guest) -> Network:
    """Give a network without host to a live nova-network service.

    Raises: NetworkHostUnavailable.
    """
    live = [
        service
        for service in services.list_all(tx, binary=NETWORK_BINARY)
        if _usable(service, guest.live_after)
    ]
    if not live:
        raise NetworkHostUnavailable(network=network.label)
    chosen = random.choice(live).host
    if networks.set_host(tx, network.id, chosen, guest.now):
        return dataclasses.replace(network, host=chosen)
    current = networks.find_by_row_id(tx, network.id)
    if current is None:
        raise NetworkHostUnavailable(network=network.label)
    return current


def _usable(service: Service, live_after: datetime.datetime) -> bool:
    if service.disabled or service.forced_down or service.last_seen_up is None:
        return False
    return service.last_seen_up >= live_after
