"""What the legacy version of the API forgives in bodies.

Clients of that time send keys that nobody reads, and names with spaces around them.
Source: api-conventions section 10.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeGuard

from nova.api.openstack.schema import Json

_NAME = "name"


def forgiven(schema: Json, value: object) -> object:
    """Return a value without unknown keys, and with names trimmed.

    An object that has unknown keys only keeps them, so that the schema refuses it.
    """
    match value:
        case str():
            named = _form(schema, "string").get("format") == _NAME
            return value.strip() if named else value
        case list():
            items = _form(schema, "array").get("items")
            return [forgiven(items, entry) for entry in value] if _is_schema(items) else value
        case dict():
            return _forgiven_object(_form(schema, "object"), value)
        case _:
            return value


def _is_schema(value: object) -> TypeGuard[Json]:
    return isinstance(value, Mapping)


def _form(schema: Json, kind: str) -> Json:
    """Return the schema itself, or that one of its forms that is about a kind of value."""
    forms = schema.get("anyOf")
    if "type" in schema or not isinstance(forms, list):
        return schema
    return next((form for form in forms if form.get("type") == kind), schema)


def _forgiven_object(schema: Json, value: dict[str, object]) -> dict[str, object]:
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    assert isinstance(known, Mapping) and isinstance(patterns, Mapping)
    kept = value
    if schema.get("additionalProperties") is False:
        kept = {key: entry for key, entry in value.items() if key in known or _fits(key, patterns)}
    return {key: forgiven(known.get(key, {}), entry) for key, entry in (kept or value).items()}


def _fits(key: str, patterns: Iterable[str]) -> bool:
    return any(re.search(pattern, key) for pattern in patterns)
