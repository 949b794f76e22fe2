"""What a piece of work cost: CPU, messages and statements, with what idling costs taken off."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field

from benchmark import counters, process_figures
from benchmark.cloud import Cloud

DAEMONS = "nova-"
SETTLE_S = 1.0
# Each service reports once in this time, so that idling costs the same in every round.
ROUND_S = 10.0


@dataclass(frozen=True)
class Cost:
    """Of a whole piece of work, or of each of its parts after per().

    cpu_ms: of each program; foreign_ms: of processes of the machine that are not ours.
    """

    wall_s: float
    cpu_ms: dict[str, float]
    foreign_ms: float
    messages: float
    reads: float | None
    writes: float | None
    commits: float | None
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def daemons_ms(self) -> float:
        """CPU of all nova daemons."""
        return sum(ms for name, ms in self.cpu_ms.items() if name.startswith(DAEMONS))

    @property
    def statements(self) -> float | None:
        """Reads and writes, without BEGIN and COMMIT."""
        return None if self.reads is None or self.writes is None else self.reads + self.writes

    def without(self, idle: Cost | None) -> Cost:
        """Return what is left when the cost of idling for the same time is taken off."""
        if idle is None:
            return self
        share = self.wall_s / idle.wall_s
        return Cost(
            wall_s=self.wall_s,
            cpu_ms={
                name: max(0.0, ms - idle.cpu_ms.get(name, 0.0) * share)
                for name, ms in self.cpu_ms.items()
            },
            foreign_ms=self.foreign_ms,
            messages=self.messages - idle.messages * share,
            reads=_less(self.reads, idle.reads, share),
            writes=_less(self.writes, idle.writes, share),
            commits=_less(self.commits, idle.commits, share),
            load=self.load,
        )

    def per(self, count: int) -> Cost:
        """Return the cost of one of many equal parts."""
        return Cost(
            wall_s=self.wall_s / count,
            cpu_ms={name: ms / count for name, ms in self.cpu_ms.items()},
            foreign_ms=self.foreign_ms / count,
            messages=self.messages / count,
            reads=None if self.reads is None else self.reads / count,
            writes=None if self.writes is None else self.writes / count,
            commits=None if self.commits is None else self.commits / count,
            load=self.load,
        )


def _less(value: float | None, idle: float | None, share: float) -> float | None:
    return None if value is None or idle is None else value - idle * share


class Meter:
    """Reads all counters at the begin and at the end of a piece of work.

    idle: what the cloud costs when nobody asks for anything; None until it was measured.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._pids = cloud.pids()
        self.idle: Cost | None = None
        self.begin()

    def begin(self) -> None:
        """Start to count."""
        self._messages = counters.messages(self._cloud.rabbitmq)
        self._statements = self._read_statements()
        self._usage = process_figures.usage(self._pids)
        self._began = time.monotonic()

    def end(self) -> Cost:
        """Return what was spent since begin, less what idling costs."""
        wall_s = time.monotonic() - self._began
        usage = process_figures.usage(self._pids)
        statements = self._read_statements()
        cpu_ms = {
            name: (seconds - self._usage.programs_s[name]) * 1000
            for name, seconds in usage.programs_s.items()
        }
        others_s = usage.machine_s - self._usage.machine_s - (usage.tool_s - self._usage.tool_s)
        before = self._statements
        return Cost(
            wall_s=wall_s,
            cpu_ms=cpu_ms,
            foreign_ms=max(0.0, others_s * 1000 - sum(cpu_ms.values())),
            messages=counters.messages(self._cloud.rabbitmq) - self._messages,
            reads=statements.reads - before.reads if statements and before else None,
            writes=statements.writes - before.writes if statements and before else None,
            commits=statements.commits - before.commits if statements and before else None,
        ).without(self.idle)

    def end_of_round(self) -> Cost:
        """Return what end() does, after work has settled and whole rounds of reports are over."""
        spent_s = time.monotonic() - self._began + SETTLE_S
        rounds = math.ceil(spent_s / ROUND_S)
        time.sleep(max(0.0, self._began + rounds * ROUND_S - time.monotonic()))
        return self.end()

    def _read_statements(self) -> counters.Statements | None:
        server = self._cloud.mariadb
        return None if server is None else counters.statements(server)
