"""The daemons under test as programs, and how long each takes to be ready."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standup import run
from standup.errors import StandupError
from standup.manager import SupervisedPrograms
from standup.paths import CHECKOUT
from standup.program import Program

from benchmark import process_figures
from benchmark.daemon_files import Site
from benchmark.readiness import ReadySocket

READY_TIMEOUT_S = 60
TIER = 3


@dataclass(frozen=True)
class ColdStart:
    """A start: seconds on the clock until ready, and CPU seconds spent until then."""

    name: str
    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Daemons:
    """Starts daemons one after the other, so that none disturbs another's start."""

    manager: SupervisedPrograms
    python: Path
    site: Site
    logs: Path

    def start_all(self, processes: int) -> list[ColdStart]:
        """Start conductor, scheduler, API and compute processes.  Raises: StandupError."""
        site = self.site
        ready = ReadySocket()
        try:
            return [
                self._start(ready, "nova-conductor", "conductor", [site.database]),
                self._start(ready, "nova-scheduler", "scheduler"),
                self._start(ready, "nova-api", "api"),
                *(
                    self._start(ready, f"nova-compute-{number}", "compute", [site.compute(number)])
                    for number in range(1, processes + 1)
                ),
            ]
        finally:
            ready.close()

    def manage(self, *arguments: str) -> None:
        """Run nova-manage.  Raises: CommandFailed."""
        command = self._command("manage", [self.site.database])
        settings = run.Settings(directory=self.site.directory, environment=_environment())
        run.logged([*command, *arguments], self.logs / "nova-manage.log", settings)

    def script(self, name: str, *arguments: str) -> None:
        """Run a program of this package on the daemons' database.  Raises: CommandFailed."""
        command = self._script(name, str(self.site.database), *arguments)
        run.logged(command, self.logs / f"{name}.log", self._settings())

    def measure(self, name: str, *arguments: str) -> Any:
        """Return the JSON that a program of this package prints.  Raises: CommandFailed."""
        return json.loads(run.output(self._script(name, *arguments), self._settings()))

    def _script(self, name: str, *arguments: str) -> list[str]:
        return [str(self.python), str(Path(__file__).with_name(f"{name}.py")), *arguments]

    def _settings(self) -> run.Settings:
        return run.Settings(directory=self.site.directory, environment=_environment())

    def _command(self, module: str, extra: Sequence[Path] = ()) -> list[str]:
        files = [
            part for file in (self.site.common, *extra) for part in ("--config-file", str(file))
        ]
        entry = f"import sys; from nova.cmd.{module} import main; sys.exit(main())"
        return [str(self.python), "-c", entry, *files]

    def _start(
        self, ready: ReadySocket, name: str, module: str, extra: Sequence[Path] = ()
    ) -> ColdStart:
        log = self.logs / f"{name}.log"
        program = Program(
            name,
            tuple(self._command(module, extra)),
            str(log),
            environment={**_environment(), **ready.environment},
            directory=str(self.site.directory),
            restart=False,
            tier=TIER,
            stop_timeout_s=30,
        )
        began = time.monotonic()
        self.manager.start(program)
        try:
            ready.wait(name, READY_TIMEOUT_S, lambda: self._pid(name) is not None)
        except StandupError as error:
            raise StandupError(f"{error.why}:\n{run.tail(log, 15)}", log) from error
        wall_s = time.monotonic() - began
        pid = self._pid(name)
        cpu_s = process_figures.usage({name: pid}).programs_s[name] if pid else 0.0
        return ColdStart(name, round(wall_s, 2), round(cpu_s, 2))

    def _pid(self, name: str) -> int | None:
        state = self.manager.state(name)
        return state.pid if state else None


def _environment() -> dict[str, str]:
    """Byte code is kept, as it is where the project is installed."""
    return {"PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": ""}
