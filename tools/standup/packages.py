"""Debian packages: which are needed for what, and the installation of those that are missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from standup import mariadb, postgresql, rabbitmq, run
from standup.errors import CommandFailed, StandupError

BUILD = ("gcc", "libc6-dev", "pkg-config", "libvirt-dev", "python3-dev", "python3-venv")
HYPERVISOR = (
    "libvirt-daemon-system",
    "libvirt-daemon-config-nwfilter",
    "libvirt-clients",
    "qemu-system-x86",
    "qemu-utils",
    "genisoimage",
    "dnsmasq-base",
    "dnsmasq-utils",
    "iptables",
    "ebtables",
    "radvd",
    "conntrack",
    "iputils-arping",
    "iproute2",
    "sudo",
)
# What guests may ask for beyond the ordinary; hosts without it say so to the scheduler.
GUEST_HARDWARE = ("ovmf", "swtpm", "swtpm-tools")
# What the proxies of consoles show in browsers.
CONSOLES = ("novnc", "spice-html5", "node-xterm")
BROWSER = ("chromium", "chromium-driver")
# What tests of networks and hosts call; Debian may have other packages of the same programs.
GUEST_CLIENTS = {
    "busybox": "busybox-static",
    "ping": "iputils-ping",
    "ssh": "openssh-client",
}
GUEST_IMAGE = ("e2fsprogs", "cpio", "gzip", "qemu-utils")
CONTROLLER = (*rabbitmq.PACKAGES, "openssh-client", "iproute2", "util-linux", "passwd")
DATABASES = {"sqlite": (), "mysql": mariadb.PACKAGES, "postgresql": postgresql.PACKAGES}
SERVICES = {
    "rabbitmq": rabbitmq.PACKAGES,
    "mysql": mariadb.PACKAGES,
    "postgresql": postgresql.PACKAGES,
    "identity": ("python3-venv",),
}
UNITS = {
    "rabbitmq-server": ("rabbitmq-server.service",),
    "mariadb-server": ("mariadb.service",),
    "postgresql": ("postgresql.service",),
    "libvirt-daemon-system": ("libvirtd.service", "libvirtd.socket", "libvirt-guests.service"),
}
POLICY = Path("/usr/sbin/policy-rc.d")


def for_quickstart(database: str) -> list[str]:
    """Return the packages of the quick start."""
    return sorted(
        {*BUILD, *HYPERVISOR, *GUEST_IMAGE, *CONTROLLER, *CONSOLES, *DATABASES[database]}
    )


def for_services(names: Iterable[str]) -> list[str]:
    """Return the packages of some servers of the integration tests."""
    return sorted({package for name in names for package in SERVICES[name]})


def for_tests(integration: bool) -> list[str]:
    """Return the packages of the test stages."""
    servers = {package for name in SERVICES for package in SERVICES[name]} if integration else set()
    clients = [GUEST_CLIENTS[name] for name in GUEST_CLIENTS if shutil.which(name) is None]
    return sorted(
        {
            *BUILD,
            *servers,
            *(HYPERVISOR if integration else ()),
            *(GUEST_IMAGE if integration else ()),
            *(GUEST_HARDWARE if integration else ()),
            *((*CONSOLES, *BROWSER) if integration else ()),
            *(clients if integration else ()),
        }
    )


def missing(names: Iterable[str]) -> list[str]:
    """Return those packages that are not installed."""
    listing = run.output(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\\n"]
    )
    installed = {line.split()[1] for line in listing.splitlines() if line.startswith("installed ")}
    return [name for name in names if name not in installed]


def ensure(names: Iterable[str], log: Path) -> list[str]:
    """Install what is missing, with one call of apt-get; return what was installed.

    None of the servers is started by its installation: ours have their own settings and their own
    data. Raises: StandupError if we are not root, CommandFailed if apt-get fails.
    """
    if shutil.which("apt-get") is None:
        raise StandupError("this is no Debian or Ubuntu machine: apt-get is missing")
    wanted = missing(names)
    if not wanted:
        return []
    if os.geteuid() != 0:
        raise StandupError(
            f"packages are missing and only root can install them: {' '.join(wanted)}"
        )
    log.parent.mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Sandbox::User=root"]
    quiet = run.Settings(
        environment={"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}, timeout_s=1800
    )
    install = [*apt, "install", "-y", "--no-install-recommends", "--", *wanted]
    with _one_at_a_time(), _nothing_starts():
        fresh = _lists_are_fresh()
        if not fresh:
            run.logged([*apt, "update"], log, quiet)
        try:
            run.logged(install, log, quiet)
        except CommandFailed:
            if not fresh:
                raise
            run.logged([*apt, "update"], log, quiet)
            run.logged(install, log, quiet)
    _leave_disabled(wanted, log)
    return wanted


def _leave_disabled(installed: list[str], log: Path) -> None:
    """Keep servers that came with our packages from starting when the machine boots."""
    units = [unit for name in installed for unit in UNITS.get(name, ())]
    if units and Path("/run/systemd/system").is_dir():
        run.logged(["systemctl", "disable", "--quiet", *units], log)


def _lists_are_fresh(age_s: float = 86_400) -> bool:
    lists = [path.stat().st_mtime for path in Path("/var/lib/apt/lists").glob("*Packages*")]
    return bool(lists) and time.time() - max(lists) < age_s


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Keep two of our tools from installing at once.

    The second would meet the first one's policy file.
    """
    with open("/run/lock/nova-tools-packages", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _nothing_starts() -> Iterator[None]:
    """Forbid packages to start their servers, unless the machine has a rule of its own."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
