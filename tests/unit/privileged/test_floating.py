"""HST-03: what nova-network does as root with floating addresses, with a hostile caller."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from nova.privileged import floating
from nova.privileged.context import run_in_process

HOSTILE = ("203.0.113.0/24", "::1", "-D", "203.0.113.5 --any", "", None)


class Conntrack:
    """Stands for the program."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.answer = (0, "conntrack v1.4.7: 2 flow entries have been deleted.")

    def run(self, arguments: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        """Note a run."""
        self.runs.append(arguments)
        return subprocess.CompletedProcess(arguments, self.answer[0], "", self.answer[1])


@pytest.fixture
def conntrack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Conntrack]:
    """Give a program that does nothing; privileged functions run in this process."""
    made = Conntrack()
    monkeypatch.setattr(subprocess, "run", made.run)
    run_in_process(True)
    yield made
    run_in_process(False)


def test_connections_are_cut_in_both_directions(conntrack: Conntrack) -> None:
    assert floating.cut_connections_to("203.0.113.5")[0] == 0
    assert floating.cut_connections_from("203.0.113.5")[0] == 0
    assert conntrack.runs == [
        ["conntrack", "-D", "--orig-dst", "203.0.113.5"],
        ["conntrack", "-D", "--reply-dst", "203.0.113.5"],
    ]


def test_no_connection_to_cut_is_no_failure_but_others_are(conntrack: Conntrack) -> None:
    conntrack.answer = (1, "conntrack v1.4.7: 0 flow entries have been deleted.")
    assert floating.cut_connections_to("203.0.113.5")[0] == 0
    conntrack.answer = (1, "conntrack v1.4.7: 10 flow entries, and then: Operation failed")
    assert floating.cut_connections_to("203.0.113.5")[0] == 1
    conntrack.answer = (1, "Operation failed: no permission")
    assert floating.cut_connections_to("203.0.113.5")[0] == 1


@pytest.mark.parametrize("address", HOSTILE)
def test_what_is_no_address_is_refused(conntrack: Conntrack, address: Any) -> None:
    for call in (
        lambda: floating.cut_connections_to(address),
        lambda: floating.cut_connections_from(address),
        lambda: floating.cut_attempts_at(address, "udp"),
        lambda: floating.add_address(address, "eth0"),
        lambda: floating.remove_address(address, "eth0"),
        lambda: floating.announce_address(address, "eth0", 1),
    ):
        with pytest.raises(ValueError, match=r"."):
            call()
    assert conntrack.runs == []


def test_attempts_are_of_known_protocols_and_no_open_connections(conntrack: Conntrack) -> None:
    for protocol in floating.ATTEMPTS:
        floating.cut_attempts_at("203.0.113.5", protocol)
    assert [run[3:-2] for run in conntrack.runs] == [
        ["tcp", "--state", "SYN_SENT"],
        ["udp"],
        ["icmp"],
    ]
    with pytest.raises(ValueError, match="protocol"):
        floating.cut_attempts_at("203.0.113.5", "all")


@pytest.mark.parametrize("device", ["../x", "a b", "", "x" * 16])
def test_what_is_no_device_is_refused(conntrack: Conntrack, device: str) -> None:
    with pytest.raises(ValueError, match="device"):
        floating.device_of(device)
    with pytest.raises(ValueError, match="device"):
        floating.remove_address("203.0.113.5", device)
