"""Addresses that follow from other addresses."""

import hashlib
import ipaddress
import uuid

from nova.objects.network import Network


def eui64_address(cidr_v6: str, mac: str) -> str:
    """Return the IPv6 address that a MAC address makes in a range.

    Source: RFC 2462 section 5.3 with the interface identifier of RFC 2464 section 4.
    """
    parts = [int(part, 16) for part in mac.split(":")]
    parts[0] ^= 0x02
    identifier = bytes([*parts[:3], 0xFF, 0xFE, *parts[3:]])
    network = ipaddress.IPv6Network(cidr_v6, strict=False)
    return str(network.network_address + int.from_bytes(identifier, "big"))


def account_address(cidr_v6: str, mac: str, project_id: str) -> str:
    """Return the IPv6 address that project and MAC address make in a range.

    Source: nova-network, section 8.4: the project's hash, 0xff, the card's part of the MAC.
    """
    project = hashlib.sha1(project_id.encode(), usedforsecurity=False).digest()[:4]
    card = bytes(int(part, 16) for part in mac.split(":"))[3:]
    network = ipaddress.IPv6Network(cidr_v6, strict=False)
    identifier = int.from_bytes(project + b"\xff" + card, "big")
    return str(network.network_address + identifier)


def guest_address_v6(backend: str, cidr_v6: str, mac: str, project_id: str) -> str:
    """Return the IPv6 address of a guest, made as the option ipv6_backend says."""
    if backend == "account_identifier":
        return account_address(cidr_v6, mac, project_id)
    return eui64_address(cidr_v6, mac)


def subnet_uuid(network_uuid: str, version: int) -> str:
    """Return the id of the IPv4 or IPv6 part of a network, which has no record of its own.

    Clients know networks that are made of subnets.  Source: client-calls (Mapping).
    """
    return str(uuid.uuid5(uuid.UUID(network_uuid), f"ipv{version}"))


def local_addresses(network: Network, host_address: str | None) -> tuple[str | None, str | None]:
    """Return (gateway, dhcp_server) of a network as its guests on one host see them.

    host_address is the host's own address in a multi_host network, None elsewhere.
    """
    if network.multi_host and not network.share_address and host_address is not None:
        return host_address, host_address
    return network.gateway, network.dhcp_server or network.gateway
