"""Accounts of the machine that servers run as, and the files they own."""

import grp
import os
import pwd
from collections.abc import Iterable
from pathlib import Path

from standup import processes, run
from standup.errors import StandupError


def exists(user: str) -> bool:
    """Tell whether the machine knows an account."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def ensure(user: str, home: Path, groups: Iterable[str] = ()) -> bool:
    """Make a system account without a login if it is missing; return whether it was made."""
    if exists(user):
        return False
    known = [name for name in groups if _group_exists(name)]
    extra = ["--groups", ",".join(known)] if known else []
    run.output(
        ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(home), *extra]
        + ["--shell", "/usr/sbin/nologin", "--", user]
    )
    return True


def remove(user: str) -> None:
    """End what an account still runs on this machine, and remove it and its group."""
    if exists(user):
        number = pwd.getpwnam(user).pw_uid
        for process in _processes_of(number):
            processes.end(process, timeout_s=5.0, group=False)
        run.output(["userdel", "--", user])


def _processes_of(number: int) -> list[processes.ProcessId]:
    """Return the processes with a user number, but those of containers, where it may be another."""
    ours, found = os.readlink("/proc/self/ns/mnt"), []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if directory.stat().st_uid == number and os.readlink(directory / "ns/mnt") == ours:
                found.append(processes.identify(int(directory.name)))
        except OSError:
            continue
    return [process for process in found if process]


def close(path: Path, user: str | None) -> None:
    """Hand a directory tree to an account and keep all others out."""
    path.chmod(0o750)
    give(path, user)


def give(path: Path, user: str | None) -> None:
    """Hand a directory tree to an account; None leaves it with ours."""
    if user is None:
        return
    account = pwd.getpwnam(user)
    for directory, names, files in os.walk(path):
        for name in (directory, *(os.path.join(directory, n) for n in (*names, *files))):
            os.chown(name, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _group_exists(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def require_access(path: Path) -> None:
    """Check that every account may pass through a directory and all above it.

    Raises: StandupError naming the first that is closed.
    """
    for directory in (*reversed(path.parents), path):
        if not directory.stat().st_mode & 0o001:
            raise StandupError(
                f"{directory} is closed to other accounts, so servers that have accounts of their "
                f"own cannot use {path}"
            )
