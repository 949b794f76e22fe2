"""Ranges of floating addresses, without I/O.  Source: nova-manage, section 4."""

import ipaddress
import re

from nova.exception import FloatingRangeInvalid
from nova.objects.floating_ip import FloatingRange

MAX_ADDRESSES = 1000000
_SMALLEST = 4
_DEVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")


def addresses_of(ip_range: str) -> tuple[str, ...]:
    """Return one address, or the hosts of a range.  Raises: FloatingRangeInvalid."""
    try:
        network = ipaddress.IPv4Network(ip_range)
    except ValueError as error:
        reason = "it is neither an IPv4 address nor a range such as 203.0.113.0/24."
        raise FloatingRangeInvalid(ip_range=ip_range, reason=reason) from error
    if "/" not in ip_range:
        return (str(network.network_address),)
    if network.num_addresses < _SMALLEST:
        reason = f"a range has at least {_SMALLEST} addresses; one address is given without /."
        raise FloatingRangeInvalid(ip_range=ip_range, reason=reason)
    if network.num_addresses - 2 >= MAX_ADDRESSES:
        reason = f"it has {MAX_ADDRESSES} addresses or more."
        raise FloatingRangeInvalid(ip_range=ip_range, reason=reason)
    return tuple(str(address) for address in network.hosts())


def check_interface(new: FloatingRange) -> None:
    """Refuse what can not name a network card: it reaches rules.  Raises: FloatingRangeInvalid."""
    if new.interface is not None and not _DEVICE.fullmatch(new.interface):
        reason = "its interface is no name of a network card."
        raise FloatingRangeInvalid(ip_range=new.ip_range, reason=reason)
