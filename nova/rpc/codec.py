"""Turns dataclasses into JSON-ready values and back, by code generated once per class.

Rules of the wire: enums by value, times in UTC as ISO 8601, bytes as base64, tuples as
arrays; UNSET is left out, and so is None where it is the field's default.  Decoding drops
unknown fields, takes defaults for missing ones and checks the type of each value.
"""

import base64
import dataclasses
import datetime
import enum
import functools
import types
import typing
from collections.abc import Callable
from typing import Any

from nova import clock
from nova.exception import BadMessage
from nova.objects.unset import UNSET, UnsetType

Coder = Callable[[Any], Any]

_FAULTS = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_PLAIN: tuple[Any, ...] = (str, int, bool)
_AS_IS: tuple[Any, ...] = (*_PLAIN, float, type(None), Any, object)
_MISSING = object()


def encode(value: Any, hint: Any) -> Any:
    """Return the JSON-ready form of a value of a declared type.  Raises: BadMessage."""
    return _guard(encoder(hint), value, hint)


def decode(value: Any, hint: Any) -> Any:
    """Return the value of a declared type from its JSON form.  Raises: BadMessage."""
    return _guard(decoder(hint), value, hint)


def _guard(coder: Coder, value: Any, hint: Any) -> Any:
    try:
        return coder(value)
    except _FAULTS as error:
        name = hint.__name__ if isinstance(hint, type) else str(hint)
        raise BadMessage(what=name, reason=_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or not known"
    return str(error) or type(error).__name__


@functools.cache
def encoder(hint: Any) -> Coder:
    """Return the function that encodes values of a type.  Raises: TypeError for unknown types."""
    return _Encoders().function(hint)


@functools.cache
def decoder(hint: Any) -> Coder:
    """Return the function that decodes values of a type.  Raises: TypeError for unknown types."""
    return _Decoders().function(hint)


# --- Values ---------------------------------------------------------------------------------


def _bad(value: Any, expected: str) -> Any:
    raise TypeError(f"{expected} expected, not {type(value).__name__}")


def _wanted(value: Any, kind: type) -> Any:
    return value if type(value) is kind else _bad(value, kind.__name__)


def _encode_time(value: datetime.datetime) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    return clock.isoformat(value)


def _decode_time(value: Any) -> datetime.datetime:
    return clock.parse(_wanted(value, str))


def _encode_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _decode_bytes(value: Any) -> bytes:
    return base64.b64decode(_wanted(value, str), validate=True)


def _decode_float(value: Any) -> float:
    return value if type(value) is float else float(_wanted(value, int))


def _decode_null(value: Any) -> None:
    if value is not None:
        _bad(value, "null")


def _fixed(coders: list[Coder], make: Coder) -> Coder:
    """Return a coder of tuples with a fixed number of items."""

    def code(value: Any) -> Any:
        if type(value) not in (list, tuple):
            _bad(value, "list")
        return make([coder(item) for coder, item in zip(coders, value, strict=True)])

    return code


def _members(hint: Any) -> tuple[Any, ...]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return typing.get_args(hint)
    return (hint,)


def _others(hint: Any) -> list[Any]:
    """Return the members of a type but None and UNSET."""
    return [m for m in _members(hint) if m not in (UnsetType, type(None))]


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, enum.Enum)


