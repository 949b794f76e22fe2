"""Parameters of the EC2 query protocol: dotted names to nested values of declared types.

A value is what its declaration says and nothing else, so that a name made of digits stays
text.  What no declaration names is ignored.
Source: ec2-api, sections 1.1 and 7.
"""

import base64
import binascii
import dataclasses
import datetime
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nova import clock, exception
from nova.api.ec2 import xml

MAX_ITEMS = 1000
MAX_TEXT = 65536

Tree = dict[str, Any]
Read = Callable[[str, str], Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """What the text of a parameter means; read takes the parameter's name and its text."""

    name: str
    read: Read


@dataclasses.dataclass(frozen=True, slots=True)
class Param:
    """One parameter of an action, or of a structure within one.

    many: a list Name.1, Name.2, …; always a tuple, empty when nothing is given.
    fields: the parameter is a structure of these.  default: for one that is left out.
    """

    name: str
    _: dataclasses.KW_ONLY
    type: Type | None = None
    fields: tuple["Param", ...] = ()
    many: bool = False
    required: bool = False
    default: Any = None


def invalid(name: str, reason: str) -> exception.Ec2ParameterInvalid:
    """Return the error about a parameter's value."""
    return exception.Ec2ParameterInvalid(name=name, reason=reason)


# --- Types ----------------------------------------------------------------------------------


def _text(name: str, text: str, longest: int = MAX_TEXT) -> str:
    if len(text) > longest:
        raise invalid(name, f"it may have {longest} characters at most")
    # Neither databases nor answers take all of them.
    if not xml.can_hold(text):
        raise invalid(name, "it has characters that no text can have")
    return text


def _boolean(name: str, text: str) -> bool:
    found = {"true": True, "false": False, "1": True, "0": False}.get(text.lower())
    if found is None:
        raise invalid(name, "true or false is expected")
    return found


def _base64(name: str, text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(name, "base64 is expected") from error


def _moment(name: str, text: str) -> datetime.datetime:
    try:
        return clock.parse(text)
    except ValueError as error:
        raise invalid(name, "a time of ISO 8601 is expected") from error


TEXT = Type(name="text", read=_text)
BOOLEAN = Type(name="boolean", read=_boolean)
BASE64 = Type(name="base64", read=_base64)
MOMENT = Type(name="moment", read=_moment)


def text_up_to(longest: int) -> Type:
    """Return the type of texts with so many characters at most."""
    return Type(name="text", read=functools.partial(_text, longest=longest))


_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z", re.ASCII)


def integer(low: int = -(2**31), high: int = 2**31 - 1) -> Type:
    """Return the type of whole numbers between two."""

    def read(name: str, text: str) -> int:
        if not _INTEGER.match(text):
            raise invalid(name, "a whole number is expected")
        if not low <= int(text) <= high:
            raise invalid(name, f"it must be between {low} and {high}")
        return int(text)

    return Type(name="integer", read=read)


INTEGER = integer()


def one_of(*values: str) -> Type:
    """Return the type of texts out of a few."""

    def read(name: str, text: str) -> str:
        if text not in values:
            raise invalid(name, f"one of {', '.join(values)} is expected")
        return text

    return Type(name="text", read=read)


# --- Decoding -------------------------------------------------------------------------------


def decode(declared: Iterable[Param], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the declared parameters, by name.

    Raises: Ec2ParameterMissing, Ec2ParameterInvalid.
    """
    tree = _tree(declared := tuple(declared), given)
    return _structure(declared, tree, "")


def _tree(declared: tuple[Param, ...], given: Mapping[str, str]) -> Tree:
    """Return the dotted names of declared parameters as nested dictionaries.

    Raises: Ec2ParameterInvalid when one name is both a value and a structure.
    """
    wanted = {param.name for param in declared}
    tree: Tree = {}
    for name, text in given.items():
        first, *rest = name.split(".")
        if first not in wanted:
            continue
        _put(tree, [first, *rest], name, text)
    return tree


def _put(tree: Tree, path: list[str], name: str, text: str) -> None:
    place = tree
    for part in path[:-1]:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise invalid(name, "another parameter gives its beginning a value")
    if path[-1] in place:
        raise invalid(name, "another parameter gives it a structure")
    place[path[-1]] = text


def _structure(fields: Iterable[Param], tree: Tree, prefix: str) -> dict[str, Any]:
    return {field.name: _value(field, tree.get(field.name), prefix) for field in fields}


def _value(param: Param, found: str | Tree | None, prefix: str) -> Any:
    name = f"{prefix}{param.name}"
    if param.many:
        return _many(param, found, name)
    if isinstance(found, dict) and not param.fields:
        # Old clients number what there can be only one of.
        if list(found) != ["1"]:
            raise invalid(name, "one value is expected")
        found = found["1"]
    if found is None or (found == "" and param.required):
        if param.required:
            raise exception.Ec2ParameterMissing(name=name)
        return param.default
    return _one(param, found, name)


def _many(param: Param, found: str | Tree | None, name: str) -> tuple[Any, ...]:
    if isinstance(found, str):
        # Clients of one thing leave the number out.
        found = {"1": found} if found else {}
    numbered = found or {}
    items = tuple(
        _one(param, numbered[index], f"{name}.{index}") for index in _indices(numbered, name)
    )
    if param.required and not items:
        raise exception.Ec2ParameterMissing(name=name)
    return items


def _indices(found: Tree, name: str) -> list[str]:
    """Return the keys of a list in the order of their numbers."""
    if not all(_INTEGER.match(index) for index in found):
        raise invalid(name, "a list with numbers is expected")
    if len(found) > MAX_ITEMS:
        raise invalid(name, f"there may be {MAX_ITEMS} values at most")
    return sorted(found, key=int)


def _one(param: Param, found: str | Tree, name: str) -> Any:
    if param.fields:
        if not isinstance(found, dict):
            raise invalid(name, "a structure is expected")
        return _structure(param.fields, found, f"{name}.")
    if not isinstance(found, str):
        raise invalid(name, "one value is expected")
    assert param.type is not None, "a parameter has a type or fields"
    return param.type.read(name, found)
