"""Addresses that carry tokens.

Source: consoles, section 3.2.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from nova.objects.console import ConsoleType


def with_token(base: str, console_type: ConsoleType, token: str) -> str:
    """Add a token to an address.

    noVNC opens its socket under "path", so the token is in there; a path of the base stays.
    """
    parts = urlsplit(base)
    query = parse_qsl(parts.query, keep_blank_values=True)
    carried = urlencode({"token": token})
    if console_type is ConsoleType.NOVNC:
        values = dict(query)
        values["path"] = f"{values.get('path', '')}?{carried}"
        query = list(values.items())
    else:
        query.append(("token", token))
    return urlunsplit(parts._replace(query=urlencode(query)))
