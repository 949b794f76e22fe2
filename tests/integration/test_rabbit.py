"""The bus over a real RabbitMQ, named by NOVA_TEST_RABBIT_URL (rabbit://user:pw@host:port/vhost)."""

import json
import os
import threading
import time
import urllib.parse
import uuid

import amqp
import pytest
from oslo_config import cfg

from nova import config, exception
from nova.context import RequestContext
from nova.rpc.amqp import AmqpBus
from nova.rpc.base import BaseAPI, BaseEndpoint
from nova.rpc.interface import Interface, call, cast, fanout
from nova.rpc.notification import Notification
from nova.rpc.selfcheck import SelfCheck
from tests.fixtures.relay import Relay

URL = os.environ.get("NOVA_TEST_RABBIT_URL", "")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not URL, reason="NOVA_TEST_RABBIT_URL names no RabbitMQ"),
]

CONTEXT = RequestContext(user_id="u", project_id="p", roles=("member",))
PATIENCE_S = 30


class Shop(Interface):
    topic = "shop"
    version = "1.1"

    @call(since="1.0", timeout_s=2)
    def buy(self, context: RequestContext, name: str) -> str:
        """Buy."""

    @call(since="1.0", timeout_s=2)
    def sleep(self, context: RequestContext) -> None:
        """Take longer than anybody waits."""

    @call(since="1.0", timeout_s=5)
    def fail(self, context: RequestContext, expected: bool) -> None:
        """Fail."""

    @call(since="1.1")
    def novelty(self, context: RequestContext) -> None:
        """Be newer than a pin of 1.0."""

    @cast(since="1.0")
    def order(self, context: RequestContext, name: str) -> None:
        """Order."""

    @fanout(since="1.0")
    def closing(self, context: RequestContext) -> None:
        """Close."""


class Clerk(Shop):
    def __init__(self):
        self.seen = []
        self.changed = threading.Condition()
        self.awake = threading.Event()

    def note(self, what):
        with self.changed:
            self.seen.append(what)
            self.changed.notify_all()

    def wait_for(self, count):
        with self.changed:
            return self.changed.wait_for(lambda: len(self.seen) >= count, PATIENCE_S)

    def buy(self, context, name):
        self.note((context, name))
        return f"one {name}"

    def sleep(self, context):
        self.awake.wait(PATIENCE_S)

    def fail(self, context, expected):
        if expected:
            raise exception.FlavorNotFound(flavor_id="7")
        raise ValueError("secret")

    def novelty(self, context):
        self.note("novelty")

    def order(self, context, name):
        self.note(name)

    def closing(self, context):
        self.note("closing")


class Newer(Shop):
    """The same interface as a client of a later release declares it."""

    version = "1.9"

    @call(since="1.9", timeout_s=5)
    def future(self, context: RequestContext) -> None:
        """Ask what the server does not serve yet."""

    @call(since="1.1", timeout_s=5)
    def unknown(self, context: RequestContext) -> None:
        """Ask for a method that nobody has."""


def make_conf(url):
    conf = cfg.CONF
    conf.clear()
    config.register(conf)
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    os.environ["OS_DEFAULT__TRANSPORT_URL"] = url
    conf.reload_config_files()
    return conf


class Market:
    """A bus with a topic of its own, so that tests do not meet."""

    def __init__(self, url, pins=None):
        self.topic = f"shop-{uuid.uuid4().hex[:8]}"
        self.bus = AmqpBus(make_conf(url), pins and {self.topic: pins})
        self.servers = []

    def open(self, host="h1", endpoint=None):
        endpoint = endpoint or Clerk()
        server = self.bus.serve(
            self.topic, host, [endpoint, BaseEndpoint(f"process of {host}")], workers=4
        )
        server.start()
        self.servers.append(server)
        return endpoint, server

    def client(self, interface=Shop):
        return self.bus.client(interface, self.topic)

    def close(self):
        for server in self.servers:
            server.stop()
            server.drain(5)
        self.bus.close()


