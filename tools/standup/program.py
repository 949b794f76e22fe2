"""What a supervised program is, and what is known of it while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Program:
    """A long-running program that stays in the foreground.

    log is the file its standard output and error are appended to; stop_timeout_s is how long it
    may take to end after SIGTERM before it is killed. Programs of the highest tier are stopped
    first, all of a tier together.
    stop_command is for systemd, where a signal to the first process is not enough.
    """

    name: str
    command: tuple[str, ...]
    log: str
    user: str | None = None
    groups: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = "/"
    umask: int = 0o027
    restart: bool = True
    tier: int = 0
    stop_timeout_s: float = 20.0
    stop_command: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the program as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Program:
        """Read back what to_json wrote."""
        given = dict(values)
        given["command"] = tuple(given["command"])
        given["groups"] = tuple(given["groups"])
        given["stop_command"] = tuple(given["stop_command"])
        return cls(**given)


@dataclass(frozen=True)
class ProgramState:
    """A program at one moment. state: running, stopped, failed or waiting (to be started again)."""

    name: str
    state: str
    pid: int | None
    restarts: int
    uptime_s: float
    log: str
    last_exit: str = ""
