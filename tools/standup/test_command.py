"""Everything that CI runs: lint, types, unit, contract, functional and integration tests."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from standup import packages, venvs
from standup.errors import StandupError
from standup.paths import CHECKOUT, TOOLS, default_cache

SERVERS = ("rabbitmq", "mysql", "postgresql", "identity")


@dataclass(frozen=True)
class Stage:
    """One part of the run; every command must end with status 0."""

    name: str
    commands: Sequence[Sequence[str]]
    servers: bool = False


@dataclass
class Outcome:
    """How a stage ended."""

    name: str
    result: str
    seconds: float = 0.0
    details: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    os.chdir(CHECKOUT)
    venv = Path(os.environ.get("NOVA_TEST_VENV", CHECKOUT / ".venv"))
    wanted = [stage for stage in _stages(venv, options.workers) if _selected(stage, options)]
    outcomes = [_timed("prepare", lambda: _prepare(venv, wanted))]
    if outcomes[0].result == "passed":
        for stage in wanted:
            outcomes.append(_timed(stage.name, lambda stage=stage: _run(stage, venv)))  # type: ignore[misc]
    print("\n" + "\n".join(_line(outcome) for outcome in outcomes))
    return 0 if all(outcome.result == "passed" for outcome in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/test",
        description=__doc__,
        epilog="The virtual environment is NOVA_TEST_VENV, else .venv in the checkout.",
    )
    names = [stage.name for stage in _stages(Path("venv"), 1)]
    parser.add_argument("--fast", action="store_true", help="leave out integration tests")
    parser.add_argument(
        "--only", action="append", choices=names, metavar="STAGE", help=f"one of {', '.join(names)}"
    )
    parser.add_argument(
        "--workers", type=int, default=min(os.cpu_count() or 1, 4), help="pytest processes"
    )
    return parser


def _stages(venv: Path, workers: int) -> list[Stage]:
    programs = venv / "bin"
    ruff, pytest = str(programs / "ruff"), [str(programs / "python"), "-m", "pytest", "-q"]
    spread = ["-n", str(workers)]
    lint = [
        [ruff, "check", "."],
        [ruff, "format", "--check", "."],
        [str(programs / "lint-imports")],
    ]
    return [
        Stage("lint", lint),
        Stage("types", [[str(programs / "mypy"), "nova"]]),
        Stage("unit", [[*pytest, *spread, "tests/unit"]]),
        Stage("contract", [[*pytest, *spread, "tests/contract"]]),
        Stage("functional", [[*pytest, *spread, "tests/functional"]]),
        Stage("integration", [[*pytest, "-m", "integration", "tests/integration"]], servers=True),
    ]


def _selected(stage: Stage, options: argparse.Namespace) -> bool:
    if options.only:
        return stage.name in options.only
    return not (options.fast and stage.servers)


def _prepare(venv: Path, stages: Sequence[Stage]) -> None:
    """Install Debian packages, and the project with its test requirements."""
    integration = any(stage.servers for stage in stages)
    if integration and os.geteuid() != 0:
        raise StandupError("integration tests need root: call it through sudo, or with --fast")
    installed = packages.ensure(
        packages.for_tests(integration), default_cache() / "test-packages.log"
    )
    if installed:
        print(f"installed {' '.join(installed)}", flush=True)
    constraints = CHECKOUT / "constraints.txt"
    pins = ["--constraint", str(constraints)] if constraints.exists() else []
    key = venvs.tree_digest(CHECKOUT, ("setup.cfg", "pyproject.toml", "constraints.txt"))
    log = venv / "pip.log"
    if venvs.ensure(
        venv, f"{sys.version} {key}", [[*pins, "--editable", f"{CHECKOUT}[test]"]], log
    ):
        print(f"installed the project and its test requirements into {venv}", flush=True)


def _run(stage: Stage, venv: Path) -> None:
    environment = {**os.environ, "PATH": f"{venv / 'bin'}:{os.environ.get('PATH', '')}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if not stage.servers:
        _commands(stage, environment)
        return
    directory = Path(tempfile.mkdtemp(prefix="nova-test-", dir="/var/tmp"))
    directory.chmod(0o755)
    services = [str(TOOLS / "services")]
    cache = Path(os.environ.get("NOVA_TEST_CACHE", default_cache()))
    try:
        up = [*services, "up", *SERVERS, "--dir", str(directory), "--cache-dir", str(cache)]
        _command(up, environment, quiet=True)
        image = cache / "guest"
        _command([str(TOOLS / "guest-image"), "-u", str(image)], environment)
        variables = json.loads((directory / "environment.json").read_text())
        variables["NOVA_TEST_GUEST_IMAGE"] = str(image / "tiny.qcow2")
        variables["NOVA_TEST_SERVICES_DIR"] = str(directory)
        _commands(stage, {**environment, **variables})
    finally:
        _command([*services, "down", "--dir", str(directory)], environment)
        shutil.rmtree(directory, ignore_errors=True)


def _commands(stage: Stage, environment: dict[str, str]) -> None:
    failed = [command for command in stage.commands if not _succeeds(command, environment)]
    if failed:
        raise StandupError(
            "; ".join(" ".join([Path(command[0]).name, *command[1:]]) for command in failed)
        )


def _command(command: Sequence[str], environment: dict[str, str], quiet: bool = False) -> None:
    if not _succeeds(command, environment, quiet):
        raise StandupError(" ".join(command))


def _succeeds(command: Sequence[str], environment: dict[str, str], quiet: bool = False) -> bool:
    print(f"$ {' '.join(command)}", flush=True)
    out = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, env=environment, stdout=out, check=False).returncode == 0


def _timed(name: str, work: Callable[[], None]) -> Outcome:
    print(f"\n=== {name}", flush=True)
    began = time.monotonic()
    try:
        work()
    except StandupError as error:
        print(f"{name}: {error.why}", file=sys.stderr, flush=True)
        return Outcome(name, "FAILED", time.monotonic() - began, [error.why.splitlines()[0]])
    return Outcome(name, "passed", time.monotonic() - began)


def _line(outcome: Outcome) -> str:
    details = " ".join(outcome.details)
    return f"{outcome.name:12} {outcome.result:7} {outcome.seconds:7.1f} s  {details}"
