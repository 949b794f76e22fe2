"""CPU time and memory of process trees, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """CPU seconds since the start of each program, and of the whole machine.

    tool_s is the benchmark itself.
    """

    programs_s: Mapping[str, float]
    machine_s: float
    tool_s: float


def usage(roots: Mapping[str, int]) -> Usage:
    """Return the CPU time of processes with all their children, also of those that ended."""
    processes = dict(_processes())
    own = os.times()
    return Usage(
        programs_s={
            name: sum(processes[pid][1] for pid in _tree(processes, root)) / _TICKS_PER_S
            for name, root in roots.items()
        },
        machine_s=_busy_s(),
        tool_s=own.user + own.system,
    )


@dataclass(frozen=True)
class Memory:
    """MiB of a process tree: own pages, and the part of each process in shared ones."""

    processes: int
    largest_mb: float
    all_mb: float


def memory(root: int) -> Memory:
    """Return what a process and its children take."""
    sizes = [_pss_kb(pid) / 1024 for pid in _tree(dict(_processes()), root)]
    return Memory(len(sizes), round(max(sizes), 1), round(sum(sizes), 1))


def _processes() -> Iterator[tuple[int, tuple[int, int]]]:
    """Give the number, the parent and the CPU ticks of every process."""
    for entry in os.listdir(_PROC):
        if not entry.isdigit():
            continue
        try:
            stat = (_PROC / entry / "stat").read_text(errors="replace")
        except OSError:
            continue
        fields = stat.rsplit(")", 1)[1].split()
        yield int(entry), (int(fields[1]), sum(int(field) for field in fields[11:15]))


def _tree(processes: Mapping[int, tuple[int, int]], root: int) -> list[int]:
    found = [root] if root in processes else []
    for parent in found:
        found += [pid for pid, (above, _) in processes.items() if above == parent]
    return found


def _busy_s() -> float:
    with open(_PROC / "stat") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS_PER_S


def _pss_kb(pid: int) -> int:
    """Return the memory of a process, 0 when it has ended since it was listed."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in lines:
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
