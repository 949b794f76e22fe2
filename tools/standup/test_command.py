"""Everything that CI runs: lint, types, unit, contract, functional and integration tests."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

from standup import identity, packages, run, venvs
from standup.errors import StandupError
from standup.paths import CHECKOUT, TOOLS, default_cache

STAGES = ("lint", "types", "unit", "contract", "functional", "integration")

MACHINE_LIMIT_S = 1800

# The tests of programs start them under both back ends, whatever they run on themselves.
PROGRAMS = ("tests/functional/test_programs.py", "tests/functional/tools")

# Requests and their answers, one after the other: how the two back ends carry a request is
# tested by the files beside them, and twice the time for it keeps everybody waiting.  What is
# about waiting, locks, sockets, or what breaks off in the middle, does not belong here.
REQUESTS_ALONE = tuple(
    f"tests/functional/test_{name}.py"
    for name in (
        *("api_description", "api_resources", "api_samples", "az_matrix", "budgets"),
        *("bundles", "certificates", "console_log", "consoles", "ec2_boto3"),
        *("ec2_budgets", "ec2_dry_run", "ec2_filters", "ec2_images", "ec2_instance_parts"),
        *("ec2_instances", "ec2_network", "ec2_signatures", "ec2_zones", "fixed_ips"),
        *("foreign_ids_in_bodies", "input_costs", "mass_assignment", "networking_api"),
        *("networking_fuzz", "networking_own_networks", "networking_policy", "objectstore"),
        *("policy_denials", "rest_fuzz", "rest_servers", "security_groups", "serial_ports"),
        *("server_security_groups", "zero_disk_flavors"),
    )
)


@dataclass(frozen=True)
class Lane:
    """Integration tests with a network, processes and servers of their own.

    tests: what pytest is told; servers: those that these tests need, all of them if None.
    modules: those that these tests need of Debian's kernel, in a virtual machine; "" for tests
    that the kernel of this machine suffices for.
    """

    name: str
    tests: Sequence[str]
    servers: str | None = None
    modules: str = ""


def _file(name: str) -> str:
    return f"tests/integration/test_{name}.py"


# As many lanes as there are processes for tests run at once; the long ones come first.
_HALF_OF_LIBVIRT = "guest_cases or disk_cases"
_OF_CLIENTS = ("openstack_client", "openstack_tour", "nova_shell", "sdk", "networking_sdk")
OWN_LANES = (
    Lane("guests", [_file("libvirt"), "-k", _HALF_OF_LIBVIRT], ""),
    Lane("more-guests", [_file("libvirt"), "-k", f"not ({_HALF_OF_LIBVIRT})"], ""),
    Lane("cloud", [_file("real_cloud"), _file("real_network"), _file("real_kills")], "mysql"),
    Lane("clients", [_file(name) for name in _OF_CLIENTS]),
    Lane("aws", [_file("aws_tour"), _file("console_pages")], "mysql,identity"),
    Lane("vlans", ["tests/integration/vlan_cases.py"], "", "8021q bridge veth tun"),
)
IN_OWN_LANES = sorted({one for lane in OWN_LANES for one in lane.tests if one.endswith(".py")})
LANES = (
    *OWN_LANES[:3],
    Lane("others", [*(f"--ignore={one}" for one in IN_OWN_LANES), "tests/integration"]),
    *OWN_LANES[3:],
)


@dataclass(frozen=True)
class Stage:
    """One part of the run; every command must end with status 0.

    at_once: how many commands may run side by side.
    again: what is added to a command that failed, to run once more what failed in it.
    """

    name: str
    commands: Sequence[Sequence[str]]
    at_once: int = 1
    servers: bool = False
    again: Sequence[str] = ()


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
    began = time.monotonic()
    venv = Path(os.environ.get("NOVA_TEST_VENV", CHECKOUT / ".venv")).absolute()
    cache = Path(os.environ.get("NOVA_TEST_CACHE", default_cache())).absolute()
    wanted = [stage for stage in _stages(venv, cache, options) if _selected(stage, options)]
    integration = any(stage.servers for stage in wanted)
    outcomes = [_timed("prepare", lambda: _prepare(venv, cache, integration))]
    if outcomes[0].result == "passed":
        environment = _environment(venv)
        for stage in wanted:
            outcomes.append(_timed(stage.name, lambda one=stage: _run(one, environment)))  # type: ignore[misc]
    passed = all(outcome.result == "passed" for outcome in outcomes)
    outcomes.append(Outcome("all", "passed" if passed else "FAILED", time.monotonic() - began))
    print(f"\nrandom seed {options.seed}\n" + "\n".join(_line(outcome) for outcome in outcomes))
    return 0 if passed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/test",
        description=__doc__,
        epilog="The virtual environment is NOVA_TEST_VENV, else .venv in the checkout;"
        " what is worth keeping of servers and guests is in NOVA_TEST_CACHE,"
        " else where the quick start has it.",
    )
    parser.add_argument("--fast", action="store_true", help="leave out integration tests")
    parser.add_argument(
        "--only",
        action="append",
        choices=STAGES,
        metavar="STAGE",
        help=f"one of {', '.join(STAGES)}",
    )
    parser.add_argument(
        "--lane",
        action="append",
        choices=[lane.name for lane in LANES],
        metavar="LANE",
        help="a part of the integration tests, no other stage: "
        + ", ".join(lane.name for lane in LANES),
    )
    parser.add_argument(
        "--workers", type=int, default=min(os.cpu_count() or 1, 4), help="pytest processes"
    )
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(2**31), help="of the order of the tests"
    )
    return parser


def _stages(venv: Path, cache: Path, options: argparse.Namespace) -> list[Stage]:
    python, ruff = str(venv / "bin" / "python"), str(venv / "bin" / "ruff")
    pytest = [python, "-m", "pytest", "-q", f"--randomly-seed={options.seed}"]
    spread = [*pytest, "-n", str(options.workers)]
    lint = [
        [ruff, "check", "."],
        [ruff, "format", "--check", "."],
        [str(venv / "bin/lint-imports"), "--no-logo"],
    ]
    return [
        Stage("lint", lint),
        Stage("types", [[str(venv / "bin" / "mypy"), "nova"]]),
        Stage("unit", [[*spread, "tests/unit"]]),
        Stage("contract", [[*spread, "tests/contract"]]),
        Stage("functional", _functional(pytest, options.workers), at_once=2),
        Stage(
            "integration",
            _integration(pytest, cache, options.lane),
            at_once=options.workers,
            servers=True,
            # A machine whose cores somebody else uses can make daemons too slow for a test; what
            # does not pass by itself either has failed.
            again=("--last-failed",),
        ),
    ]


def _functional(pytest: Sequence[str], workers: int) -> list[list[str]]:
    """Return the commands for threads and for eventlet, which xdist can not spread.

    What runs once comes last, over all processors, since the two others end together.
    """
    others = ["-n", str(workers - 1)] if workers > 2 else []
    once = (*PROGRAMS, *REQUESTS_ALONE)
    both = [*(f"--ignore={path}" for path in once), "tests/functional"]
    return [
        [*pytest, *others, *both],
        ["env", "NOVA_TEST_CONCURRENCY=eventlet", *pytest, *both],
        [*pytest, "-n", str(workers), *once],
    ]


def _integration(
    pytest: Sequence[str], cache: Path, names: Sequence[str] | None = None
) -> list[list[str]]:
    """Return the command for each lane, or for those that are named."""
    apart = [sys.executable, "-B", str(TOOLS / "standup"), "integration"]
    apart += ["--cache", str(cache), "--images", str(_images(cache))]
    return [
        [
            *apart,
            *([] if lane.servers is None else ["--servers", lane.servers]),
            "--",
            *(_in_machine(lane, pytest[0], cache) if lane.modules else _here(lane, pytest)),
        ]
        for lane in LANES
        if not names or lane.name in names
    ]


def _here(lane: Lane, pytest: Sequence[str]) -> list[str]:
    kept = ["-o", f"cache_dir=.pytest_cache/{lane.name}", "--last-failed-no-failures=none"]
    return [*pytest, *kept, *lane.tests]


def _in_machine(lane: Lane, python: str, cache: Path) -> list[str]:
    """Return the command for tests in a virtual machine; what they leave goes with it.

    Without KVM Python is slow there: plugins and guards that these tests do without are left out.
    """
    machine = [str(TOOLS / "kernel-vm"), "--images", str(_images(cache))]
    machine += ["--limit", str(MACHINE_LIMIT_S), "--modules", lane.modules, "--"]
    machine += ["env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1"]
    return [*machine, python, "-m", "pytest", "-v", "--color=no", "--noconftest", *lane.tests]


def _images(cache: Path) -> Path:
    return cache / "guest"


def _selected(stage: Stage, options: argparse.Namespace) -> bool:
    if options.lane:
        return stage.servers
    if options.only:
        return stage.name in options.only
    return not (options.fast and stage.servers)


def _prepare(venv: Path, cache: Path, integration: bool) -> None:
    """Install Debian packages, the project with its test requirements, servers, a guest image."""
    if integration and os.geteuid() != 0:
        raise StandupError("integration tests need root: call it through sudo, or with --fast")
    installed = packages.ensure(packages.for_tests(integration), cache / "test-packages.log")
    if installed:
        print(f"installed {' '.join(installed)}", flush=True)
    works = [lambda: _install_project(venv)]
    if integration:
        works += [lambda: _install_identity(cache), lambda: _build_guest(cache)]
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()


def _install_project(venv: Path) -> None:
    constraints = CHECKOUT / "constraints.txt"
    pins = ["--constraint", str(constraints)] if constraints.exists() else []
    key = venvs.tree_digest(CHECKOUT, ("setup.cfg", "pyproject.toml", "constraints.txt"))
    installs = [[*pins, "--editable", f"{CHECKOUT}[test]"]]
    if venvs.ensure(venv, f"{CHECKOUT} {key}", installs, venv / "pip.log"):
        print(f"installed the project and its test requirements into {venv}", flush=True)


def _install_identity(cache: Path) -> None:
    if identity.install(cache / "identity-venv", cache / "identity-venv.log"):
        print(f"installed Keystone and Glance into {cache / 'identity-venv'}", flush=True)


def _build_guest(cache: Path) -> None:
    command = [str(TOOLS / "guest-image"), "-u", str(_images(cache))]
    run.logged(command, cache / "guest-image.log")


def _environment(venv: Path) -> dict[str, str]:
    """Return the environment of all stages; nothing may be skipped in them."""
    environment = {**os.environ, "PATH": f"{venv / 'bin'}:{os.environ.get('PATH', '')}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.pop("NOVA_TEST_CONCURRENCY", None)
    return {**environment, "NOVA_TEST_NO_SKIPS": "1"}


def _run(stage: Stage, environment: dict[str, str]) -> None:
    """Run the commands of a stage, all of them even if one fails.

    Raises: StandupError with those that failed.
    """
    with ThreadPoolExecutor(stage.at_once) as pool:
        running = [
            pool.submit(_passes, command, stage.again, environment, index < 1 or stage.at_once == 1)
            for index, command in enumerate(stage.commands)
        ]
        pairs = zip(stage.commands, running, strict=True)
        failed = [command for command, one in pairs if not one.result()]
    if failed:
        raise StandupError(
            "; ".join(" ".join([Path(command[0]).name, *command[1:]]) for command in failed)
        )


def _passes(
    command: Sequence[str], again: Sequence[str], environment: dict[str, str], shown: bool
) -> bool:
    """Run a command, and what failed in it once more; tell whether all has passed."""
    if not _status_of(command, environment, shown=shown):
        return True
    if not again or _status_of([*command, *again], environment, shown=shown):
        return False
    print(f"UNSTEADY: these tests passed only by themselves: {' '.join(command)}", flush=True)
    return True


def _status_of(command: Sequence[str], environment: dict[str, str], *, shown: bool) -> int:
    """Run a command; what it prints comes at once if shown, else when it has ended."""
    title = f"$ {' '.join(command)}"
    if shown:
        print(title, flush=True)
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode
    began = time.monotonic()
    with TemporaryFile() as output:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        output.seek(0)
        text = output.read().decode(errors="replace")
    print(f"{title}\n{text}(ended after {time.monotonic() - began:.0f} s)\n", flush=True)
    return done.returncode


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
