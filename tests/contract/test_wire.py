"""The wire stays readable for peers of the last release.

After an additive change write wire.golden anew:
    NOVA_UPDATE_GOLDEN=1 pytest tests/contract/test_wire.py
It refuses to while there are incompatible changes; those need a new major version, which
means to delete the old lines of that interface by hand.
"""

import os
import pathlib

import pytest

from tests.fixtures.wire import facts, incompatible

GOLDEN = pathlib.Path(__file__).parent / "wire.golden"

OLD = [
    "interface shop 1.2",
    "method shop.buy call -> None",
    "since shop.buy 1.0",
    "argument shop.buy.name required str",
    "class Hat",
    "field Hat.size required int",
    "class Colour",
    "value Colour.RED 'red'",
]


def test_wire_is_that_of_the_golden_file():
    now = list(facts())
    old = GOLDEN.read_text().splitlines() if GOLDEN.exists() else []
    assert incompatible(old, now) == []
    if os.environ.get("NOVA_UPDATE_GOLDEN"):
        GOLDEN.write_text("\n".join(now) + "\n")
        old = now
    assert now == old, "the wire changed compatibly: write wire.golden anew (see above)"


@pytest.mark.parametrize("line", OLD)
def test_what_is_removed_is_incompatible(line):
    assert incompatible(OLD, [one for one in OLD if one != line])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("argument shop.buy.name required str", "argument shop.buy.name required int"),
        ("field Hat.size required int", "field Hat.size required float"),
        ("method shop.buy call -> None", "method shop.buy cast -> None"),
        ("method shop.buy call -> None", "method shop.buy call -> str"),
        ("value Colour.RED 'red'", "value Colour.RED 'rouge'"),
        ("interface shop 1.2", "interface shop 1.1"),
    ],
)
def test_what_is_changed_is_incompatible(before, after):
    assert incompatible(OLD, [after if one == before else one for one in OLD])


@pytest.mark.parametrize(
    "lines",
    [
        ["field Hat.brim required int"],
        ["argument shop.buy.colour optional str"],
        ["argument shop.buy.colour optional str", "since shop.buy.colour 1.3"],
        ["method shop.sell call -> None", "since shop.sell 1.2"],
        ["method shop.sell call -> None", "since shop.sell 1.3"],
    ],
)
def test_what_is_new_without_a_new_version_is_incompatible(lines):
    assert incompatible(OLD, OLD + lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["field Hat.brim optional int"],
        ["class Coat", "field Coat.size required int"],
        ["value Colour.BLUE 'blue'"],
        ["argument shop.buy.colour optional str", "since shop.buy.colour 1.3"],
        ["method shop.sell call -> None", "since shop.sell 1.3"],
    ],
)
def test_what_is_added_with_a_new_version_is_compatible(lines):
    new = ["interface shop 1.3", *OLD[1:], *lines]
    assert incompatible(OLD, new) == []


def test_requirement_may_be_dropped():
    new = [line.replace("Hat.size required", "Hat.size optional") for line in OLD]
    assert incompatible(OLD, new) == []
