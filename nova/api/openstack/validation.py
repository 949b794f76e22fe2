"""Checks of what users send: JSON text, bodies, queries.  The only user of jsonschema."""

import base64
import binascii
import functools
import ipaddress
import json
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Mapping

import jsonschema
from jsonschema.exceptions import best_match

from nova import clock, exception
from nova.api.openstack import legacy
from nova.api.openstack.schema import Json, Object, Query
from nova.api.openstack.versions import LEGACY, Version

MAX_DEPTH = 32
MAX_KEYS = 4096
MAX_INT = 2**31 - 1
_SHOWN_CHARS = 80
_SECRET_FIELDS = {"adminPass", "user_data", "contents", "private_key"}
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:]', re.DOTALL)
_SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")

_TRUE = {"1", "t", "true", "on", "y", "yes"}
_FALSE = {"0", "f", "false", "off", "n", "no"}

_FORMATS = jsonschema.FormatChecker(formats=())


# --- JSON text --------------------------------------------------------------------------------


def parse_json(raw: bytes) -> object:
    """Return what a request body says; an empty body is null.

    Raises: MalformedRequestBody.
    """
    if not raw.strip():
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise exception.MalformedRequestBody(reason="it is not UTF-8") from None
    _check_structure(text)
    try:
        body = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise exception.MalformedRequestBody(reason="it is not valid JSON") from None
    if _SUSPICIOUS.search(raw) or "\0" in text:
        _check_characters(body)
    return body


def _check_structure(text: str) -> None:
    """Refuse depth and number of keys before the text is turned into objects."""
    depth = keys = 0
    for token in _STRUCTURE.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case ":":
                keys += 1
        if depth > MAX_DEPTH:
            raise exception.MalformedRequestBody(
                reason=f"it is nested more than {MAX_DEPTH} levels deep"
            )
        if keys > MAX_KEYS:
            raise exception.MalformedRequestBody(reason=f"it has more than {MAX_KEYS} keys")


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _check_characters(value: object) -> None:
    match value:
        case str() if not storable(value):
            raise exception.MalformedRequestBody(reason="it contains characters that are no text")
        case dict():
            for key, entry in value.items():
                _check_characters(key)
                _check_characters(entry)
        case list():
            for entry in value:
                _check_characters(entry)


def storable(text: str) -> bool:
    """Tell whether databases can hold a text: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


# --- Bodies -----------------------------------------------------------------------------------


@functools.cache
def _validator(schema: Object, version: Version) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(schema.at(version), format_checker=_FORMATS)


def check_body(schema: Object, version: Version, body: object) -> object:
    """Check a body against its schema; return it, in the legacy version without what is odd.

    Raises: InvalidBody, MalformedRequestBody.
    """
    if body is None and schema.optional:
        return {}
    if body is None:
        raise exception.MalformedRequestBody(reason="a JSON object is expected")
    if version == LEGACY:
        body = legacy.forgiven(schema.at(version), body)
    found = best_match(_validator(schema, version).iter_errors(body))
    if found is None:
        return body
    reason = _reason(found)
    if not found.absolute_path:
        raise exception.MalformedRequestBody(reason=reason)
    name = _name(found.absolute_path)
    raise exception.InvalidBody(name=name, value=_shown(name, found.instance), reason=reason)


def _name(path: Iterable[object]) -> str:
    """Return the last named key of a path, with the index of a list behind it."""
    parts = list(path)
    name = str(parts.pop())
    return f"{parts.pop()}[{name}]" if name.isdecimal() and parts else name


def _shown(name: str, value: object) -> str:
    if name in _SECRET_FIELDS or isinstance(value, dict | list):
        return "(not shown)"
    return _short(value)


def _short(value: object) -> str:
    text = str(value)[: _SHOWN_CHARS + 1].encode("ascii", "backslashreplace").decode()
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "..."


_REASONS: Mapping[str, Callable[[object], str]] = {
    "minLength": lambda limit: f"It must have at least {limit} characters.",
    "maxLength": lambda limit: f"It must have at most {limit} characters.",
    "minimum": lambda limit: f"It must be at least {limit}.",
    "maximum": lambda limit: f"It must be at most {limit}.",
    "minItems": lambda limit: f"It must have at least {limit} entries.",
    "maxItems": lambda limit: f"It must have at most {limit} entries.",
    "minProperties": lambda limit: f"It must have at least {limit} keys.",
    "maxProperties": lambda limit: f"It must have at most {limit} keys.",
    "uniqueItems": lambda limit: "Its entries must differ.",
    "pattern": lambda pattern: f"It does not match {pattern}",
    "format": lambda name: f"It is not a valid {name}.",
    "type": lambda names: f"It must be of type {_either(names)}.",
    "enum": lambda values: f"It must be one of {_either(values)}.",
    "anyOf": lambda _: "It is of none of the accepted forms.",
}


def _either(values: object) -> str:
    entries = values if isinstance(values, list) else [values]
    return ", ".join(str(entry) for entry in entries)


def _reason(found: jsonschema.ValidationError) -> str:
    match found.validator:
        case "required":
            missing = sorted(set(found.validator_value) - set(found.instance))
            return f"The required key {_either(missing)} is missing."
        case "additionalProperties":
            known = set(found.schema.get("properties", ()))
            patterns = found.schema.get("patternProperties", ())
            unknown = sorted(
                _short(key)
                for key in set(found.instance) - known
                if not any(re.search(pattern, key) for pattern in patterns)
            )
            return f"Additional properties are not allowed: {_either(unknown[:5])}."
        case keyword if keyword in _REASONS:
            return _REASONS[str(keyword)](found.validator_value)
        case _:
            return "It is not acceptable."


# --- Queries ----------------------------------------------------------------------------------


class QueryValues:
    """Parameters of a query that have been checked."""

    def __init__(self, values: Mapping[str, tuple[str, ...]]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str) -> str | None:
        """Return the first value of a parameter."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a parameter, in order."""
        return self._values.get(name, ())

    def names(self) -> tuple[str, ...]:
        """Return the names of all parameters given."""
        return tuple(self._values)


