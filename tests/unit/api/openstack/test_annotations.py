"""Which JSON schemas annotations stand for."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, Optional, TypedDict

import pytest

from nova.api.openstack.annotations import alternatives, of_attribute, of_result, schema_of


class Color(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 4


class Opaque(enum.Enum):
    ONE = object()


class Point(TypedDict):
    x: int
    label: NotRequired[str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    size: "int | None"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    wheel: Wheel

    @property
    def name(self) -> str:
        return "car"

    @property
    def unknown(self):
        return None


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (str, TEXT),
        (int, {"type": "integer"}),
        (bool, {"type": "boolean"}),
        (float, {"type": "number"}),
        (None, {"type": "null"}),
        (datetime.datetime, TEXT),
        (object, {}),
        (Any, {}),
        (str | None, {"type": ["string", "null"]}),
        (Optional[int], {"type": ["integer", "null"]}),  # noqa: UP045
        (str | datetime.datetime | None, {"type": ["string", "null"]}),
        (str | object, {}),
        (Color, {"enum": ["red", "blue"]}),
        (Level, {"enum": [1, 4]}),
        (Color | None, {"anyOf": [{"enum": ["red", "blue"]}, {"type": "null"}]}),
        (Literal["AUTO", 1], {"enum": ["AUTO", 1]}),
        (tuple[str, ...], {"type": "array", "items": TEXT}),
        (list[int | None], {"type": "array", "items": {"type": ["integer", "null"]}}),
        (dict[str, str], {"type": "object", "additionalProperties": TEXT}),
        (Mapping[str, object], {"type": "object", "additionalProperties": {}}),
        (
            Point,
            {
                "type": "object",
                "properties": {"x": {"type": "integer"}, "label": TEXT},
                "required": ["x"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_annotations_have_schemas(annotation: object, schema: object) -> None:
    assert schema_of(annotation) == schema


@pytest.mark.parametrize("annotation", [Car, bytes, tuple[int, str], Opaque, tuple, list])
def test_what_has_no_one_form_in_json_is_refused(annotation: object) -> None:
    with pytest.raises(TypeError):
        schema_of(annotation)


def test_unions_have_alternatives() -> None:
    assert alternatives(str | None) == (str, type(None))
    assert alternatives(str) == (str,)


def test_attributes_are_found_behind_dots_and_as_properties() -> None:
    assert of_attribute(Car, "wheel.size") == int | None
    assert of_attribute(Car, "name") is str


def test_attributes_that_are_not_there_are_refused() -> None:
    with pytest.raises(AttributeError):
        of_attribute(Car, "wheel.colour")


def test_results_are_annotated_or_anything() -> None:
    def typed() -> str:
        return ""

    assert of_result(typed) is str
    assert of_result(lambda: "") is object
    assert of_attribute(Car, "unknown") is object
