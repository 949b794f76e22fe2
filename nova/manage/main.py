"""The command line of nova-manage: parsing, running, exit codes.

Exit codes: 0 done; 1 refused as invalid, problems found, or a floating address that exists
already; 2 wrong usage, bad configuration, or something else that does not exist or exists
already; 3 the service or database does not answer; 255 our fault.
"""

import argparse
import logging
import os
import pwd
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

from nova import audit, exception
from nova.manage import (
    api,
    cert,
    db,
    firewall,
    fixed,
    flavor,
    floating,
    network,
    project,
    quota,
    server,
    service,
    show_path,
)
from nova.manage.command import Command, Environment
from nova.manage.output import render, show

LOG = logging.getLogger(__name__)

COMMANDS: tuple[Command, ...] = (
    *api.COMMANDS,
    *cert.COMMANDS,
    *db.COMMANDS,
    *network.COMMANDS,
    *floating.COMMANDS,
    *fixed.COMMANDS,
    *firewall.COMMANDS,
    *project.COMMANDS,
    *show_path.COMMANDS,
    *service.COMMANDS,
    *flavor.COMMANDS,
    *quota.COMMANDS,
    *server.COMMANDS,
)

_EXIT_CODES: tuple[tuple[type[exception.NovaException], int], ...] = (
    (exception.ConfigurationError, 2),
    (exception.NotFound, 2),
    (exception.FloatingIpExists, 1),
    (exception.Conflict, 2),
    (exception.Unavailable, 3),
    (exception.Internal, 255),
)


# What the parser adds to what a command declares.
_NOT_ARGUMENTS = {"category", "action", "command", "json", "config_file", "config_dir"}


def build_parser(version: str) -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="nova-manage", description="Administer the compute controller."
    )
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument(
        "--config-file", action="append", default=[], help="configuration file (may be repeated)"
    )
    parser.add_argument(
        "--config-dir", action="append", default=[], help="directory of configuration files"
    )
    categories = parser.add_subparsers(metavar="CATEGORY", required=True, dest="category")
    actions: dict[str, Any] = {}
    for command in COMMANDS:
        if command.category not in actions:
            category = categories.add_parser(command.category, help=f"{command.category} commands")
            actions[command.category] = category.add_subparsers(
                metavar="ACTION", required=True, dest="action"
            )
        sub = actions[command.category].add_parser(
            command.name, help=command.help, description=command.help
        )
        sub.add_argument("--json", action="store_true", help="print JSON instead of a table")
        for argument in command.arguments:
            argument.add_to(sub)
        sub.set_defaults(command=command)
    return parser


def run(
    args: argparse.Namespace,
    conf: Any,
    environment: Callable[[], Environment],
) -> int:
    """Carry out the parsed command, print what it gave, and return the exit code."""
    command: Command = args.command
    if not command.changes(args):
        return _run(args, conf, environment)
    # No exit code at all is a fault of ours, with which the program ends with 255.
    status = 255
    try:
        _record_to(conf.api.audit_log_file)
        status = _run(args, conf, environment)
    except exception.ConfigurationError as error:
        status = _complain(error)
    finally:
        audit.record(_change(args, status))
    return status


def _run(args: argparse.Namespace, conf: Any, environment: Callable[[], Environment]) -> int:
    command: Command = args.command
    try:
        subject = environment() if command.needs_conductor else conf
        result = command.run(subject, args)
    except exception.NovaException as error:
        return _complain(error)
    show(render(result, as_json=args.json))
    return result.exit_code


def _complain(error: exception.NovaException) -> int:
    print(f"error: {error}", file=sys.stderr)
    return exit_code(error)


def _record_to(path: str | None) -> None:
    """Open the file for records.  Raises: ConfigurationError: nothing may change unrecorded."""
    if path is None:
        return
    try:
        audit.write_to(path)
    except OSError as error:
        raise exception.ConfigurationError(
            reason=f"[api]audit_log_file can not be written: {error}"
        ) from error


def _login_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _change(args: argparse.Namespace, status: int) -> audit.Change:
    given = sorted(
        f"{name}={value}"
        for name, value in vars(args).items()
        if name not in _NOT_ARGUMENTS and value is not None
    )
    return audit.Change(
        user_id=str(os.getuid()),
        user_name=os.environ.get("SUDO_USER") or _login_name(os.getuid()),
        project_id=None,
        roles=("admin",),
        source=socket.gethostname(),
        method="nova-manage",
        path=f"{args.category} {args.action}",
        action=" ".join(given),
        request_id=None,
        status=status,
    )


def exit_code(error: exception.NovaException) -> int:
    """Return the exit code that an error ends the program with."""
    return next((code for family, code in _EXIT_CODES if isinstance(error, family)), 1)


def config_arguments(args: argparse.Namespace) -> Sequence[str]:
    """Return the part of the command line that names configuration files."""
    words: list[str] = []
    for path in args.config_file:
        words += ["--config-file", path]
    for path in args.config_dir:
        words += ["--config-dir", path]
    return words
