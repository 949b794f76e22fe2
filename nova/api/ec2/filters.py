"""Filters of Describe actions: names with values in which * and ? stand for others.

Source: ec2-api, sections 1.1, 5 and 7.
"""

import dataclasses
import datetime
import functools
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

# Tells whether a text is like a pattern.
Matcher = Callable[[str], bool]
_SPECIAL = re.compile(r"[*?\\]")
_PART = re.compile(r"\\.|.", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """One filter: a thing passes when one of its values is like one of the patterns."""

    name: str
    patterns: tuple[str, ...]
    matchers: tuple[Matcher, ...]

    def accepts(self, values: Iterable[str]) -> bool:
        """Tell whether one of the values is like one of the patterns."""
        return any(matches(value) for value in values for matches in self.matchers)

    @property
    def exact(self) -> tuple[str, ...] | None:
        """The values that are looked for, None when there is a wildcard among them."""
        if any(map(_SPECIAL.search, self.patterns)):
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
        return Wanted(name, values, tuple(map(_matcher, values)))

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


def _matcher(pattern: str) -> Matcher:
    """Return what tells whether a text is like a pattern.

    * is any text, ? one character, \\ quotes the next one.
    """
    if _SPECIAL.search(pattern) is None:
        return pattern.__eq__
    first, *others = _pieces(pattern)
    if not others:
        return lambda text: first.fullmatch(text)
    *middle, last = others
    return functools.partial(_follow, first, middle, last)


def _follow(first: "_Piece", middle: Sequence["_Piece"], last: "_Piece", text: str) -> bool:
    """Tell whether pieces follow each other, the outer ones at the ends.

    Each is taken at the first place where it is, and no place is tried again for what comes
    later: the time is bounded by the product of both lengths.
    """
    end = len(text) - last.length
    at = first.length
    if at > end or not first.is_at(text, 0) or not last.is_at(text, end):
        return False
    for piece in middle:
        found = piece.regex.search(text, at, end)
        if found is None:
            return False
        at = found.end()
    return True


@dataclasses.dataclass(frozen=True, slots=True)
class _Piece:
    """What is between two * of a pattern; all texts like it have one length."""

    regex: re.Pattern[str]
    length: int

    def fullmatch(self, text: str) -> bool:
        """Tell whether a text is like it."""
        return self.regex.fullmatch(text) is not None

    def is_at(self, text: str, place: int) -> bool:
        """Tell whether a text goes on like it from a place on."""
        return self.regex.match(text, place) is not None


def _pieces(pattern: str) -> list[_Piece]:
    pieces: list[list[str]] = [[]]
    for part in _PART.findall(pattern):
        if part == "*":
            pieces.append([])
        else:
            pieces[-1].append("." if part == "?" else re.escape(part[-1]))
    return [_Piece(re.compile("".join(one), re.DOTALL), len(one)) for one in pieces]
