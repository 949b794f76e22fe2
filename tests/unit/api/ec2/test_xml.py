"""Answers as XML: rendering rules, and text of users as text (EC-09)."""

import datetime
import xml.etree.ElementTree as etree

import pytest

from nova.api.ec2 import xml

NAMESPACE = "{http://ec2.amazonaws.com/doc/2016-11-15/}"
HOSTILE = [
    "<tag>",
    "]]>",
    "&amp;&#0;&lt;",
    "<![CDATA[x]]>",
    '"><script>alert(1)</script>',
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "\u00e9\u20ac\U0001f600",
]


def _render(value):
    text = xml.answer("DescribeThings", "2016-11-15", "req-1", {"thing": value})
    return etree.fromstring(text).find(f"{NAMESPACE}thing")


def _items(element):
    return [item.text for item in element.findall(f"{NAMESPACE}item")]


def test_values():
    assert _render(True).text == "true"
    assert _render(False).text == "false"
    assert _render(0).text == "0"
    assert _render("").text is None
    assert _render(datetime.datetime(2026, 1, 2, 3, 4, 5, 678901)).text == (
        "2026-01-02T03:04:05.678Z"
    )
    assert _items(_render(["a", 1])) == ["a", "1"]
    assert len(_render([])) == 0
    assert _render({"a": {"b": "c"}}).find(f"{NAMESPACE}a/{NAMESPACE}b").text == "c"


def test_what_is_not_known_is_left_out():
    assert _render(None) is None
    assert len(_render({"attachTime": None})) == 0


def test_done():
    root = etree.fromstring(xml.answer("DeleteThing", "2016-11-15", "req-1", None))
    assert root.tag == f"{NAMESPACE}DeleteThingResponse"
    assert root.findtext(f"{NAMESPACE}requestId") == "req-1"
    assert root.findtext(f"{NAMESPACE}return") == "true"


def test_an_unknown_type_is_a_fault_of_ours():
    with pytest.raises(TypeError):
        _render(object())


@pytest.mark.parametrize("text", HOSTILE)
def test_ec_09_text_of_users_is_text(text):
    assert _render(text).text == text
    assert _items(_render([text])) == [text]
    error = etree.fromstring(xml.fault("Code", text, "req-1"))
    assert error.findtext("Errors/Error/Message") == text


def test_ec_09_control_characters_are_removed():
    text = "".join(map(chr, range(32))) + "x\ud800\ufffe\uffffy"
    assert _render(text).text.replace("\r", "\n") == "\t\n\nxy".replace("\r", "\n")
    error = etree.fromstring(xml.fault("Code", "a\0b", "req-1"))
    assert error.findtext("Errors/Error/Message") == "ab"


@pytest.mark.parametrize("version", [*HOSTILE, "\0", "2" * 100000])
def test_ec_09_the_version_is_what_a_client_says(version):
    text = xml.answer("DescribeThings", version, "req-1", {})
    assert len(text) < 1000
    assert len(etree.fromstring(text)) == 1
