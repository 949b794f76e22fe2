"""Lease events on their way to the conductor."""

import pytest

from nova.exception import FixedIpNotFound, MessagingUnavailable
from nova.network.leases import LeaseBook

MAC = "fa:16:3e:00:00:05"


class Receiver:
    """Takes events, after raising what it was given."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.events: list[tuple[str, str, bool]] = []

    def __call__(self, address: str, mac: str, leased: bool) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.events.append((address, mac, leased))


def test_events_wait_while_the_conductor_is_away_and_the_newest_counts() -> None:
    receiver = Receiver(MessagingUnavailable(), MessagingUnavailable())
    book = LeaseBook(receiver)
    for address, leased in (("10.0.0.1", True), ("10.0.0.2", True), ("10.0.0.1", False)):
        book.note(address, MAC, leased)
        book.flush()
    assert receiver.events == [("10.0.0.2", MAC, True), ("10.0.0.1", MAC, False)]
    book.flush()
    assert len(receiver.events) == 2


@pytest.mark.logs_errors
def test_refused_event_does_not_hold_up_others() -> None:
    receiver = Receiver(FixedIpNotFound(address="10.0.0.1"))
    book = LeaseBook(receiver)
    book.note("10.0.0.1", MAC, True)
    book.note("10.0.0.2", MAC, True)
    book.flush()
    assert receiver.events == [("10.0.0.2", MAC, True)]


def test_event_that_comes_while_sending_is_sent_too() -> None:
    events: list[tuple[str, bool]] = []

    def send(address: str, mac: str, leased: bool) -> None:
        events.append((address, leased))
        if leased:
            book.note(address, mac, False)
            book.flush()

    book = LeaseBook(send)
    book.note("10.0.0.1", MAC, True)
    book.flush()
    assert events == [("10.0.0.1", True), ("10.0.0.1", False)]
