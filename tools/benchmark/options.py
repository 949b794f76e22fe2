"""What a run of the benchmark shall do."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

PHASES = (
    "boot",
    "cost",
    "churn",
    "multi",
    "storm",
    "list",
    "delete",
    "pages",
    "networks",
    "groups",
    "consoles",
    "ec2",
)
FIRST_PORT = 28000


@dataclass(frozen=True)
class Sizes:
    """How much of each thing is done.

    boots are timed one at a time; costs is the number of each operation whose messages and
    statements are counted; storms, multi, lists and pages are numbers of servers; cycles is how
    many servers are made and deleted again; addresses is how many are given and taken back;
    nova-network is started with a number of servers, in one network and in networks; rules of a
    group that grouped servers are in are changed, one at a time and rules at once; consoles is
    how many sessions of a proxy there are at once; ec2 is a number of instances of the EC2 API.
    """

    boots: int = 20
    costs: int = 20
    storms: tuple[int, ...] = (50, 200)
    multi: int = 50
    lists: tuple[int, ...] = (100, 1000)
    reads: int = 40
    pages: int = 10000
    shows_per_s: float = 200.0
    shows_s: float = 20.0
    cycles: int = 400
    idle_s: float = 20.0
    addresses: int = 1000
    network_servers: int = 500
    networks: int = 20
    grouped: int = 200
    rules: int = 20
    consoles: int = 200
    ec2: int = 1000


QUICK = Sizes(
    boots=5,
    costs=5,
    storms=(20,),
    multi=10,
    lists=(50,),
    reads=10,
    pages=2500,
    shows_s=5.0,
    cycles=24,
    idle_s=10.0,
    addresses=100,
    network_servers=100,
    networks=4,
    grouped=20,
    rules=5,
    consoles=50,
    ec2=100,
)


@dataclass(frozen=True)
class Options:
    """One run."""

    directory: Path | None
    python: Path | None
    database: str
    concurrency: str
    processes: int
    hosts: int
    parallel: int
    phases: tuple[str, ...]
    sizes: Sizes
    out: Path | None
    keep: bool
    first_port: int
    label: str
    end: Path | None

    @property
    def host_count(self) -> int:
        """Compute hosts altogether."""
        return self.processes * self.hosts


def parse(arguments: list[str]) -> Options:
    """Read the command line."""
    given = _parser().parse_args(arguments)
    return Options(
        directory=given.dir,
        python=given.python,
        database=given.database,
        concurrency=given.concurrency_backend,
        processes=given.processes,
        hosts=given.hosts,
        parallel=given.parallel,
        phases=tuple(phase for phase in PHASES if phase in given.phases),
        sizes=QUICK if given.quick else Sizes(),
        out=given.out,
        keep=given.keep,
        first_port=given.first_port,
        label=given.label,
        end=given.end,
    )


def _phases(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in PHASES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such phase: {', '.join(unknown)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description="Measure a cloud of fake hosts on a RabbitMQ and a database of its own. "
        "Everything that is started is ended and removed again. See doc/admin/benchmark.md.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="few of everything: about three minutes")
    add(
        "--phases",
        type=_phases,
        default=PHASES,
        help=f"comma-separated choice of {','.join(PHASES)}",
    )
    add("--out", type=Path, metavar="FILE", help="write all figures there, as JSON")
    add("--label", default="", help="name of the run, in the table and the file")
    add("--database", choices=("mysql", "sqlite"), default="mysql")
    add("--concurrency-backend", choices=("eventlet", "threads"), default="eventlet")
    add("--processes", type=int, default=4, help="nova-compute processes (default: 4)")
    add("--hosts", type=int, default=10, help="hosts of each of them (default: 10)")
    add("--parallel", type=int, default=8, help="requests at once in storms (default: 8)")
    add(
        "--python",
        type=Path,
        help="interpreter that has the project's requirements; by default that of NOVA_TEST_VENV, "
        "else of .venv in the checkout, which is made if it is missing",
    )
    add("--dir", type=Path, help="directory for data and logs (default: a new one in /var/tmp)")
    add("--first-port", type=int, default=FIRST_PORT, help="where to look for free ports")
    add("--keep", action="store_true", help="leave the cloud running, and say where it is")
    add("--end", type=Path, metavar="DIR", help="only end and remove what --keep left there")
    return parser
