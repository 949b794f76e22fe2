"""Calls over the bus: answers, errors, versions, pins, retries."""

import logging

import pytest

from nova import exception
from nova.context import RequestContext, get_admin_context
from nova.objects.flavor import FlavorQuery
from nova.rpc.interface import Interface, Kind, call, cast, fanout
from nova.rpc.local import LocalBus
from nova.rpc.message import Request, encode_context


class Shop(Interface):
    topic = "shop"
    version = "1.3"

    @call(since="1.0", args={"colour": "1.2", "size": "1.3"})
    def buy(self, context: RequestContext, name: str, colour: str = "red", size: int = 1) -> str:
        """Buy."""

    @call(since="1.0", retry_safe=True)
    def look(self, context: RequestContext, query: FlavorQuery) -> int | None:
        """Look."""

    @call(since="1.2")
    def complain(self, context: RequestContext, kind: str) -> None:
        """Complain."""

    @cast(since="1.0")
    def order(self, context: RequestContext, name: str) -> None:
        """Order."""

    @fanout(since="1.0")
    def closing(self, context: RequestContext) -> None:
        """Close."""


class Clerk(Shop):
    def __init__(self) -> None:
        self.seen: list[object] = []

    def buy(self, context, name, colour="red", size=1):
        self.seen.append(context)
        return f"{name} {colour} {size}"

    def look(self, context, query):
        self.seen.append(query)
        return query.limit

    def complain(self, context, kind):
        if kind == "expected":
            raise exception.FlavorNotFound(flavor_id="7")
        raise ValueError("the secret is out")

    def order(self, context, name):
        self.seen.append(name)

    def closing(self, context):
        self.seen.append("closing")


CONTEXT = RequestContext(user_id="u", roles=("member",), remote_address="192.0.2.9")


@pytest.fixture
def bus():
    return LocalBus()


@pytest.fixture
def clerk(bus):
    clerk = Clerk()
    bus.serve("shop", "here", [clerk]).start()
    return clerk


@pytest.fixture
def shop(bus, clerk):
    return bus.client(Shop)


def test_call_is_answered(shop):
    assert shop.anyone().buy(CONTEXT, "hat", size=3) == "hat red 3"


def test_every_field_of_the_context_arrives(shop, clerk):
    shop.anyone().buy(CONTEXT, "hat")
    assert clerk.seen == [CONTEXT]


def test_wrong_arguments_fail_at_the_caller(shop):
    with pytest.raises(TypeError):
        shop.anyone().buy(CONTEXT)


def test_argument_of_another_type_fails_at_the_caller(shop):
    with pytest.raises(exception.BadMessage):
        shop.anyone().look(CONTEXT, "query")


def test_expected_error_crosses_with_its_arguments(shop):
    with pytest.raises(exception.FlavorNotFound) as caught:
        shop.anyone().complain(CONTEXT, "expected")
    assert caught.value.kwargs == {"flavor_id": "7"}


@pytest.mark.logs_errors
def test_in_13_unexpected_error_crosses_without_its_text(shop, caplog):
    with pytest.raises(exception.RemoteError) as caught:
        shop.anyone().complain(CONTEXT, "other")
    assert "secret" not in str(caught.value) and "ValueError" in str(caught.value)
    assert caplog.text.count("ValueError: the secret is out") == 1


