"""Ports that somebody else has."""

import socket
from collections.abc import Iterator

import pytest
from standup import ports
from standup.errors import StandupError
from standup.program import ProgramState


class Manager:
    """Knows one program."""

    def __init__(self, pid: int | None) -> None:
        self._state = ProgramState("rabbitmq", "running" if pid else "stopped", pid, 0, 1.0, "log")

    def states(self) -> list[ProgramState]:
        """Return the state of the program."""
        return [self._state]


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_of_somebody_else_is_named_with_the_program_that_needs_it(taken: int) -> None:
    with pytest.raises(StandupError, match=f"port {taken}, which rabbitmq needs, is in use"):
        ports.claim(taken, Manager(None), "rabbitmq")


def test_a_running_program_may_have_its_port(taken: int) -> None:
    ports.claim(taken, Manager(17), "rabbitmq")
