"""What the legacy version of the API forgives in bodies.

Clients of that time send keys that nobody reads, and names with spaces around them.
Source: api-conventions section 10.
"""

import re
from collections.abc import Iterable, Mapping

from nova.api.openstack.schema import Json

_NAME = "name"


def forgiven(schema: Json, value: object) -> object:
    """Return a value without unknown keys, and with names trimmed.

    An object that has unknown keys only keeps them, so that the schema refuses it.
    """
    match value:
        case str() if schema.get("format") == _NAME:
            return value.strip()
        case list() if isinstance(schema.get("items"), Mapping):
            return [forgiven(schema["items"], entry) for entry in value]  # type: ignore[arg-type]
        case dict():
            return _forgiven_object(_object_schema(schema), value)
        case _:
            return value


def _object_schema(schema: Json) -> Json:
    """Return the schema itself, or the form of it that is about objects."""
    forms = schema.get("anyOf")
    if "type" in schema or not isinstance(forms, list):
        return schema
    return next((form for form in forms if form.get("type") == "object"), schema)


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
