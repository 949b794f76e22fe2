"""Checks of what unprivileged callers hand over.

Each returns the value in its checked form and raises ValueError otherwise; the caller may
be hostile, so nothing is taken on trust.
"""

import ipaddress
import os
import pwd
import re

_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")


def interface_name(text: str) -> str:
    """Return the name of a network device."""
    if not isinstance(text, str) or not _INTERFACE.fullmatch(text):
        raise ValueError("not a network device name")
    return text


def ipv4_address(text: str) -> str:
    """Return a plain IPv4 address."""
    if not isinstance(text, str):
        raise ValueError("not an IPv4 address")
    return str(ipaddress.IPv4Address(text))


def ipv4_interface(text: str) -> ipaddress.IPv4Interface:
    """Return an IPv4 address with its prefix length."""
    if not isinstance(text, str) or "/" not in text:
        raise ValueError("not an IPv4 address with prefix length")
    return ipaddress.IPv4Interface(text)


def mac_address(text: str) -> str:
    """Return a MAC address in lower case."""
    if not isinstance(text, str) or not _MAC.fullmatch(text.lower()):
        raise ValueError("not a MAC address")
    return text.lower()


def number_between(value: int, lowest: int, highest: int) -> int:
    """Return a whole number within bounds, both included."""
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ValueError(f"not a number from {lowest} to {highest}")
    return value


def ipv6_interface(text: str) -> ipaddress.IPv6Interface:
    """Return an IPv6 address with its prefix length."""
    if not isinstance(text, str) or "/" not in text or "%" in text:
        raise ValueError("not an IPv6 address with prefix length")
    return ipaddress.IPv6Interface(text)


def is_plain_user(name: str) -> bool:
    """Tell whether there is a user of a name, who is not root."""
    try:
        return pwd.getpwnam(name).pw_uid != 0
    except (KeyError, TypeError, ValueError):
        return False


def path_inside(path: str, folder: str) -> str:
    """Return the path of a file directly inside a folder, reached without links."""
    root = os.path.realpath(folder)
    if not isinstance(path, str) or "\0" in path:
        raise ValueError("not a path")
    name = os.path.basename(path)
    if name in ("", ".", "..") or os.path.realpath(os.path.dirname(path)) != root:
        raise ValueError("not a path inside the allowed folder")
    if os.path.islink(os.path.join(root, name)):
        raise ValueError("the path is a link")
    return path