def _is_dataclass(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


# --- Generators -----------------------------------------------------------------------------


class _Generator:
    """Builds an expression over a variable for a type; values it needs are in names."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"_bad": _bad, "UNSET": UNSET, "MISSING": _MISSING}

    def function(self, hint: Any) -> Coder:
        """Return the finished function for a type."""
        if _is_dataclass(hint):
            return self.compile(self.class_lines(hint))
        return self.compile([f"return {self.expression(hint, 'x')}"])

    def compile(self, lines: list[str]) -> Coder:
        """Return the function of x that the lines are the body of."""
        source = "def f(x):\n" + "".join(f"    {line}\n" for line in lines)
        exec(compile(source, "<nova.rpc.codec>", "exec"), self.names)
        return typing.cast(Coder, self.names["f"])

    def bind(self, value: Any) -> str:
        """Give a value a name that expressions can use."""
        name = f"n{len(self.names)}"
        self.names[name] = value
        return name

    def expression(self, hint: Any, var: str) -> str:
        """Return the expression that codes var, which may be evaluated more than once."""
        members = [m for m in _members(hint) if m is not UnsetType]
        others = _others(hint)
        if not others:
            return self.single(type(None), var)
        inner = self.present(others, var)
        if len(members) == len(others) or inner == var:
            return inner
        return f"(None if {var} is None else {inner})"

    def present(self, members: list[Any], var: str) -> str:
        """Return the expression for a value of one of some types, none of them None."""
        return self.single(members[0], var) if len(members) == 1 else self.union(members, var)

    def union(self, members: list[Any], var: str) -> str:
        raise NotImplementedError

    def single(self, hint: Any, var: str) -> str:
        raise NotImplementedError

    def class_lines(self, cls: type) -> list[str]:
        raise NotImplementedError

    def late(self, build: Callable[[Any], Coder], hint: Any) -> str:
        """Name a class's function; generated at its first use, so classes may form cycles."""
        found: list[Coder] = []

        def code(value: Any) -> Any:
            if not found:
                found.append(build(hint))
            return found[0](value)

        return self.bind(code)


class _Encoders(_Generator):
    def union(self, members: list[Any], var: str) -> str:
        if any(m not in (*_PLAIN, float) for m in members):
            raise TypeError(f"the codec knows no union of {members}")
        return var

    def single(self, hint: Any, var: str) -> str:
        if hint in _AS_IS:
            return var
        if hint is datetime.datetime:
            return f"{self.bind(_encode_time)}({var})"
        if hint is bytes:
            return f"{self.bind(_encode_bytes)}({var})"
        if _is_enum(hint):
            return f"{self.bind({m: m.value for m in hint})}[{var}]"
        if _is_dataclass(hint):
            return f"{self.late(encoder, hint)}({var})"
        return self._container(hint, var)

    def _container(self, hint: Any, var: str) -> str:
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is tuple and args[1:] != (...,):
            return f"{self.bind(_fixed([encoder(a) for a in args], list))}({var})"
        key, item = f"k{len(self.names)}", self.bind(None)
        if origin in (tuple, list, frozenset):
            inner = self.expression(args[0], item)
            return f"list({var})" if inner == item else f"[{inner} for {item} in {var}]"
        if origin is dict:
            inner = self.expression(args[1], item)
            outer = key if args[0] is str else f"str({self.expression(args[0], key)})"
            return f"{{{outer}: {inner} for {key}, {item} in {var}.items()}}"
        raise TypeError(f"the codec does not know the type {hint}")

    def class_lines(self, cls: type) -> list[str]:
        self.names["cls"] = cls
        hints = typing.get_type_hints(cls)
        always, sometimes = [], []
        for field in dataclasses.fields(cls):
            var, key = f"x.{field.name}", repr(field.name)
            value = self.expression(hints[field.name], var)
            if UnsetType in _members(hints[field.name]):
                sometimes.append(f"if {var} is not UNSET: d[{key}] = {value}")
            elif field.default is None:
                value = self.present(_others(hints[field.name]), var)
                sometimes.append(f"if {var} is not None: d[{key}] = {value}")
            else:
                always.append(f"{key}: {value}")
        check = "if type(x) is not cls: _bad(x, cls.__name__)"
        return [check, f"d = {{{', '.join(always)}}}", *sometimes, "return d"]


class _Decoders(_Generator):
    def union(self, members: list[Any], var: str) -> str:
        if any(m not in (*_PLAIN, float) for m in members):
            raise TypeError(f"the codec knows no union of {members}")
        kinds = self.bind(tuple(members))
        return f"({var} if type({var}) in {kinds} else _bad({var}, {str(members)!r}))"

    def single(self, hint: Any, var: str) -> str:
        if hint in (Any, object):
            return var
        if hint in _PLAIN:
            name = hint.__name__
            return f"({var} if type({var}) is {name} else _bad({var}, {name!r}))"
        special = {
            float: _decode_float,
            type(None): _decode_null,
            datetime.datetime: _decode_time,
            bytes: _decode_bytes,
        }
        if hint in special:
            return f"{self.bind(special[hint])}({var})"
        if _is_enum(hint):
            return f"{self.bind({m.value: m for m in hint})}[{var}]"
        if _is_dataclass(hint):
            return f"{self.late(decoder, hint)}({var})"
        return self._container(hint, var)

    def _container(self, hint: Any, var: str) -> str:
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is tuple and args[1:] != (...,):
            return f"{self.bind(_fixed([decoder(a) for a in args], tuple))}({var})"
        key, item = f"k{len(self.names)}", self.bind(None)
        if origin in (tuple, list, frozenset):
            make = origin.__name__
            inner = self.expression(args[0], item)
            array = f"({var} if type({var}) is list else _bad({var}, 'list'))"
            return f"{make}([{inner} for {item} in {array}])"
        if origin is dict:
            inner = self.expression(args[1], item)
            outer = f"int({key})" if args[0] is int else self.expression(args[0], key)
            mapping = f"({var} if type({var}) is dict else _bad({var}, 'object'))"
            return f"{{{outer}: {inner} for {key}, {item} in {mapping}.items()}}"
        raise TypeError(f"the codec does not know the type {hint}")

    def class_lines(self, cls: type) -> list[str]:
        self.names["cls"] = cls
        hints = typing.get_type_hints(cls)
        lines = ["if type(x) is not dict: _bad(x, 'object')", "get = x.get"]
        fields = [f for f in dataclasses.fields(cls) if f.init]
        for field in fields:
            value = self.expression(hints[field.name], "v")
            if _required(field):
                lines += [f"v = x[{field.name!r}]", f"a_{field.name} = {value}"]
                continue
            lines.append(f"v = get({field.name!r}, MISSING)")
            lines.append(f"a_{field.name} = {self._default(field)} if v is MISSING else {value}")
        return [*lines, f"return cls({', '.join(f'{f.name}=a_{f.name}' for f in fields)})"]

    def _default(self, field: "dataclasses.Field[Any]") -> str:
        if field.default is not dataclasses.MISSING:
            return self.bind(field.default)
        return f"{self.bind(field.default_factory)}()"


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
