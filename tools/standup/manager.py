"""The client of a process supervisor: start it, hand it programs, ask how they are."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from standup import processes
from standup.errors import StandupError
from standup.program import Program, ProgramState
from standup.run import tail

ENTRY = Path(__file__).resolve().parent


class ProcessManager(Protocol):
    """What starts and keeps programs: our supervisor, or systemd."""

    def start(self, program: Program) -> None:
        """Start a program; a running one is left alone."""

    def stop(self, name: str) -> None:
        """Stop a program and wait for its end."""

    def kill(self, name: str) -> None:
        """End a program like a power failure."""

    def states(self) -> list[ProgramState]:
        """Return what is known of every program, in starting order."""

    def shut_down(self) -> None:
        """Stop all programs, the highest tier first, and wait for their end."""


def own_command(*arguments: str) -> tuple[str, ...]:
    """Return the command line that runs a part of this package."""
    return (sys.executable, "-B", str(ENTRY), *arguments)


class SupervisedPrograms:
    """Programs under a supervisor of our own, which is started on first use."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def start(self, program: Program) -> None:
        """Start a program; a running one is left alone."""
        Path(program.log).parent.mkdir(parents=True, exist_ok=True)
        self.ensure()
        self._ask({"op": "start", "program": program.to_json()})

    def stop(self, name: str) -> None:
        """Stop a program and wait for its end."""
        if not self.answers():
            return
        self._ask({"op": "stop", "name": name})
        wait_until(lambda: self._at_rest(name), 60.0, f"{name} does not end")
        self._ask({"op": "forget", "name": name})

    def kill(self, name: str) -> None:
        """End a program like a power failure."""
        if self.answers():
            self._ask({"op": "kill", "name": name})

    def states(self) -> list[ProgramState]:
        """Return what is known of every program, in starting order."""
        return self._ask({"op": "status"}) if self.answers() else []

    def state(self, name: str) -> ProgramState | None:
        """Return what is known of one program, None if it was never started."""
        return next((state for state in self.states() if state.name == name), None)

    def shut_down(self) -> None:
        """Stop all programs, the highest tier first, and wait for the supervisor's end."""
        supervisor = processes.read_pid_file(self.directory / "supervisor.pid")
        self.ask_to_end()
        if supervisor:
            wait_until(lambda: not processes.alive(supervisor), 30, "the supervisor does not end")
        for path in self.directory.glob("*.pid"):
            left = processes.read_pid_file(path)
            if left:
                processes.end(left)
            path.unlink(missing_ok=True)

    def ask_to_end(self) -> None:
        """Let the supervisor stop all programs, the highest tier first, and wait for that."""
        if self.answers():
            self._ask({"op": "shutdown"})
        wait_until(lambda: not self.answers(), 180, "the supervisor does not end")

    def answers(self) -> bool:
        """Tell whether a supervisor serves this directory."""
        try:
            self._ask({"op": "status"})
        except StandupError:
            return False
        return True

    def _at_rest(self, name: str) -> bool:
        state = self.state(name)
        return state is None or state.pid is None

    def ensure(self) -> None:
        """Start the supervisor unless one serves this directory already."""
        if self.answers():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / "supervisor.log"
        with log.open("ab") as out:
            subprocess.Popen(
                own_command("supervise", str(self.directory)),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
            )
        wait_until(self.answers, 20.0, "the process supervisor does not answer", log)

    def _ask(self, request: dict[str, Any]) -> list[ProgramState]:
        try:
            reply = self._exchange(request)
        except (OSError, ValueError) as error:
            raise StandupError(f"no process supervisor serves {self.directory}: {error}") from error
        if "ok" not in reply:
            raise StandupError(f"the process supervisor refuses: {reply.get('error', 'no answer')}")
        return [ProgramState(**state) for state in reply["ok"]]

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(10.0)
            with processes.short_path(self.directory / "supervisor.sock") as address:
                connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            return dict(json.loads(connection.makefile("r").readline() or "{}"))


def wait_until(
    done: Callable[[], bool], timeout_s: float, complaint: str, log: Path | None = None
) -> None:
    """Wait until a condition holds.

    Raises: StandupError with the complaint and the end of the log when the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            said = f":\n{tail(log)}" if log else ""
            raise StandupError(f"{complaint} (waited {timeout_s:.0f} s){said}", log)
        time.sleep(0.05)


def require_health(states: list[ProgramState], restarts: int = 3) -> None:
    """Check that no program ends again and again.

    Raises: StandupError with the end of its log.
    """
    for state in states:
        if state.state == "failed" or (state.restarts >= restarts and state.uptime_s < 5):
            log = Path(state.log)
            why = f"{state.name} keeps ending ({state.last_exit}):\n{tail(log)}"
            raise StandupError(why, log)
