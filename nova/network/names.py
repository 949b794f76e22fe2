"""Names of guests and devices, restricted before they reach files and rules."""

import ipaddress
import re

MAX_LABEL = 63
_FORBIDDEN = re.compile(r"[^a-z0-9-]+")
_DEVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def is_device_name(text: str) -> bool:
    """Tell whether a text can name a network device."""
    return _DEVICE.fullmatch(text) is not None


def safe_hostname(hostname: str, address: str) -> str:
    """Return a host name of letters, digits and hyphens, at most 63 characters.

    Longer names keep their first two and last 60 characters.  A name of which nothing is
    left is made of the address.
    """
    label = _FORBIDDEN.sub("-", hostname.lower()).strip("-")
    if len(label) > MAX_LABEL:
        label = f"{label[:2]}-{label[-60:]}".strip("-")
    return label or "host-" + _FORBIDDEN.sub("-", address)


def safe_tag(text: str, length: int = 32) -> str:
    """Return a text fit as a dnsmasq tag, at most so many characters long."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:length].strip("-") or "network"


def is_domain(text: str) -> bool:
    """Tell whether a text is a domain name."""
    return _DOMAIN.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Tell whether a text is an IPv4 or IPv6 address."""
    try:
        return "%" not in text and bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def qualified(hostname: str, domain: str) -> str:
    """Return a host name with its domain, if there is one."""
    return f"{hostname}.{domain}" if domain else hostname
