"""Filters of Describe actions: names with values in which * and ? stand for others.

Source: ec2-api, sections 1.1, 5 and 7.
"""

import dataclasses
import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from nova.api.ec2 import xml
from nova.api.ec2.params import TEXT, Param, invalid

T = TypeVar("T")
# Everything that a thing has for a filter's name.
Values = Callable[[T], Iterable[str]]

FILTER = Param(
    "Filter",
    many=True,
    fields=(
        Param("Name", type=TEXT, required=True),
        Param("Value", type=TEXT, many=True),
    ),
)
MAX_FILTERS = 50
MAX_VALUES = 200
MAX_LENGTH = 255


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """One filter: a thing passes when one of its values is like one of the patterns."""

    name: str
    patterns: tuple[str, ...]

    def accepts(self, values: Iterable[str]) -> bool:
        """Tell whether one of the values is like one of the patterns."""
        return any(_like(pattern, value) for value in values for pattern in self.patterns)

    @property
    def exact(self) -> tuple[str, ...] | None:
        """The values that are looked for, None when there is a wildcard among them."""
        if any(re.search(r"[*?\\]", pattern) for pattern in self.patterns):
            return None
        return self.patterns


@dataclasses.dataclass(frozen=True, slots=True)
class Filters(Generic[T]):
    """The filters that an action knows: names and what a thing has for each.

    tags: what a thing is tagged with, where it can be; it brings tag:KEY, tag-key and tag-value.
    nothing: names that EC2 documents for what this cloud has none of, so that nothing passes;
    one that ends in a dot stands for all that begin like it.
    """

    values: Mapping[str, Values[T]]
    tags: Callable[[T], Mapping[str, str]] | None = None
    nothing: tuple[str, ...] = ()

    def read(self, given: Sequence[Mapping[str, Any]]) -> tuple[Wanted, ...]:
        """Return the filters of a request.  Raises: Ec2ParameterInvalid."""
        if len(given) > MAX_FILTERS:
            raise invalid("Filter", f"there may be {MAX_FILTERS} filters at most")
        return tuple(self._read(filter_["Name"], filter_["Value"]) for filter_ in given)

    def _read(self, name: str, values: tuple[str, ...]) -> Wanted:
        if self._values_of(name) is None:
            raise invalid("Filter", f"there is no filter {name}")
        if len(values) > MAX_VALUES or max(map(len, values), default=0) > MAX_LENGTH:
            raise invalid("Filter", f"the values of {name} are too many or too long")
        return Wanted(name, values)

    def accept(self, wanted: Iterable[Wanted], thing: T) -> bool:
        """Tell whether a thing passes all filters."""
        return all(self._accepts(filter_, thing) for filter_ in wanted)

    def select(self, given: Sequence[Mapping[str, Any]], things: Iterable[T]) -> list[T]:
        """Return the things that pass the filters of a request.  Raises: Ec2ParameterInvalid."""
        wanted = self.read(given)
        return [thing for thing in things if self.accept(wanted, thing)]

    def _accepts(self, filter_: Wanted, thing: T) -> bool:
        values = self._values_of(filter_.name)
        assert values is not None, "names are checked when they are read"
        return filter_.accepts(values(thing))

    def _values_of(self, name: str) -> Values[T] | None:
        if name in self.values:
            return self.values[name]
        if self._is_nothing(name):
            return lambda thing: []
        return None if self.tags is None else _of_tags(name, self.tags)

    def _is_nothing(self, name: str) -> bool:
        return any(
            name.startswith(known) if known.endswith(".") else name == known
            for known in self.nothing
        )


def _of_tags(name: str, tags: Callable[[T], Mapping[str, str]]) -> Values[T] | None:
    if name == "tag-key":
        return lambda thing: list(tags(thing))
    if name == "tag-value":
        return lambda thing: list(tags(thing).values())
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda thing: [tags(thing)[key]] if key in tags(thing) else []
    return None


def told(document: Mapping[str, object], *path: str) -> list[str]:
    """Return the text of an element of what is told of a thing, by its way there."""
    value: Any = document
    for name in path:
        value = value.get(name) if value is not None else None
    return [] if value in (None, "") else [_text(value)]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return xml.moment(value)
    return str(value)


def no_tags(thing: object) -> Mapping[str, str]:
    """Return the tags of what has none here."""
    return {}


def _like(pattern: str, text: str) -> bool:
    """Tell whether a text is like a pattern: * is any text, ? one character, \\ quotes the next.

    Only the last * is ever tried again, so that the time is bounded by both lengths' product.
    """
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    at = place = 0
    star, resume = -1, 0
    while at < len(text):
        if place < len(parts) and parts[place] == "*":
            star, resume = place, at
            place += 1
        elif place < len(parts) and parts[place] in ("?", text[at], f"\\{text[at]}"):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(part == "*" for part in parts[place:])
