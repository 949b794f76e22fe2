"""Whether the page that opens a console may do so.

Source: consoles, section 4, row Origin check.  Stricter than there: the page must come from the
address that the console's link was made for, not merely from whatever host the request names,
which is the attacker's own when names are rebound.
"""

import urllib.parse
from collections.abc import Collection, Mapping

_WEB_SCHEMES = {"ws": "http", "wss": "https"}
_PORTS = {"http": 80, "https": 443}


def is_allowed(headers: Mapping[str, str], access_url: str, allowed: Collection[str]) -> bool:
    """Tell whether a request may use a console.

    Programs send no Origin; browsers always do, and no page can forge it.
    allowed: hosts, hosts with ports, or whole origins, whose pages may open consoles as well.
    """
    text = headers.get("origin")
    if text is None:
        return True
    origin, own = _origin(text), _origin(access_url)
    if origin is None or own is None:
        return False
    scheme, host, port = origin
    if headers.get("x-forwarded-proto", scheme).lower() != own[0]:
        return False
    if (host, port) == own[1:] or host in allowed or f"{host}:{port}" in allowed:
        return True
    return any(_origin(one) == origin for one in allowed)


def _origin(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; None if the text is no address of the web."""
    try:
        parts = urllib.parse.urlsplit(url)
        scheme = _WEB_SCHEMES.get(parts.scheme, parts.scheme)
        port = parts.port if parts.port is not None else _PORTS[scheme]
    except (ValueError, KeyError):
        return None
    if scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or "," in url:
        return None
    return scheme, parts.hostname, port