def test_expected_error_is_logged_at_debug_only(shop, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(exception.FlavorNotFound):
        shop.anyone().complain(CONTEXT, "expected")
    assert not caplog.records


def test_server_that_is_not_there_times_out(shop):
    with pytest.raises(exception.MessagingTimeout):
        shop.on("elsewhere").buy(CONTEXT, "hat")


def test_only_retry_safe_calls_are_asked_again(bus, shop):
    bus.drop_next("look")
    assert shop.anyone().look(CONTEXT, FlavorQuery()) == FlavorQuery().limit
    bus.drop_next("buy")
    with pytest.raises(exception.MessagingTimeout):
        shop.anyone().buy(CONTEXT, "hat")
    assert [record.method for record in bus.calls] == ["look", "look", "buy"]


def test_retry_safe_call_is_asked_twice_at_most(bus, shop):
    bus.drop_next("look", count=2)
    with pytest.raises(exception.MessagingTimeout):
        shop.anyone().look(CONTEXT, FlavorQuery())


def test_call_to_everyone_is_refused(shop):
    with pytest.raises(TypeError):
        shop.everyone().buy(CONTEXT, "hat")


def test_fanout_reaches_every_server(bus, shop, clerk):
    other = Clerk()
    bus.serve("shop", "there", [other]).start()
    shop.anyone().closing(CONTEXT)
    bus.run_until_idle()
    assert clerk.seen == other.seen == ["closing"]


def test_messages_to_anyone_go_round(bus, shop, clerk):
    other = Clerk()
    bus.serve("shop", "there", [other]).start()
    for _ in range(4):
        shop.anyone().buy(CONTEXT, "hat")
    assert len(clerk.seen) == len(other.seen) == 2


def test_messages_are_recorded(bus, shop):
    shop.on("here").order(CONTEXT, "hat")
    record = bus.calls[0]
    assert (record.topic, record.host, record.method) == ("shop", "here", "order")
    assert record.kind is Kind.CAST and record.size > 50


# --- Versions and pins


def test_below_the_pin_new_arguments_are_left_out(clerk):
    bus = LocalBus(pins={"shop": "1.2"})
    bus.serve("shop", "here", [clerk]).start()
    assert bus.client(Shop).anyone().buy(CONTEXT, "hat", "blue", 5) == "hat blue 1"


def test_above_the_pin_new_methods_are_refused(clerk):
    bus = LocalBus(pins={"shop": "1.1"})
    with pytest.raises(exception.VersionPinned):
        bus.client(Shop).anyone().complain(CONTEXT, "expected")


def test_pin_of_another_major_refuses_everything(clerk):
    bus = LocalBus(pins={"shop": "2.0"})
    with pytest.raises(exception.VersionPinned):
        bus.client(Shop).anyone().order(CONTEXT, "hat")


def request(version, method="buy", namespace=None, args=None):
    return {
        "method": method,
        "namespace": namespace,
        "version": version,
        "args": {"name": "hat"} if args is None else args,
    }


def answer_to(bus, message):
    server = bus.serve("shop", "raw", [Clerk()])
    return server.dispatcher.dispatch_raw(message, encode_context(CONTEXT))


@pytest.mark.parametrize("version", ["1.4", "2.0", "0.9"])
def test_version_that_is_not_served_is_refused(bus, version):
    assert answer_to(bus, request(version))["error"]["class"] == "UnsupportedVersion"


@pytest.mark.parametrize("version", ["1.0", "1.3"])
def test_version_that_is_served_is_answered(bus, version):
    assert answer_to(bus, request(version)) == {"result": "hat red 1"}


def test_argument_that_is_not_known_is_dropped(bus):
    message = request("1.0", args={"name": "hat", "newer": 1})
    assert answer_to(bus, message) == {"result": "hat red 1"}


@pytest.mark.parametrize(
    "message",
    [
        request("1.0", method="steal"),
        request("1.0", method="__init__"),
        request("1.0", namespace="x"),
    ],
)
def test_bus_03_unknown_method_is_an_error(bus, message):
    assert answer_to(bus, message)["error"]["class"] == "UnknownMethod"


def test_request_asks_for_no_more_than_it_needs(bus, shop, monkeypatch):
    versions = []
    call_of_bus = bus.call

    def spy(address, request: Request, timeout_s):
        versions.append(request.version)
        return call_of_bus(address, request, timeout_s)

    monkeypatch.setattr(bus, "call", spy)
    shop.anyone().buy(CONTEXT, "hat")
    shop.anyone().buy(CONTEXT, "hat", "blue")
    shop.anyone().buy(CONTEXT, "hat", size=2)
    shop.anyone().buy(CONTEXT, "hat", "red", 1)
    assert versions == ["1.0", "1.2", "1.3", "1.0"]


# --- Declarations and servers


def test_server_that_lacks_a_method_does_not_start(bus):
    class Lazy(Shop):
        pass

    with pytest.raises(exception.ConfigurationError, match="does not define"):
        bus.serve("shop", "here", [Lazy()])


def test_server_with_another_signature_does_not_start(bus):
    class Stubborn(Clerk):
        def buy(self, context, title):
            return title

    with pytest.raises(exception.ConfigurationError, match="other arguments"):
        bus.serve("shop", "here", [Stubborn()])


def test_two_endpoints_of_a_namespace_do_not_start(bus):
    with pytest.raises(exception.ConfigurationError, match="two endpoints"):
        bus.serve("shop", "here", [Clerk(), Clerk()])


def test_newer_argument_needs_a_default():
    with pytest.raises(TypeError):

        class Wrong(Interface):
            @call(since="1.0", args={"name": "1.1"})
            def buy(self, context: RequestContext, name: str) -> None:
                """Buy."""


def test_admin_context_crosses(shop, clerk):
    admin = get_admin_context()
    shop.anyone().buy(admin, "hat")
    assert clerk.seen == [admin]
