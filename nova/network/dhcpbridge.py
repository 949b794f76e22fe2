"""What dnsmasq's lease script does: tell nova-network about leases, ask it for them.

Source: nova-network.md section 8.3; dnsmasq(8), --dhcp-script and --leasefile-ro.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence

from nova.context import get_admin_context
from nova.exception import InvalidInput
from nova.network.leases_text import render_leases
from nova.network.rpcapi import NetworkAPI

NETWORK_ID = "NETWORK_ID"
ADD, DEL, INIT = "add", "del", "init"
_MAC = re.compile(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The guest that an invocation is about."""

    mac: str
    address: str


def parse_lease(arguments: Sequence[str]) -> Lease:
    """Return what add and del are about: ACTION MAC ADDRESS [HOSTNAME].

    Raises: InvalidInput.
    """
    if len(arguments) < 3:
        raise InvalidInput(reason=f"{arguments[0]} needs a MAC and an address")
    mac, address = arguments[1:3]
    if not _MAC.fullmatch(mac) or not _ADDRESS.fullmatch(address):
        raise InvalidInput(reason=f"{mac} {address} is no MAC with an IPv4 address")
    return Lease(mac=mac.lower(), address=address)


def network_id_of(environment: Mapping[str, str]) -> int:
    """Return the network that dnsmasq was started for.  Raises: InvalidInput."""
    value = environment.get(NETWORK_ID, "")
    if not value.isdecimal():
        raise InvalidInput(reason=f"the environment variable {NETWORK_ID} names no network")
    return int(value)


def carry_out(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    network: NetworkAPI,
    lease_time_s: int,
    now_s: int,
) -> str:
    """Do what an invocation asks for; return what dnsmasq reads.

    Raises: InvalidInput, errors of messaging.
    """
    context = get_admin_context()
    if arguments[0] == INIT:
        leases = network.get_leases(context, network_id_of(environment))
        return render_leases(leases, now_s + lease_time_s)
    lease = parse_lease(arguments)
    if arguments[0] == ADD:
        network.lease_fixed_ip(context, lease.address, lease.mac)
    else:
        network.release_fixed_ip(context, lease.address, lease.mac)
    return ""
