"""Values survive the wire, and what does not fit is refused."""

import dataclasses
import datetime
import enum
import json
import typing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova.exception import BadMessage
from nova.objects.unset import UNSET, UnsetType
from nova.rpc import codec
from tests.fixtures import wire

st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))

DATACLASSES = [one for one in wire.classes() if dataclasses.is_dataclass(one)]


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    name: str
    weight: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    leaf: Leaf
    colour: Colour
    size: Size = Size.SMALL
    count: int = 0
    flag: bool = False
    data: bytes = b""
    born: datetime.datetime | None = None
    leaves: tuple[Leaf, ...] = ()
    pair: tuple[str, int] = ("", 0)
    by_name: dict[str, Leaf] = dataclasses.field(default_factory=dict)
    by_colour: dict[Colour, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    by_number: dict[int, str] = dataclasses.field(default_factory=dict)
    names: frozenset[str] = frozenset()
    either: str | int | None = None
    change: str | UnsetType | None = UNSET
    child: "Tree | None" = None


def over_the_wire(value: object, hint: object) -> object:
    return codec.decode(json.loads(json.dumps(codec.encode(value, hint))), hint)


def tree(**fields: object) -> Tree:
    return Tree(**{"leaf": Leaf(name="a"), "colour": Colour.RED, **fields})


@given(st.from_type(Tree))
@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
def test_every_kind_of_value_survives(value: Tree) -> None:
    assert over_the_wire(value, Tree) == value


@pytest.mark.parametrize("cls", DATACLASSES, ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(deadline=None, max_examples=3, suppress_health_check=list(HealthCheck), database=None)
def test_every_class_of_the_interfaces_survives(cls: type, data: st.DataObject) -> None:
    value = data.draw(st.from_type(cls))
    assert over_the_wire(value, cls) == value


@pytest.mark.parametrize("hint", set(wire.hints()), ids=str)
def test_every_declared_type_has_a_codec(hint: object) -> None:
    assert callable(codec.encoder(hint)) and callable(codec.decoder(hint))


def test_unset_is_left_out_and_none_is_not() -> None:
    assert "change" not in codec.encode(tree(), Tree)
    assert codec.encode(tree(change=None), Tree)["change"] is None


def test_unknown_fields_are_dropped() -> None:
    assert codec.decode({"name": "a", "newer": 1}, Leaf) == Leaf(name="a")


def test_missing_field_takes_its_default() -> None:
    assert codec.decode({"name": "a"}, Leaf).weight == 0.0


def test_missing_required_field_is_refused_by_name() -> None:
    with pytest.raises(BadMessage, match="name"):
        codec.decode({"weight": 1.0}, Leaf)


def test_default_of_a_field_is_not_shared() -> None:
    wire_form = codec.encode(tree(), Tree)
    del wire_form["by_name"]
    first, second = codec.decode(wire_form, Tree), codec.decode(wire_form, Tree)
    assert first.by_name is not second.by_name


def test_times_are_in_utc_without_zone() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    noon = datetime.datetime(2026, 1, 1, 12, tzinfo=zone)
    assert codec.encode(noon, datetime.datetime) == "2026-01-01T10:00:00.000000"


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (str, 1),
        (int, "1"),
        (int, True),
        (int, 1.5),
        (bool, 1),
        (float, "1"),
        (type(None), 0),
        (bytes, "not base64!"),
        (datetime.datetime, "yesterday"),
        (datetime.datetime, 5),
        (Colour, "green"),
        (Colour, ["red"]),
        (Leaf, []),
        (Leaf, "leaf"),
        (tuple[str, ...], "abc"),
        (tuple[str, ...], [1]),
        (tuple[str, int], ["a"]),
        (dict[str, int], [1]),
        (dict[str, int], {"a": "b"}),
        (dict[int, int], {"a": 1}),
        (str | int, 1.5),
        (str | None, 5),
    ],
)
def test_bus_03_value_of_another_type_is_refused(hint: object, value: object) -> None:
    with pytest.raises(BadMessage):
        codec.decode(value, hint)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
@settings(deadline=None, max_examples=200)
def test_bus_03_any_json_is_decoded_or_refused(value: typing.Any) -> None:
    for hint in (Tree, tuple[Leaf, ...], dict[str, Tree]):
        try:
            codec.decode(value, hint)
        except BadMessage:
            continue
        assert value in ([], {}) or isinstance(value, list | dict)


def test_wrong_class_is_not_encoded() -> None:
    with pytest.raises(BadMessage):
        codec.encode(Leaf(name="a"), Tree)


def test_unknown_type_is_refused_when_the_codec_is_made() -> None:
    with pytest.raises(TypeError):
        codec.encoder(complex)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Sparse:
    needed: int | None
    given: int | None = 5
    absent: str | None = None


def test_none_travels_only_where_it_is_not_the_default():
    value = _Sparse(needed=None, given=None)
    sent = codec.encode(value, _Sparse)
    assert sent == {"needed": None, "given": None}
    assert codec.decode(sent, _Sparse) == value
    assert codec.encode(_Sparse(needed=1, absent="x"), _Sparse)["absent"] == "x"
