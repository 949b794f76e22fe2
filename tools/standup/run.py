"""Run programs to their end, with their output in a log file."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from standup.errors import CommandFailed, StandupError


@dataclass(frozen=True)
class Settings:
    """How to run a program: as whom, where, with what beside our own environment."""

    user: str | None = None
    directory: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=dict)
    input_text: str = ""
    timeout_s: float = 900


def tail(path: Path, lines: int = 5) -> str:
    """Return the last non-empty lines of a log, or an empty text if there is none."""
    try:
        text = path.read_bytes()[-20_000:].decode(errors="replace")
    except OSError:
        return ""
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def logged(command: Sequence[str], log: Path, settings: Settings = Settings()) -> None:
    """Run a program, its output appended to a log.

    Raises: CommandFailed with the last lines of the output.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        out.write(f"$ {' '.join(command)}\n".encode())
        out.flush()
        result = _run(command, settings, stdout=out, stderr=subprocess.STDOUT)
    if result.returncode:
        name = Path(command[0]).name
        raise CommandFailed(f"{name} ended with status {result.returncode}:\n{tail(log)}", log)


def output(command: Sequence[str], settings: Settings = Settings()) -> str:
    """Run a program and return what it printed.

    Raises: CommandFailed with what it printed on its error output.
    """
    result = _run(command, settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if result.returncode:
        said = result.stderr.decode(errors="replace").strip()
        raise CommandFailed(f"{' '.join(command)} ended with status {result.returncode}: {said}")
    return result.stdout.decode(errors="replace")


def succeeds(command: Sequence[str], settings: Settings = Settings()) -> bool:
    """Tell whether a program ends with status 0; its output is dropped."""
    result = _run(command, settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return result.returncode == 0


def _run(
    command: Sequence[str], settings: Settings, stdout: object, stderr: object
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # type: ignore[call-overload]
            list(command),
            user=settings.user,
            group=_primary_group(settings.user),
            extra_groups=[] if settings.user else None,
            cwd=settings.directory,
            env={**os.environ, **settings.environment},
            input=settings.input_text.encode(),
            stdout=stdout,
            stderr=stderr,
            timeout=settings.timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise StandupError(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise StandupError(
            f"{' '.join(command)} took longer than {settings.timeout_s:.0f} s"
        ) from error


def _primary_group(user: str | None) -> int | None:
    return pwd.getpwnam(user).pw_gid if user else None
