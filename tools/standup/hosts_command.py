"""Make compute hosts in namespaces on this machine, for tests with several hosts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from standup import hosts
from standup.errors import StandupError
from standup.manager import SupervisedPrograms


def main(arguments: list[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    try:
        if os.geteuid() != 0:
            raise StandupError("only root can make namespaces")
        return int(options.act(options))
    except StandupError as error:
        print(f"hosts: {error.why}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/hosts", description=__doc__)
    parser.add_argument("--name", default="nova-t", help="prefix of all names, up to 10 characters")
    parser.add_argument(
        "--dir", type=Path, help="directory for the hosts' files (/var/lib/NAME-hosts)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    acts: list[tuple[str, Callable[[argparse.Namespace], int], str]] = [
        ("create", _create, "make and start hosts 1 to N"),
        ("exec", _exec, "run a program inside host I"),
        (
            "forward",
            _forward,
            "let the hosts reach ports of this machine's loopback at the controller's address",
        ),
        ("crash", _crash, "let the power of host I fail"),
        ("boot", _boot, "start host I again; its files are still there"),
        ("status", _status, "list the hosts and their programs"),
        ("destroy", _destroy, "remove the hosts and everything made for them"),
    ]
    for name, act, text in acts:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(act=act)
        if name == "create":
            command.add_argument("count", type=int, metavar="N")
            command.add_argument(
                "--management", default=hosts.Layout.management, help="a /24 for eth0"
            )
            command.add_argument("--public", default=hosts.Layout.public, help="network of eth2")
            command.add_argument("--fixed", help="guests' network, to be routed to the hosts")
            command.add_argument(
                "--shared", action="store_true", help="one instances directory for all hosts"
            )
            command.add_argument("--no-libvirt", action="store_true", help="do not start libvirt")
        if name in ("exec", "crash", "boot"):
            command.add_argument("index", type=int, metavar="I")
        if name == "exec":
            command.add_argument("command", nargs=argparse.REMAINDER)
        if name == "forward":
            command.add_argument("ports", type=int, nargs="+", metavar="PORT")
    return parser


def _create(options: argparse.Namespace) -> int:
    directory = _directory(options)
    layout = hosts.Layout(
        options.name,
        directory,
        options.count,
        options.management,
        options.public,
        options.fixed,
        options.shared,
        not options.no_libvirt,
    )
    directory.mkdir(parents=True, exist_ok=True)
    hosts.save(layout, directory / "layout.json")
    _hosts(options).create()
    return 0


def _exec(options: argparse.Namespace) -> int:
    command = [*_hosts(options).enter(options.index), *options.command]
    os.execvp(command[0], command)


def _forward(options: argparse.Namespace) -> int:
    group = _hosts(options)
    group.relayed = options.ports
    group.manager.stop("relay")
    group.create()
    return 0


def _crash(options: argparse.Namespace) -> int:
    _hosts(options).crash(options.index)
    return 0


def _boot(options: argparse.Namespace) -> int:
    _hosts(options).boot(options.index)
    return 0


def _status(options: argparse.Namespace) -> int:
    group = _hosts(options)
    up = {state.name for state in group.manager.states() if state.pid}
    for index in group.layout.indices():
        name = group.layout.spec(index).name
        programs = ", ".join(f"{s.name} {s.state}" for s in group.programs(index).states())
        print(f"{name} {group.layout.address(index)} {'up: ' + programs if name in up else 'down'}")
    return 0


def _destroy(options: argparse.Namespace) -> int:
    if (_directory(options) / "layout.json").exists():
        group = _hosts(options)
        group.destroy()
        group.manager.shut_down()
        hosts.remove_directory(_directory(options))
    return 0


def _directory(options: argparse.Namespace) -> Path:
    return (options.dir or Path(f"/var/lib/{options.name}-hosts")).resolve()


def _hosts(options: argparse.Namespace) -> hosts.Hosts:
    directory = _directory(options)
    file = directory / "layout.json"
    if not file.exists():
        raise StandupError(f"no hosts were made in {directory}")
    return hosts.Hosts(hosts.load(file), SupervisedPrograms(directory / "run"))
