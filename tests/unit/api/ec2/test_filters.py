"""Filters: names, wildcards, tags."""

import random
import time

import pytest

from nova.api.ec2.filters import Filters
from nova.exception import Ec2ParameterInvalid

THINGS = [
    {"name": "web-1", "tags": {"Name": "a*b", "env": "prod"}},
    {"name": "web-22", "tags": {"Name": "axb"}},
    {"name": "db", "tags": {}},
]
FILTERS = Filters(
    {"name": lambda thing: [thing["name"]], "none": lambda thing: []},
    tags=lambda thing: thing["tags"],
)


def _found(*filters):
    given = [{"Name": name, "Value": values} for name, *values in filters]
    return [thing["name"] for thing in FILTERS.select(given, THINGS)]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("web-1", ["web-1"]),
        ("web-?", ["web-1"]),
        ("web-*", ["web-1", "web-22"]),
        ("*", ["web-1", "web-22", "db"]),
        ("*2", ["web-22"]),
        ("*e*2*", ["web-22"]),
        ("w**1", ["web-1"]),
        ("WEB-1", []),
        ("web", []),
        ("", []),
        ("web.1", []),
    ],
)
def test_wildcards(pattern, names):
    assert _found(("name", pattern)) == names


def test_quoted_wildcards():
    assert _found(("tag:Name", "a\\*b")) == ["web-1"]
    assert _found(("tag:Name", "a*b")) == ["web-1", "web-22"]
    assert _found(("tag:Name", "a\\?b")) == []


def test_values_are_alternatives_and_filters_are_not():
    assert _found(("name", "db", "web-1")) == ["web-1", "db"]
    assert _found(("name", "web*"), ("tag-key", "env")) == ["web-1"]
    assert _found(("tag-value", "prod")) == ["web-1"]
    assert _found(("tag:missing", "*")) == []
    assert _found(("none", "*")) == []
    assert _found(("name",)) == []


@pytest.mark.parametrize("name", ["colour", "tag", "", "tags:Name"])
def test_an_unknown_filter_is_refused(name):
    with pytest.raises(Ec2ParameterInvalid):
        _found((name, "x"))


def test_without_tags_there_are_no_filters_of_them():
    with pytest.raises(Ec2ParameterInvalid):
        Filters({}).read([{"Name": "tag-key", "Value": ()}])


def test_patterns_that_are_made_to_take_long_do_not():
    thing = [{"name": "a" * 250, "tags": {}}]
    assert FILTERS.select([{"Name": "name", "Value": ("*a" * 120 + "b",)}], thing) == []


def test_a_pattern_is_matched_in_far_less_time_than_all_its_places_take():
    text = "v" * 255
    values = tuple(f"*{'v' * 120}z{number}" for number in range(200))
    wanted = FILTERS.read([{"Name": "name", "Value": values}])
    began = time.process_time()
    assert not any(FILTERS.accept(wanted, {"name": text, "tags": {}}) for _ in range(20))
    # All places of all patterns take a second for each thing.
    assert time.process_time() - began < 2


@pytest.mark.parametrize("seed", range(20))
def test_patterns_match_what_a_slow_matcher_matches(seed):
    chance = random.Random(seed)

    def some(letters, most):
        return "".join(chance.choice(letters) for _ in range(chance.randrange(most)))

    for _ in range(100):
        pattern, text = some("ab*?\\", 7), some("ab*\\", 7)
        found = FILTERS.select(
            [{"Name": "name", "Value": (pattern,)}], [{"name": text, "tags": {}}]
        )
        assert bool(found) == _slowly_like(pattern, text), (pattern, text)


def _slowly_like(pattern, text):
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_slowly_like(pattern[1:], text[place:]) for place in range(len(text) + 1))
    width = 2 if pattern[0] == "\\" and len(pattern) > 1 else 1
    wanted = pattern[:width]
    fits = bool(text) and (wanted == "?" or wanted[-1] == text[0])
    return fits and _slowly_like(pattern[width:], text[1:])


def test_too_much_is_refused():
    for given in (
        [{"Name": "name", "Value": ("x" * 256,)}],
        [{"Name": "name", "Value": ("x",) * 201}],
        [{"Name": "name", "Value": ("x",)}] * 51,
    ):
        with pytest.raises(Ec2ParameterInvalid):
            FILTERS.read(given)
