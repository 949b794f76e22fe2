"""Where a request carries its token.

Source: consoles, section 4, rows Token and Log.
"""

from collections.abc import Iterator

from nova.console.requests import Request, values_of

MAX_TOKEN_LENGTH = 512


def token_of(request: Request) -> str | None:
    """Return the token that a request carries; None if it has none that could be one.

    In the query of its address, else in the query inside its parameter path (as the links of
    noVNC have it), else in its cookie.  The last value wins.
    """
    for place in (_in_query, _in_path_parameter, _in_cookie):
        found = [one for one in place(request) if one]
        if found:
            return found[-1] if len(found[-1]) <= MAX_TOKEN_LENGTH else None
    return None


def token_in_query(request: Request) -> str | None:
    """Return the token in the query of a request's address alone."""
    found = [one for one in _in_query(request) if one]
    return found[-1] if found and len(found[-1]) <= MAX_TOKEN_LENGTH else None


def _in_query(request: Request) -> Iterator[str]:
    yield from _safe_values(request.query, "token")


def _in_path_parameter(request: Request) -> Iterator[str]:
    for path in _safe_values(request.query, "path"):
        yield from _safe_values(path.partition("?")[2], "token")


def _safe_values(query: str, name: str) -> list[str]:
    """A query of too many parts has no token, like an empty one."""
    try:
        return values_of(query, name)
    except ValueError:
        return []


def _in_cookie(request: Request) -> Iterator[str]:
    """Skip parts that are malformed: other programs of the host may have set them."""
    for part in request.headers.get("cookie", "").split(";"):
        name, equals, value = part.strip().partition("=")
        if equals and name == "token":
            yield value.strip('"')
