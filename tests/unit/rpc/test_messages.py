"""What is not a proper message is refused, and the server lives."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova import exception
from nova.context import get_admin_context
from nova.rpc.base import BaseEndpoint
from nova.rpc.dispatch import Dispatcher
from nova.rpc.message import decode_error, dumps, encode_context, encode_error, loads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "method": st.just("ping") | JSON,
        "namespace": st.just("baseapi") | JSON,
        "version": st.just("1.0") | JSON,
        "args": st.fixed_dictionaries({}, optional={"arg": JSON}) | JSON,
    },
)
CONTEXTS = st.just(encode_context(get_admin_context())) | JSON


@given(message=MESSAGE | JSON, context=CONTEXTS)
@settings(deadline=None, max_examples=300)
def test_bus_03_any_message_is_answered(message, context):
    answer = Dispatcher("topic", [BaseEndpoint("me")]).dispatch_raw(message, context)
    assert set(answer) in ({"result"}, {"error"})
    json.dumps(answer)


def test_bus_03_message_that_is_too_large_is_refused():
    with pytest.raises(exception.BadMessage):
        dumps({"a": "x" * 100}, "m", limit=100)
    with pytest.raises(exception.BadMessage):
        loads(b'"' + b"x" * 100 + b'"', "m", limit=100)


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_what_is_no_json_is_refused(value):
    with pytest.raises(exception.BadMessage):
        dumps(value, "m")


@pytest.mark.parametrize(
    "error",
    [
        exception.FlavorNotFound(flavor_id="1"),
        exception.TooManyInstances(overs="cores", requested=3, used=1, allowed=2),
        exception.NovaException(),
    ],
)
def test_expected_errors_survive(error):
    wire = json.loads(json.dumps(encode_error(error, "t", "m")))
    back = decode_error(wire, "t", "m")
    assert type(back) is type(error) and str(back) == str(error)


@pytest.mark.parametrize(
    "wire",
    [
        {"class": "SystemExit", "kwargs": {}},
        {"class": "FlavorNotFound", "kwargs": {}},
        {"class": "annotations", "kwargs": {}},
        {"class": "FlavorNotFound", "kwargs": ["x"]},
        {"class": 5, "kwargs": {}},
        {},
        None,
        "text",
    ],
)
def test_bus_03_error_that_can_not_be_read_is_a_remote_error(wire):
    assert type(decode_error(wire, "t", "m")) is exception.RemoteError


def test_error_class_of_elsewhere_crosses_as_remote_error():
    class Private(exception.NotFound):
        message = "{reason}"

    wire = encode_error(Private(reason="x"), "t", "m")
    assert wire["class"] == "RemoteError"
