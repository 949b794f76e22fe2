"""The description of the API says of what type everything in answers is."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from nova.api.openstack.app import RESOURCES
from nova.api.openstack.description import describe
from nova.api.openstack.versions import MAXIMUM, parse

VERSIONS = ("2.1", "2.60", str(MAXIMUM))

# What has no type, by its path in the answer, with the reason.
UNTYPED = {
    "cpu_info.*": "what libvirt tells of a processor is passed on as it is, dictionaries and all",
}
_BRANCHES = ("anyOf", "oneOf")


@functools.cache
def _document(version: str) -> Any:
    return describe(RESOURCES, parse(version))


def _answers(version: str) -> Iterator[tuple[str, Any]]:
    for path, operations in _document(version)["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            for code, response in operation["responses"].items():
                for media in response.get("content", {}).values():
                    if int(code) < 400 and "schema" in media:
                        yield f"{method.upper()} {path} {code}", media["schema"]


def _untyped(schema: Mapping[str, Any], place: str) -> Iterator[str]:
    """Give the places of a schema that say nothing of the values there."""
    branches = [branch for word in _BRANCHES for branch in schema.get(word, ())]
    if not (branches or schema.keys() & {"type", "enum", "const"}):
        yield place
    for branch in branches:
        yield from _untyped(branch, place)
    for name, inner in schema.get("properties", {}).items():
        yield from _untyped(inner, f"{place}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), Mapping):
            yield from _untyped(schema[word], f"{place}.*")
    for inner in schema.get("patternProperties", {}).values():
        yield from _untyped(inner, f"{place}.*")
    if _is_open(schema):
        yield f"{place}.*"


def _is_open(schema: Mapping[str, Any]) -> bool:
    """Tell whether a list or an object may hold what the schema does not know."""
    if schema.get("type") == "array":
        return "items" not in schema and schema.get("maxItems") != 0
    return schema.get("type") == "object" and schema.get("additionalProperties", True) is True


def _is_excused(place: str) -> bool:
    return any(place.endswith(f".{end}") for end in UNTYPED)


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_in_answers_has_a_type(version: str) -> None:
    found = {
        f"{name}: {place}"
        for name, schema in _answers(version)
        for place in _untyped(schema, "")
        if not _is_excused(place)
    }
    assert found == set()


def test_exceptions_are_still_needed() -> None:
    found = [
        place
        for version in VERSIONS
        for _name, schema in _answers(version)
        for place in _untyped(schema, "")
    ]
    for end in UNTYPED:
        assert any(place.endswith(f".{end}") for place in found), end
