"""Parameters: dotted names to nested values of declared types."""

import datetime

import pytest

from nova.api.ec2.params import (
    BASE64,
    BOOLEAN,
    INTEGER,
    MOMENT,
    TEXT,
    Param,
    decode,
    integer,
    one_of,
    text_up_to,
)
from nova.exception import Ec2ParameterInvalid, Ec2ParameterMissing

RULES = Param(
    "IpPermissions",
    many=True,
    fields=(
        Param("IpProtocol", type=TEXT),
        Param("FromPort", type=INTEGER),
        Param("IpRanges", many=True, fields=(Param("CidrIp", type=TEXT),)),
    ),
)


def test_names_made_of_digits_stay_text():
    given = {"Name": "00123", "Key": "true", "Tag.1": "0x10"}
    declared = [
        Param("Name", type=TEXT),
        Param("Key", type=TEXT),
        Param("Tag", type=TEXT, many=True),
    ]
    assert decode(declared, given) == {"Name": "00123", "Key": "true", "Tag": ("0x10",)}


def test_types():
    declared = [
        Param("A", type=INTEGER),
        Param("B", type=BOOLEAN),
        Param("C", type=BASE64),
        Param("D", type=MOMENT),
        Param("E", type=one_of("x", "y")),
    ]
    given = {"A": "-1", "B": "TRUE", "C": "aGFs\nbG8=", "D": "2026-01-01T00:00:00Z", "E": "y"}
    assert decode(declared, given) == {
        "A": -1,
        "B": True,
        "C": b"hallo",
        "D": datetime.datetime(2026, 1, 1),
        "E": "y",
    }


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (INTEGER, ""),
        (INTEGER, "1.5"),
        (INTEGER, "\u0661"),
        (INTEGER, "9" * 30),
        (integer(1, 5), "6"),
        (BOOLEAN, "yes"),
        (BASE64, "*"),
        (BASE64, "abc"),
        (MOMENT, "soon"),
        (one_of("x"), "y"),
        (TEXT, "x" * 70000),
    ],
)
def test_bad_values_are_told_with_the_parameter(kind, text):
    with pytest.raises(Ec2ParameterInvalid) as caught:
        decode([Param("Deep", fields=(Param("Thing", type=kind),))], {"Deep.Thing": text})
    assert "Deep.Thing" in str(caught.value)


def test_lists_are_in_the_order_of_their_numbers():
    given = {f"Id.{number}": f"i-{number}" for number in (10, 2, 1)}
    assert decode([Param("Id", type=TEXT, many=True)], given)["Id"] == ("i-1", "i-2", "i-10")


def test_nested_lists():
    given = {
        "IpPermissions.1.IpProtocol": "tcp",
        "IpPermissions.1.FromPort": "22",
        "IpPermissions.1.IpRanges.1.CidrIp": "10.0.0.0/8",
        "IpPermissions.1.IpRanges.2.CidrIp": "11.0.0.0/8",
        "IpPermissions.1.Unknown": "x",
    }
    assert decode([RULES], given)["IpPermissions"] == (
        {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "IpRanges": ({"CidrIp": "10.0.0.0/8"}, {"CidrIp": "11.0.0.0/8"}),
        },
    )


def test_one_or_a_list_is_what_old_clients_mix_up():
    one, many = Param("Id", type=TEXT), Param("Id", type=TEXT, many=True)
    assert decode([one], {"Id.1": "a"}) == {"Id": "a"}
    assert decode([many], {"Id": "a"}) == {"Id": ("a",)}
    assert decode([many], {"Id": ""}) == {"Id": ()}


def test_what_is_missing():
    assert decode([Param("A", type=TEXT), Param("B", type=TEXT, default="x")], {}) == {
        "A": None,
        "B": "x",
    }
    for param in (
        Param("A", type=TEXT, required=True),
        Param("A", type=TEXT, required=True, many=True),
    ):
        with pytest.raises(Ec2ParameterMissing, match="A"):
            decode([param], {})
    with pytest.raises(Ec2ParameterMissing, match=r"Tag\.1\.Key"):
        fields = (Param("Key", type=TEXT, required=True), Param("Value", type=TEXT))
        decode([Param("Tag", many=True, fields=fields)], {"Tag.1.Value": "x"})


@pytest.mark.parametrize(
    "given",
    [
        {"IpPermissions": "x"},
        {"IpPermissions.x.FromPort": "1"},
        {"IpPermissions.1": "x"},
        {"IpPermissions.1": "x", "IpPermissions.1.FromPort": "1"},
        {"IpPermissions.1.FromPort": "1", "IpPermissions.1": "x"},
        {"IpPermissions.1.FromPort.1.1": "1"},
        {"IpPermissions.1.IpRanges.1": "x"},
        {f"IpPermissions.{number}.FromPort": "1" for number in range(1001)},
    ],
)
def test_names_that_fit_no_declaration_of_theirs_are_refused(given):
    with pytest.raises(Ec2ParameterInvalid):
        decode([RULES], given)


def test_deep_names_cost_nothing():
    decode([RULES], {"Unknown" + ".1" * 100000: "x"})
    with pytest.raises(Ec2ParameterInvalid):
        decode([RULES], {"IpPermissions.1.FromPort" + ".1" * 10000: "x"})


@pytest.mark.parametrize("text", ["a\x00b", "\x01", "\ufffe", "\ud800"])
def test_text_that_neither_databases_nor_answers_take_is_refused(text):
    with pytest.raises(Ec2ParameterInvalid):
        decode([Param("Name", type=TEXT)], {"Name": text})


def test_text_that_no_column_can_hold_is_refused():
    rule = Param("Description", type=text_up_to(255))
    assert decode([rule], {"Description": "x" * 255})["Description"] == "x" * 255
    with pytest.raises(Ec2ParameterInvalid):
        decode([rule], {"Description": "x" * 256})