@pytest.fixture
def market(monkeypatch):
    monkeypatch.setenv("OS_DEFAULT__TRANSPORT_URL", URL)
    market = Market(URL)
    yield market
    market.close()


@pytest.fixture
def broker():
    """Return a channel of our own to the broker."""
    url = urllib.parse.urlsplit(URL)
    connection = amqp.Connection(
        host=f"{url.hostname}:{url.port or 5672}",
        userid=url.username,
        password=urllib.parse.unquote(url.password or ""),
        virtual_host=url.path.lstrip("/") or "/",
    )
    connection.connect()
    yield connection.channel()
    connection.close()


def eventually(check):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            if check():
                return True
        except exception.Unavailable:
            pass
        time.sleep(0.2)
    return False


def test_call_and_context(market):
    clerk, _ = market.open()
    assert market.client().anyone().buy(CONTEXT, "hat") == "one hat"
    assert market.client().on("h1").buy(CONTEXT, "cap") == "one cap"
    assert clerk.seen == [(CONTEXT, "hat"), (CONTEXT, "cap")]


def test_cast_and_fanout(market):
    first, _ = market.open("h1")
    second, _ = market.open("h2")
    market.client().on("h1").order(CONTEXT, "hat")
    market.client().everyone().closing(CONTEXT)
    assert first.wait_for(2) and second.wait_for(1)
    assert sorted(first.seen) == ["closing", "hat"] and second.seen == ["closing"]


def test_call_that_takes_too_long_times_out(market):
    clerk, _ = market.open()
    with pytest.raises(exception.MessagingTimeout):
        market.client().anyone().sleep(CONTEXT)
    clerk.awake.set()
    assert market.client().anyone().buy(CONTEXT, "hat") == "one hat"


def test_nobody_there_is_known_at_once(market):
    market.open()
    started = time.monotonic()
    with pytest.raises(exception.ServiceNotListening):
        market.client().on("elsewhere").buy(CONTEXT, "hat")
    assert time.monotonic() - started < 1.5


def test_errors_cross_without_tracebacks(market):
    market.open()
    with pytest.raises(exception.FlavorNotFound) as caught:
        market.client().anyone().fail(CONTEXT, True)
    assert caught.value.kwargs == {"flavor_id": "7"}
    with pytest.raises(exception.RemoteError) as caught:
        market.client().anyone().fail(CONTEXT, False)
    assert "secret" not in str(caught.value)


def test_unknown_methods_and_versions(market):
    market.open()
    with pytest.raises(exception.UnknownMethod):
        market.client(Newer).anyone().unknown(CONTEXT)
    with pytest.raises(exception.UnsupportedVersion):
        market.client(Newer).anyone().future(CONTEXT)


def test_pin_is_kept(monkeypatch):
    monkeypatch.setenv("OS_DEFAULT__TRANSPORT_URL", URL)
    market = Market(URL, pins="1.0")
    try:
        market.open()
        assert market.client().anyone().buy(CONTEXT, "hat") == "one hat"
        with pytest.raises(exception.VersionPinned):
            market.client().anyone().novelty(CONTEXT)
    finally:
        market.close()


def test_bus_03_fuzzed_messages_do_no_harm(market, broker):
    market.open()
    bodies = ["", "null", "[]", "{}", "nonsense", json.dumps({"oslo.version": "2.0"})]
    for inner in (None, 5, "x", [], {}, {"method": 5}, {"method": "buy", "args": []}):
        text = json.dumps(inner)
        bodies.append(json.dumps({"oslo.version": "2.0", "oslo.message": text}))
    for body in bodies:
        message = amqp.Message(body, content_type="application/json", content_encoding="utf-8")
        broker.basic_publish(message, exchange="", routing_key=f"{market.topic}.h1")
    assert market.client().on("h1").buy(CONTEXT, "hat") == "one hat"


def test_queue_deleted_behind_the_back_is_healed(market, broker):
    _, server = market.open()
    check = SelfCheck(market.bus, server, market.topic, "h1", "process of h1")
    assert check.run()
    broker.queue_delete(f"{market.topic}.h1")
    assert eventually(lambda: check.run() or check.reached())
    assert market.client().on("h1").buy(CONTEXT, "hat") == "one hat"


