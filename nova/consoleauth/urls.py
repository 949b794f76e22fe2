"""Addresses that carry tokens.

Source: consoles, section 3.2.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from nova.objects.console import ConsoleType


def with_token(base: str, console_type: ConsoleType, token: str) -> str:
    """Add a token to an address, whose own query stays.

    noVNC opens its socket under "path", so the token is in the query of that.
    """
    parts = urlsplit(base)
    query = parse_qsl(parts.query, keep_blank_values=True)
    carried = urlencode({"token": token})
    if console_type is ConsoleType.NOVNC:
        path = dict(query).get("path", "")
        query = [(name, value) for name, value in query if name != "path"]
        query.append(("path", f"{path}{'&' if '?' in path else '?'}{carried}"))
    else:
        query.append(("token", token))
    return urlunsplit(parts._replace(query=urlencode(query)))
