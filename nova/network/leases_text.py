"""Leases in the form in which dnsmasq keeps them."""

import ipaddress
import re
from collections.abc import Iterable

from nova.network.names import safe_hostname
from nova.objects.network import DhcpBinding

_MAC = re.compile(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")


def render_leases(bindings: Iterable[DhcpBinding], expires_s: int) -> str:
    """Return the leases that guests hold, all ending at a time in seconds of the epoch."""
    return "".join(
        f"{expires_s} {one.mac.lower()} {one.address} {_name(one)} *\n"
        for one in bindings
        if one.leased and is_sound(one)
    )


def is_sound(binding: DhcpBinding) -> bool:
    """Tell whether a binding's MAC and address can be written into a file."""
    try:
        ipaddress.IPv4Address(binding.address)
    except ValueError:
        return False
    return _MAC.fullmatch(binding.mac) is not None


def _name(binding: DhcpBinding) -> str:
    if not binding.hostname:
        return "*"
    return safe_hostname(binding.hostname, binding.address)
