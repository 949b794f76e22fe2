"""Names of servers that a request for several gets, and names inside the guests."""

import re
import unicodedata

MAX_HOSTNAME = 63

_TO_DASH = re.compile(r"[ _.]+")
_DROPPED = re.compile(r"[^a-z0-9-]")


def numbered(name: str, number: int, of: int) -> str:
    """Return the name of server number (from 1) of several; of 1 keeps its name."""
    if of == 1:
        return name
    suffix = f"-{number}"
    return name[: 255 - len(suffix)] + suffix


def derive_hostname(name: str, instance_uuid: str, suffix: str = "") -> str:
    """Return the name inside the guest for a server's name.

    Source: api-conventions, section 7 (derived hostname).
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    text = _DROPPED.sub("", _TO_DASH.sub("-", plain).lower())
    text = text[: MAX_HOSTNAME - len(suffix)].strip("-")
    if not text:
        return f"Server-{instance_uuid}"
    return text + suffix
