import json

import pytest

from nova import exception
from nova.api.openstack import validation
from nova.api.openstack.schema import AnyOf, Key, ListOf, Object, Param, Query
from nova.api.openstack.schema_types import (
    BOOL,
    DATE_TIME,
    HOSTNAME,
    IP,
    METADATA,
    NAME,
    NONNEGATIVE,
    POSITIVE,
    TAG,
    UUID,
)
from nova.api.openstack.versions import Version

V1, V5 = Version(2, 1), Version(2, 5)
THING = Object(
    Key(
        "thing",
        Object(
            Key("name", NAME, required=True),
            Key("size", POSITIVE, since="2.5"),
            Key("adminPass", {"type": "string", "maxLength": 3}),
            Key("entries", ListOf(Object(Key("id", UUID)))),
            Key("choice", AnyOf(IP, {"type": "null"})),
        ),
        required=True,
    )
)


def _refusal(body: object, version: Version = V5) -> str:
    with pytest.raises(exception.Invalid) as caught:
        validation.check_body(THING, version, body)
    return str(caught.value)


def test_keys_come_with_their_version() -> None:
    body = {"thing": {"name": "x", "size": 1}}
    validation.check_body(THING, V5, body)
    assert "Additional properties are not allowed: size" in _refusal(body, V1)


def test_in_04_unknown_keys_are_named() -> None:
    assert _refusal({"thing": {"name": "x", "colour": 1}}) == (
        "Invalid input for field/attribute thing. Value: (not shown). "
        "Additional properties are not allowed: colour."
    )
    assert "other" in _refusal({"thing": {"name": "x"}, "other": 1})


def test_messages_say_what_and_why() -> None:
    assert _refusal({"thing": {"name": 5}}) == (
        "Invalid input for field/attribute name. Value: 5. It must be of type string."
    )
    assert "at most 255 characters" in _refusal({"thing": {"name": "x" * 256}})
    assert "entries[0]" not in _refusal({"thing": {}})
    assert "The required key name is missing" in _refusal({"thing": {}})
    assert "attribute id. Value: 7." in _refusal({"thing": {"name": "x", "entries": [{"id": "7"}]}})
    assert "attribute entries[0]" in _refusal({"thing": {"name": "x", "entries": [1]}})
    assert "Malformed request body" in _refusal([])
    assert "Malformed request body" in _refusal(None)


def test_in_03_long_values_are_not_echoed() -> None:
    assert len(_refusal({"thing": {"name": "x" * 1_000_000}})) < 300


def test_in_03_control_characters_are_not_echoed() -> None:
    message = _refusal({"thing": {"name": "a\r\n\x1b[31mb"}})
    assert message.isprintable()


def test_secrets_are_not_echoed() -> None:
    assert "hunter2" not in _refusal({"thing": {"name": "x", "adminPass": "hunter2"}})


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("web 1", True),
        ("ünïcödé", True),
        (" web", False),
        ("web ", False),
        ("web\n", False),
        ("", False),
        ("a\u200eb", False),
        ("a\U0001f600", False),
        ("x" * 255, True),
        ("x" * 256, False),
    ],
)
def test_names(name: str, fits: bool) -> None:
    assert validation.one_of(NAME, name) is fits


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        (TAG, "a", True),
        (TAG, "a/b", False),
        (TAG, "a,b", False),
        (TAG, "a" * 61, False),
        (HOSTNAME, "a-1", True),
        (HOSTNAME, "a-", False),
        (HOSTNAME, "ab\n", False),
        (POSITIVE, 0, False),
        (POSITIVE, "0", False),
        (POSITIVE, "10", True),
        (POSITIVE, True, False),
        (POSITIVE, "9999999999", False),
        (POSITIVE, 2**31, False),
        (NONNEGATIVE, "0", True),
        (NONNEGATIVE, "٣", False),
        (BOOL, "Yes", True),
        (BOOL, "maybe", False),
        (IP, "10.0.0.1", True),
        (IP, "fe80::1", True),
        (IP, "fe80::1%eth0", False),
        (IP, "10.0.0.1/8", False),
        (UUID, "11111111-2222-3333-4444-555555555555", True),
        (UUID, "x", False),
        (DATE_TIME, "2026-01-02T03:04:05Z", True),
        (DATE_TIME, "yesterday", False),
        (METADATA, {"a": "b"}, True),
        (METADATA, {"a\n": "b"}, False),
        (METADATA, {"a/b": "c"}, False),
        (METADATA, {"a": 1}, False),
        (METADATA, {"a" * 256: "b"}, False),
    ],
)
def test_types(schema: dict[str, object], value: object, fits: bool) -> None:
    assert validation.one_of(schema, value) is fits


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"\xff",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": "\\u0000"}',
        b'{"a\\u0000": 1}',
        b'["\\ud800"]',
        b"1" * 5000,
        b'{"a": 1} x',
    ],
)
def test_text_that_is_no_clean_json_is_refused(raw: bytes) -> None:
    with pytest.raises(exception.MalformedRequestBody):
        validation.parse_json(raw)


def test_escapes_of_whole_characters_pass() -> None:
    assert validation.parse_json(b'["\\ud83d\\ude00", "\\\\u0000"]') == ["\U0001f600", "\\u0000"]
    assert validation.parse_json(b"  ") is None


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 33 + b"]" * 33])
def test_in_01_depth_is_limited_before_parsing(raw: bytes) -> None:
    with pytest.raises(exception.MalformedRequestBody, match="levels"):
        validation.parse_json(raw)


def test_in_01_brackets_in_texts_do_not_count() -> None:
    assert validation.parse_json(json.dumps(["[" * 100 + '"' + "{:" * 5000]).encode())


def test_in_01_number_of_keys_is_limited() -> None:
    raw = json.dumps({str(number): 1 for number in range(validation.MAX_KEYS + 1)}).encode()
    with pytest.raises(exception.MalformedRequestBody, match="keys"):
        validation.parse_json(raw)


PAGE = Query(
    Param("limit", NONNEGATIVE),
    Param("status", repeat=True),
    Param("tags", since="2.5"),
    strict_since="2.5",
)


def test_queries_keep_what_is_known() -> None:
    values = validation.check_query(
        PAGE, V1, [("limit", "5"), ("status", "a"), ("status", "b"), ("x", "1"), ("tags", "t")]
    )
    assert values.get("limit") == "5"
    assert values.all("status") == ("a", "b")
    assert set(values.names()) == {"limit", "status"}
    assert values.get("tags") is None


@pytest.mark.parametrize(
    "pairs",
    [
        [("limit", "-1")],
        [("limit", "x")],
        [("limit", "1"), ("limit", "2")],
        [("x", "1")],
        [("status", "\0")],
    ],
)
def test_in_04_bad_queries_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(exception.InvalidQuery, match="Invalid input for query parameters"):
        validation.check_query(PAGE, V5, pairs)


def test_booleans() -> None:
    assert validation.query_boolean("x", "T") and not validation.query_boolean("x", "off")
    assert validation.boolean("On") and validation.boolean(True) and not validation.boolean("no")
    with pytest.raises(exception.InvalidQuery):
        validation.query_boolean("x", "2")
