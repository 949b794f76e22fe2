"""Run the integration tests in namespaces of their own, and see that they leave nothing behind.

The network, the processes and /var/tmp are the run's own, so what is there at the end and was
not at the beginning was left by a test; and nothing of it outlives the run in any case.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from standup import run
from standup.errors import CommandFailed, StandupError
from standup.paths import CHECKOUT, TOOLS

SERVERS = ("rabbitmq", "mysql", "postgresql", "identity")
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))
NAMES_OF_NAMESPACES = Path("/run/netns")
LISTINGS = {
    "link": ("ip", "-o", "link"),
    "route": ("ip", "route"),
    "rule of iptables": ("iptables-save",),
    "rule of ip6tables": ("ip6tables-save",),
    "rule of ebtables": ("ebtables-save",),
    "mount": ("cat", "/proc/self/mounts"),
}
# What the listings of rules have beside rules and chains of users.
_NO_RULE = re.compile(r"#|\*|COMMIT|:\w+ ACCEPT")
_PATIENCE_S = 10.0


def main(arguments: list[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    if not options.inside:
        return _apart(arguments)
    try:
        places = _own_places(options)
        before = found(places)
        failed = _run_tests(options)
        left = _left_since(before, places)
    except StandupError as error:
        print(f"integration: {error.why}", flush=True)
        return 1
    for line in left:
        print(f"left behind: {line}", flush=True)
    return 1 if failed or left else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="standup integration", description=__doc__)
    parser.add_argument("--inside", action="store_true", help="we are in the namespaces already")
    parser.add_argument("--scratch", type=Path, help="what becomes /tmp and /var/tmp")
    parser.add_argument("--cache", type=Path, required=True, help="of the identity servers' venv")
    parser.add_argument("--images", type=Path, required=True, help="where tools/guest-image wrote")
    parser.add_argument(
        "--servers", default=",".join(SERVERS), help="which to put up (%(default)s)"
    )
    parser.add_argument("command", nargs="+", help="runs the tests")
    return parser


def _apart(arguments: Sequence[str]) -> int:
    """Call ourselves in new namespaces; they and all in them end with us."""
    scratch = Path(tempfile.mkdtemp(prefix="nova-test-", dir="/var/tmp"))
    scratch.chmod(0o755)
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    ourselves = [sys.executable, "-B", str(TOOLS / "standup"), "integration"]
    inside = ["--inside", "--scratch", str(scratch), *arguments]
    try:
        return subprocess.run([*unshare, *ourselves, *inside], check=False).returncode
    finally:
        shutil.rmtree(scratch)


def _own_places(options: argparse.Namespace) -> list[Path]:
    """Make directories for temporary files and names of namespaces our own.

    Returns those for files. One in which the checkout or a program lives stays as it is.
    """
    needed = [CHECKOUT, options.cache, options.images, Path(options.command[0])]
    places = [one for one in TEMPORARY if not any(path.is_relative_to(one) for path in needed)]
    for place in places:
        own = options.scratch / place.relative_to("/")
        own.mkdir(parents=True)
        own.chmod(0o1777)
        run.output(["mount", "--bind", str(own), str(place)])
    NAMES_OF_NAMESPACES.mkdir(exist_ok=True)
    run.output(["mount", "-t", "tmpfs", "tmpfs", str(NAMES_OF_NAMESPACES)])
    run.output(["mount", "-t", "sysfs", "sysfs", "/sys"])
    run.output(["ip", "link", "set", "lo", "up"])
    return places


def _run_tests(options: argparse.Namespace) -> bool:
    """Put up the servers, run the tests, take the servers down; tell whether anything failed."""
    directory = Path(tempfile.mkdtemp(prefix="nova-servers-", dir="/var/tmp"))
    directory.chmod(0o755)
    log = directory.with_suffix(".log")
    try:
        variables = _with_servers(options, directory, log)
        variables |= _clouds_user(variables) | {
            "NOVA_TEST_GUEST_IMAGES": str(options.images),
            "NOVA_TEST_SERVICES_DIR": str(directory),
        }
        environment = {**os.environ, **variables}
        return subprocess.run(options.command, env=environment, check=False).returncode != 0
    except CommandFailed as error:
        print(f"integration: {error.why}\n{run.tail(log, 30)}", flush=True)
        return True
    finally:
        if options.servers:
            run.logged([str(TOOLS / "services"), "down", "--dir", str(directory)], log)
        shutil.rmtree(directory, ignore_errors=True)
        log.unlink(missing_ok=True)


def _with_servers(options: argparse.Namespace, directory: Path, log: Path) -> dict[str, str]:
    """Put up the servers that are wanted, none for ""; return the variables that name them."""
    if not options.servers:
        return {}
    up = [str(TOOLS / "services"), "up", *options.servers.split(","), "--dir", str(directory)]
    run.logged([*up, "--cache-dir", str(options.cache)], log)
    found: dict[str, str] = json.loads((directory / "environment.json").read_text())
    return found


def _clouds_user(variables: dict[str, str]) -> dict[str, str]:
    """Return the usual variables of an administrator, of somebody else, and of compute hosts."""
    if "NOVA_TEST_KEYSTONE_URL" not in variables:
        return {}
    password = variables["NOVA_TEST_PASSWORD"]
    found = {"OS_AUTH_URL": variables["NOVA_TEST_KEYSTONE_URL"]}
    for prefix, user, project in (
        ("OS", "admin", "admin"),
        ("OS_OTHER", "demo", "demo"),
        ("OS_SERVICE", "nova", "service"),
    ):
        found[f"{prefix}_USERNAME"] = user
        found[f"{prefix}_PASSWORD"] = password
        found[f"{prefix}_PROJECT_NAME"] = project
    return found


def found(places: Sequence[Path]) -> dict[str, set[str]]:
    """Return by kind what there is in these namespaces."""
    things = {kind: _lines(command) for kind, command in LISTINGS.items()}
    things["network namespace"] = {one.name for one in NAMES_OF_NAMESPACES.iterdir()}
    for place in places:
        names = {one.name for one in place.iterdir()}
        # pytest keeps the files of the last runs on purpose.
        things[f"file in {place}"] = {one for one in names if not one.startswith("pytest-of-")}
    things["process"] = set(_processes())
    return things


def _lines(command: Sequence[str]) -> set[str]:
    if shutil.which(command[0]) is None:
        raise StandupError(f"{command[0]} is not installed")
    lines = (line.partition(" [")[0] for line in run.output(command).splitlines())
    return {line for line in lines if line and not _NO_RULE.match(line)}


def _processes() -> list[str]:
    """Return number and command line of all processes but us; the dead have no command line."""
    numbers = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
    lines = []
    for number in sorted(set(numbers) - {os.getpid()}):
        try:
            words = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words:
            lines.append(f"{number} {words}")
    return lines


def _left_since(before: dict[str, set[str]], places: Sequence[Path]) -> list[str]:
    """Return what is there now and was not before; what is on its way out has some seconds."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        now = found(places)
        left = [f"{kind} {one}" for kind in now for one in sorted(now[kind] - before[kind])]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.5)
