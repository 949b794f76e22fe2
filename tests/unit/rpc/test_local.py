"""The in-process bus: queues, failures on demand, workers; the self-check over it."""

import pytest

from nova.context import RequestContext, get_admin_context
from nova.rpc.base import BaseAPI, BaseEndpoint
from nova.rpc.interface import Interface, cast
from nova.rpc.local import LocalBus
from nova.rpc.selfcheck import SelfCheck

CONTEXT = get_admin_context()


class Post(Interface):
    topic = "post"
    version = "1.0"

    @cast(since="1.0")
    def deliver(self, context: RequestContext, letter: str) -> None:
        """Deliver."""


class Postman(Post):
    def __init__(self, client=None):
        self.letters = []
        self.client = client

    def deliver(self, context, letter):
        self.letters.append(letter)
        if self.client is not None and letter == "chain":
            self.client.anyone().deliver(context, "link")


@pytest.fixture
def bus():
    bus = LocalBus()
    yield bus
    bus.close()


@pytest.fixture
def postman(bus):
    postman = Postman(bus.client(Post))
    bus.serve("post", "here", [postman]).start()
    return postman


def deliver(bus, *letters):
    for letter in letters:
        bus.client(Post).anyone().deliver(CONTEXT, letter)


def test_casts_wait_until_they_are_run(bus, postman):
    deliver(bus, "a", "b")
    assert postman.letters == []
    bus.run_until_idle()
    assert postman.letters == ["a", "b"]


def test_casts_made_by_casts_are_run_too(bus, postman):
    deliver(bus, "chain")
    bus.run_until_idle()
    assert postman.letters == ["chain", "link"]


def test_lost_cast(bus, postman):
    bus.drop_next("deliver")
    deliver(bus, "a", "b")
    bus.run_until_idle()
    assert postman.letters == ["b"]


def test_bus_04_doubled_cast(bus, postman):
    bus.double_next("deliver")
    deliver(bus, "a", "b")
    bus.run_until_idle()
    assert postman.letters == ["a", "a", "b"]


def test_late_cast(bus, postman):
    bus.delay_next("deliver")
    deliver(bus, "a", "b")
    bus.run_until_idle()
    bus.release_delayed()
    bus.run_until_idle()
    assert postman.letters == ["b", "a"]


def test_cast_waits_for_its_server(bus):
    deliver(bus, "a")
    bus.run_until_idle()
    postman = Postman()
    bus.serve("post", "here", [postman]).start()
    bus.run_until_idle()
    assert postman.letters == ["a"]


def test_spawned_work_is_queued_like_a_cast(bus):
    done = []
    bus.spawn(done.append, 1)
    assert done == []
    bus.run_until_idle()
    assert done == [1]


def test_workers_run_casts_at_once():
    bus = LocalBus(threads=2)
    postman = Postman(bus.client(Post))
    bus.serve("post", "here", [postman]).start()
    deliver(bus, "chain", "b")
    bus.run_until_idle()
    bus.close()
    assert sorted(postman.letters) == ["b", "chain", "link"]


# --- Self-check


def checked(bus, process_id="me", answers="me", siblings=1):
    server = bus.serve("post", "here", [BaseEndpoint(answers)])
    server.start()
    return SelfCheck(bus, server, "post", "here", process_id, siblings=siblings), server


def test_ping_that_arrives_is_well(bus):
    check, _ = checked(bus)
    assert check.run()


def test_ping_that_is_lost_restarts_the_server(bus):
    check, server = checked(bus)
    server.stop()
    assert not check.run()
    assert check.run()


def test_answer_of_another_process_is_no_proof(bus):
    check, _ = checked(bus, process_id="me", answers="somebody else")
    assert not check.reached()


def test_sibling_may_answer_first(bus):
    check, _ = checked(bus, answers="sibling", siblings=2)
    bus.serve("post", "here", [BaseEndpoint("me")]).start()
    assert check.run()


def test_ping_is_part_of_the_wire(bus):
    checked(bus)
    assert bus.client(BaseAPI, "post").on("here").ping(CONTEXT, "x") == "me"