@functools.cache
def _query_validator(schema: Query, version: Version, name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(dict(schema.at(version)[name].type), format_checker=_FORMATS)


def check_query(schema: Query, version: Version, pairs: Iterable[tuple[str, str]]) -> QueryValues:
    """Return the known parameters of a query.

    Raises: InvalidQuery.
    """
    known = schema.at(version)
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if not storable(name + value):
            raise exception.InvalidQuery(name=_short(name), reason="It contains a NUL character.")
        if name in known:
            values[name] = (*values.get(name, ()), value)
        elif schema.refuses(name, version):
            raise exception.InvalidQuery(
                name=_short(name), reason="Additional properties are not allowed."
            )
    for name, given in values.items():
        if len(given) > 1 and not known[name].repeat:
            raise exception.InvalidQuery(name=name, reason="It may be given only once.")
        validator = _query_validator(schema, version, name)
        for value in given:
            found = best_match(validator.iter_errors(value))
            if found is not None:
                raise exception.InvalidQuery(
                    name=name, reason=f"Value: {_short(value)}. {_reason(found)}"
                )
    return QueryValues(values)


# --- Values -----------------------------------------------------------------------------------


def boolean(value: bool | str) -> bool:
    """Return the truth of a value that a schema of type BOOL has let pass."""
    return value if isinstance(value, bool) else value.lower() in _TRUE


def query_boolean(name: str, value: str) -> bool:
    """Return the truth of a query value.

    Raises: InvalidQuery.
    """
    word = value.strip().lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise exception.InvalidQuery(name=name, reason=f"Value: {_short(value)}. It is no boolean.")


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID, with or without hyphens."""
    try:
        return str(uuid.UUID(text)).replace("-", "") == text.lower().replace("-", "")
    except ValueError:
        return False


def decode_base64(text: str) -> bytes | None:
    """Return what base64 text stands for; white space is skipped.  None: it is not base64."""
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except (ValueError, binascii.Error):
        return None


def printable(text: str) -> bool:
    """Tell whether a text has no control, unassigned or private characters and no line ends."""
    return all(_is_shown(unicodedata.category(char)) for char in text)


def _is_shown(category: str) -> bool:
    return category == "Zs" or category[0] not in "CZ"


# --- Formats ----------------------------------------------------------------------------------


def _format(name: str) -> Callable[[Callable[[str], bool]], Callable[[str], bool]]:
    """Register a check of strings under the name that schemas use."""

    def register(check: Callable[[str], bool]) -> Callable[[str], bool]:
        _FORMATS.checks(name)(lambda value: not isinstance(value, str) or check(value))
        return check

    return register


_format("uuid")(is_uuid)
_format("printable")(printable)


@_format("name")
def _is_name(text: str) -> bool:
    return printable(text) and text == text.strip() and all(char <= "\uffff" for char in text)


@_format("int32")
def _fits_int32(text: str) -> bool:
    return not text.isdecimal() or int(text) <= MAX_INT


@_format("base64")
def _is_base64(text: str) -> bool:
    return decode_base64(text) is not None


@_format("date-time")
def _is_date_time(text: str) -> bool:
    try:
        clock.parse(text)
    except (ValueError, OverflowError):
        return False
    return True


def _is_address(text: str, version: int | None) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text and version in (None, address.version)


_format("ip")(lambda text: _is_address(text, None))
_format("ipv4")(lambda text: _is_address(text, 4))
_format("ipv6")(lambda text: _is_address(text, 6))


def one_of(schema: Json, value: object) -> bool:
    """Tell whether a value fits a plain schema."""
    return jsonschema.Draft7Validator(dict(schema), format_checker=_FORMATS).is_valid(value)
