"""Views: which fields of an object a version shows, and to whom."""

import datetime
import enum
import functools
import operator
from collections.abc import Callable, Iterable
from types import NoneType
from typing import Final, Generic, TypeVar

from nova import clock
from nova.api.openstack import annotations
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Json, Type, resolve
from nova.api.openstack.versions import Range, Version

T = TypeVar("T")


class Absent(enum.Enum):
    """Type of the one value ABSENT, which leaves a field out."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Field(Generic[T]):
    """One field of a document.

    source: name of the object's attribute (a dot leads to an attribute of it), or a function
    of the object and the call; one that says so in its annotation may return ABSENT to leave
    the field out.  policy: rule that must pass for the object's project, else the field is
    left out.  type: what the annotation of the attribute or function can not say.
    """

    __slots__ = ("_attribute", "name", "omit_if_none", "policy", "range", "source", "type")

    def __init__(
        self,
        name: str,
        source: str | Callable[[T, Call], object] | None = None,
        *,
        since: str | None = None,
        until: str | None = None,
        omit_if_none: bool = False,
        policy: str | None = None,
        type: Type | None = None,
    ) -> None:
        self.name = name
        self.source = source or name
        self.type = type
        self._attribute: Callable[[T], object] = operator.attrgetter(
            self.source if isinstance(self.source, str) else name
        )
        self.range = Range(since, until)
        self.omit_if_none = omit_if_none
        self.policy = policy

    def value(self, item: T, call: Call) -> object:
        """Return what the field shows of an object."""
        source = self.source
        value = self._attribute(item) if isinstance(source, str) else source(item, call)
        if isinstance(value, datetime.datetime):
            value = clock.isoformat(value)
        return ABSENT if value is None and self.omit_if_none else value

    def schema(self, of: "type[T]", version: Version) -> Json:
        """Return the JSON schema of what the field shows of objects of a class."""
        if self.type is not None:
            return resolve(self.type, version)
        unseen = (Absent, NoneType) if self.omit_if_none else (Absent,)
        return annotations.schema_of_any(
            [entry for entry in self._alternatives(of) if entry not in unseen]
        )

    def always(self, of: "type[T]") -> bool:
        """Tell whether every document has the field."""
        optional = self.policy is not None or self.omit_if_none
        return not optional and Absent not in self._alternatives(of)

    def _alternatives(self, of: "type[T]") -> tuple[object, ...]:
        source = self.source
        return annotations.alternatives(
            annotations.of_attribute(of, source)
            if isinstance(source, str)
            else annotations.of_result(source)
        )

    def visible(self, item: T, call: Call) -> bool:
        """Tell whether the policy lets the caller see the field."""
        if self.policy is None:
            return True
        return call.allows(
            self.policy, getattr(item, "project_id", None), getattr(item, "user_id", None)
        )


class View(Generic[T]):
    """A document's fields, in order, with the class of the objects that it shows.

    name is the key that a single object is wrapped in.
    """

    def __init__(self, of: type[T], name: str, *fields: Field[T]) -> None:
        self.name = name
        self._of = of
        self._fields = fields
        self._fields_at = functools.cache(self._select)
        self._guarded = any(field.policy is not None for field in fields)

    def _select(self, version: Version) -> tuple[Field[T], ...]:
        return tuple(field for field in self._fields if version in field.range)

    def item(self, item: T, call: Call) -> dict[str, object]:
        """Return an object's document without its wrapping."""
        document = {}
        for field in self._visible(item, call):
            value = field.value(item, call)
            if value is not ABSENT:
                document[field.name] = value
        return document

    def _visible(self, item: T, call: Call) -> tuple[Field[T], ...]:
        """Return the fields that the caller may see of an object: decided once for each owner."""
        fields = self._fields_at(call.version)
        if not self._guarded:
            return fields
        owner = getattr(item, "project_id", None), getattr(item, "user_id", None)
        return call.remembered(
            (self, owner), lambda: tuple(field for field in fields if field.visible(item, call))
        )

    def render(self, item: T, call: Call) -> dict[str, object]:
        """Return an object's document."""
        return {self.name: self.item(item, call)}

    def items(self, items: Iterable[T], call: Call) -> list[dict[str, object]]:
        """Return the documents of a list."""
        return [self.item(item, call) for item in items]

    def at(self, version: Version) -> Json:
        """Return the JSON schema of an object's document without its wrapping."""
        fields = self._fields_at(version)
        return {
            "type": "object",
            "properties": {field.name: field.schema(self._of, version) for field in fields},
            "required": [field.name for field in fields if field.always(self._of)],
            "additionalProperties": False,
        }

    def extended(self, *fields: Field[T]) -> "View[T]":
        """Return a view with further fields."""
        return View(self._of, self.name, *self._fields, *fields)
