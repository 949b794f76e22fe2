"""Views: which fields of an object a version shows, and to whom."""

import datetime
import functools
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from nova import clock
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Json
from nova.api.openstack.versions import Range, Version

T = TypeVar("T")

ABSENT: object = object()


class Field(Generic[T]):
    """One field of a document.

    source: name of the object's attribute, or a function of the object and the call; a
    function may return ABSENT to leave the field out.  policy: rule that must pass for the
    object's project, else the field is left out.
    """

    __slots__ = ("name", "omit_if_none", "policy", "range", "source")

    def __init__(
        self,
        name: str,
        source: str | Callable[[T, Call], object] | None = None,
        *,
        since: str | None = None,
        until: str | None = None,
        omit_if_none: bool = False,
        policy: str | None = None,
    ) -> None:
        self.name = name
        self.source = source or name
        self.range = Range(since, until)
        self.omit_if_none = omit_if_none
        self.policy = policy

    def value(self, item: T, call: Call) -> object:
        """Return what the field shows of an object."""
        value = (
            getattr(item, self.source) if isinstance(self.source, str) else self.source(item, call)
        )
        if isinstance(value, datetime.datetime):
            value = clock.isoformat(value)
        return ABSENT if value is None and self.omit_if_none else value

    @property
    def always(self) -> bool:
        """Tell whether every document has the field; what functions leave out is not known."""
        return isinstance(self.source, str) and self.policy is None and not self.omit_if_none

    def visible(self, item: T, call: Call) -> bool:
        """Tell whether the policy lets the caller see the field."""
        if self.policy is None:
            return True
        return call.allows(
            self.policy, getattr(item, "project_id", None), getattr(item, "user_id", None)
        )


class View(Generic[T]):
    """A document's fields, in order; name is the key that a single object is wrapped in."""

    def __init__(self, name: str, *fields: Field[T]) -> None:
        self.name = name
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
            "properties": {field.name: {} for field in fields},
            "required": [field.name for field in fields if field.always],
            "additionalProperties": False,
        }

    def extended(self, *fields: Field[T]) -> "View[T]":
        """Return a view with further fields."""
        return View(self.name, *self._fields, *fields)
