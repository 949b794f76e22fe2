"""Numbers and truth values that clients may send as text."""

import ipaddress
from typing import TypeVar

from nova import exception

T = TypeVar("T")

_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})


def boolean(name: str, value: object) -> bool:
    """Return the truth value of a JSON bool or of a word.

    Raises: InvalidInput.
    """
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise exception.InvalidInput(reason=f"{name} must be true or false.")


def integer(name: str, text: str | None) -> int | None:
    """Return the whole number that a text holds, None for None.

    Raises: InvalidInput.
    """
    if text is None:
        return None
    try:
        number = int(text)
    except ValueError as error:
        raise exception.InvalidInput(reason=f"{name} must be an integer.") from error
    if abs(number) >= 2**31:
        raise exception.InvalidInput(reason=f"{name} is out of range.")
    return number


def canonical_address(value: T) -> T | str:
    """Return the shortest form of an address that a schema has passed; anything else as it is."""
    return str(ipaddress.ip_address(value)) if isinstance(value, str) else value
