"""Declarations of bodies and queries whose keys come and go with the microversion."""

from collections.abc import Mapping
from typing import Protocol

from nova.api.openstack.versions import Range, Version

Json = Mapping[str, object]


class Versioned(Protocol):
    """A type that is not the same in all versions."""

    def at(self, version: Version) -> Json:
        """Return the JSON schema of one version."""


class Key:
    """One key of an object.  A name may be declared twice, for separate version ranges."""

    __slots__ = ("name", "range", "required", "type")

    def __init__(
        self,
        name: str,
        type: "Type",
        *,
        required: bool = False,
        since: str | None = None,
        until: str | None = None,
    ) -> None:
        self.name = name
        self.type = type
        self.required = required
        self.range = Range(since, until)


class Object:
    """An object with known keys; others are refused unless extra says of what type they are.

    optional: as the body of a request it may be missing or null, which is an empty object.
    """

    __slots__ = ("extra", "keys", "optional")

    def __init__(self, *keys: Key, extra: "Json | bool" = False, optional: bool = False) -> None:
        self.keys = keys
        self.extra = extra
        self.optional = optional

    def at(self, version: Version) -> Json:
        """Return the JSON schema of one version."""
        present = [key for key in self.keys if version in key.range]
        return {
            "type": "object",
            "properties": {key.name: resolve(key.type, version) for key in present},
            "required": [key.name for key in present if key.required],
            "additionalProperties": self.extra,
        }


class ListOf:
    """A list of one type."""

    __slots__ = ("item", "maximum", "minimum", "unique")

    def __init__(
        self, item: "Type", *, minimum: int = 0, maximum: int = 1000, unique: bool = False
    ) -> None:
        self.item = item
        self.minimum = minimum
        self.maximum = maximum
        self.unique = unique

    def at(self, version: Version) -> Json:
        """Return the JSON schema of one version."""
        return {
            "type": "array",
            "items": resolve(self.item, version),
            "minItems": self.minimum,
            "maxItems": self.maximum,
            "uniqueItems": self.unique,
        }


class AnyOf:
    """A choice of types."""

    __slots__ = ("types",)

    def __init__(self, *types: "Type") -> None:
        self.types = types

    def at(self, version: Version) -> Json:
        """Return the JSON schema of one version."""
        return {"anyOf": [resolve(entry, version) for entry in self.types]}


Type = Json | Versioned


def resolve(entry: Type, version: Version) -> Json:
    """Return the JSON schema of a type in one version."""
    return entry if isinstance(entry, Mapping) else entry.at(version)


class Param:
    """One query parameter; repeat tells whether it may be given several times."""

    __slots__ = ("name", "range", "repeat", "type")

    def __init__(
        self,
        name: str,
        type: Json | None = None,
        *,
        repeat: bool = False,
        since: str | None = None,
        until: str | None = None,
    ) -> None:
        self.name = name
        self.type: Json = {"type": "string"} if type is None else type
        self.repeat = repeat
        self.range = Range(since, until)


class Query:
    """The query parameters of a route; unknown ones are refused from strict_since on.

    refused: beginning of names that no version takes.
    """

    __slots__ = ("params", "refused", "strict")

    def __init__(
        self, *params: Param, strict_since: str = "2.102", refused: str | None = None
    ) -> None:
        self.params = params
        self.refused = refused
        self.strict = Range(strict_since)

    def refuses(self, name: str, version: Version) -> bool:
        """Tell whether a parameter that is not known is a fault; others are dropped."""
        internal = self.refused is not None and name.startswith(self.refused)
        return internal or version in self.strict

    def at(self, version: Version) -> Mapping[str, Param]:
        """Return the parameters of one version by name."""
        return {param.name: param for param in self.params if version in param.range}


NO_QUERY = Query()
