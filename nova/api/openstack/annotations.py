"""JSON schemas of the values that Python annotations promise.

Dataclasses are not looked into, a view says what is shown of them; typed dictionaries are.
"""

import datetime
import enum
import types
import typing
from collections.abc import Callable, Mapping, Sequence

from nova.api.openstack.schema import Json

_SCALARS: Mapping[object, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    types.NoneType: {"type": "null"},
    None: {"type": "null"},
    datetime.datetime: {"type": "string"},
    object: {},
    typing.Any: {},
}
_LISTS = (tuple, list, Sequence)
_MAPPINGS = (dict, Mapping)


def schema_of(annotation: object) -> Json:
    """Return the schema of what an annotation promises.

    Raises: TypeError for annotations whose values have no one form in JSON.
    """
    return schema_of_any(alternatives(annotation))


def schema_of_any(annotations: Sequence[object]) -> Json:
    """Return the schema of values that are of one of several types."""
    schemas = [_schema(annotation) for annotation in annotations]
    if len(schemas) == 1:
        return schemas[0]
    if {} in schemas:
        return {}
    if all(schema.keys() == {"type"} for schema in schemas):
        return {"type": list(dict.fromkeys(str(schema["type"]) for schema in schemas))}
    return {"anyOf": schemas}


def alternatives(annotation: object) -> tuple[object, ...]:
    """Return the members of a union; anything else stands alone."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return typing.get_args(annotation)
    return (annotation,)


def of_attribute(of: type, path: str) -> object:
    """Return the annotation of an attribute; dots lead to the attributes of attributes.

    Properties have that of their getter.  Raises: AttributeError.
    """
    found: object = of
    for name in path.split("."):
        found = _attribute(found, name)
    return found


def of_result(function: Callable[..., object]) -> object:
    """Return the annotation of what a function returns; object where it has none."""
    return typing.get_type_hints(function).get("return", object)


def _attribute(of: object, name: str) -> object:
    hints = typing.get_type_hints(of)
    if name in hints:
        return hints[name]
    getter = getattr(of, name)
    if isinstance(getter, property) and getter.fget is not None:
        return of_result(getter.fget)
    raise AttributeError(f"{of} does not say of what type {name} is")


def _schema(annotation: object) -> Json:
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin = typing.get_origin(annotation)
    if origin in _LISTS:
        return {"type": "array", "items": schema_of(_item(annotation))}
    if origin in _MAPPINGS:
        return {
            "type": "object",
            "additionalProperties": schema_of(typing.get_args(annotation)[1]),
        }
    if origin is typing.Literal:
        return {"enum": list(typing.get_args(annotation))}
    if typing.is_typeddict(annotation):
        return _typed_dictionary(annotation)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {"enum": _values(annotation)}
    raise TypeError(f"{annotation} has no one form in JSON")


def _values(of: type[enum.Enum]) -> list[object]:
    if not issubclass(of, str | int):
        raise TypeError(f"members of {of} are no values of JSON")
    return [member.value for member in of]


def _item(annotation: object) -> object:
    """Return of what type the items of a list are; tuples have as many as it happens."""
    item, *more = typing.get_args(annotation)
    if more not in ([], [...]):
        raise TypeError(f"{annotation} has items that differ")
    return item


def _typed_dictionary(annotation: typing.Any) -> Json:
    hints = typing.get_type_hints(annotation)
    return {
        "type": "object",
        "properties": {name: schema_of(hint) for name, hint in hints.items()},
        "required": sorted(annotation.__required_keys__),
        "additionalProperties": False,
    }