def test_shared_queue_deleted_behind_the_back_is_healed(market, broker):
    _, server = market.open()
    check = SelfCheck(market.bus, server, market.topic, "h1", "process of h1")
    broker.queue_delete(market.topic)
    assert eventually(lambda: check.run() and market.client().anyone().buy(CONTEXT, "hat"))


def test_connection_that_is_cut_comes_back(monkeypatch):
    url = urllib.parse.urlsplit(URL)
    relay = Relay((url.hostname, url.port or 5672))
    account = url.netloc.rpartition("@")[0]
    through = url._replace(netloc=f"{account}@127.0.0.1:{relay.port}").geturl()
    monkeypatch.setenv("OS_DEFAULT__TRANSPORT_URL", through)
    market = Market(through)
    try:
        market.open()
        client = market.client(BaseAPI).on("h1")
        assert client.ping(CONTEXT, "x")
        relay.down()
        started = time.monotonic()
        with pytest.raises(exception.Unavailable):
            client.ping(CONTEXT, "x")
        assert time.monotonic() - started < PATIENCE_S
        relay.up()
        assert eventually(lambda: client.ping(CONTEXT, "x") == "process of h1")
    finally:
        market.close()
        relay.down()


def test_broker_that_was_never_there_is_unavailable(monkeypatch):
    monkeypatch.setenv("OS_DEFAULT__TRANSPORT_URL", "rabbit://u:p@127.0.0.1:1/")
    bus = AmqpBus(make_conf("rabbit://u:p@127.0.0.1:1/"))
    with pytest.raises(exception.MessagingUnavailable):
        bus.client(BaseAPI, "shop").anyone().ping(CONTEXT, "x")
    with pytest.raises(exception.MessagingUnavailable):
        bus.client(Shop).anyone().order(CONTEXT, "hat")


def test_transport_url_of_no_broker_is_a_configuration_error(monkeypatch):
    monkeypatch.setenv("OS_DEFAULT__TRANSPORT_URL", "carrier-pigeon://coop/")
    with pytest.raises(exception.ConfigurationError):
        AmqpBus(make_conf("carrier-pigeon://coop/"))


def test_messages_of_a_stopped_server_wait_for_its_return(market):
    clerk, server = market.open()
    server.stop()
    assert server.drain(5)
    market.client().on("h1").order(CONTEXT, "hat")
    assert clerk.seen == []
    server.start()
    assert clerk.wait_for(1) and clerk.seen == ["hat"]


def event(topic, **changes):
    values = {
        "topic": topic,
        "publisher_id": "compute.h1",
        "event_type": "compute.instance.pause.end",
        "payload": {"instance_id": "i"},
        "context": {"request_id": "req-1"},
    }
    return Notification(**(values | changes))


@pytest.fixture
def telling(market):
    """Return a bus whose configuration names a driver for events, as a file would."""
    cfg.CONF.set_override("driver", ["messagingv2"], group="oslo_messaging_notifications")
    bus = AmqpBus(cfg.CONF)
    yield bus
    bus.close()
    cfg.CONF.clear_override("driver", group="oslo_messaging_notifications")


def test_bus_07_events_reach_the_queues_of_their_topic(telling, broker):
    topic = f"events-{uuid.uuid4().hex[:8]}"
    assert telling.notifies
    telling.notify(event(topic))
    telling.notify(event(topic, priority="error"))
    for priority in ("info", "error"):
        message = broker.basic_get(f"{topic}.{priority}", no_ack=True)
        envelope = json.loads(json.loads(message.body)["oslo.message"])
        assert envelope["event_type"] == "compute.instance.pause.end"
        assert envelope["publisher_id"] == "compute.h1"
        assert envelope["priority"] == priority.upper()
        assert envelope["payload"] == {"instance_id": "i"}
        assert "token" not in message.body
        broker.queue_delete(f"{topic}.{priority}")


def test_without_driver_no_event_goes_out(market):
    assert not market.bus.notifies
