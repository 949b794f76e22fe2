"""A compute node on the machine itself, as an operator would set it up, and its removal."""

from __future__ import annotations

import json
from pathlib import Path

from standup import accounts, nova_config, nova_programs, run, systemd
from standup.cloud import Cloud
from standup.errors import StandupError
from standup.manager import wait_until
from standup.nova_config import ComputeNode
from standup.program import Program

SUDOERS = Path("/etc/sudoers.d/nova-quickstart")
NAME = "this-host"
GUEST_PREFIXES = ("instance-", "nova-probe-")


def node(cloud: Cloud) -> ComputeNode:
    """Return the machine as a compute host.

    Its guests leave it by the interface of the default route.
    """
    routes = json.loads(run.output(["ip", "-json", "-4", "route", "show", "default"]) or "[]")
    if not routes:
        raise StandupError(
            "the machine has no default route, so it has no address for its guests' traffic"
        )
    interface = routes[0]["dev"]
    addresses = json.loads(run.output(["ip", "-json", "-4", "addr", "show", "dev", interface]))
    address = addresses[0]["addr_info"][0]["local"]
    state = cloud.settings.state / "compute"
    return ComputeNode(NAME, address, "127.0.0.1", state, None, interface)


def prepare(cloud: Cloud) -> None:
    """Let the daemons start their privileged helpers and use libvirt."""
    rule = nova_config.sudoers(cloud.settings, nova_programs.USER)
    fresh = SUDOERS.with_name(f".{SUDOERS.name}")
    fresh.write_text(rule)
    fresh.chmod(0o440)
    run.output(["visudo", "-c", "-q", "-f", str(fresh)])
    fresh.replace(SUDOERS)
    remembered = cloud.settings.state / "ip_forward"
    if not remembered.exists():
        remembered.write_text(Path("/proc/sys/net/ipv4/ip_forward").read_text())
    start_libvirt(cloud)


def start_libvirt(cloud: Cloud) -> None:
    """Start the machine's libvirt unless it answers the account of the daemons."""
    user = nova_programs.USER
    if _libvirt_answers(user):
        return
    if systemd.is_running():
        run.output(["systemctl", "start", "libvirtd"])
    elif not _libvirt_answers():
        for program in libvirt_programs(cloud.settings.state, cloud.settings.logs):
            cloud.manager.start(program)
    wait_until(lambda: _libvirt_answers(user), 60, f"libvirt does not answer the account {user}")


def libvirt_programs(state: Path, logs: Path) -> list[Program]:
    """Return libvirt as it is started by hand, and write its configuration.

    Left to itself it asks polkit who may use it, and there is none where no systemd starts it:
    then nobody but root gets in. So the mode of its socket decides.
    """
    file, log = state / "libvirtd.conf", str(logs / "libvirt.log")
    file.write_text(
        'auth_unix_rw = "none"\nauth_unix_ro = "none"\n'
        'unix_sock_group = "libvirt"\nunix_sock_rw_perms = "0770"\n'
    )
    return [
        Program("virtlogd", ("/usr/sbin/virtlogd",), log, umask=0o022),
        Program("libvirtd", ("/usr/sbin/libvirtd", "--config", str(file)), log, umask=0o022),
    ]


def clean(cloud: Cloud) -> None:
    """Remove what the daemons of a compute node leave on the machine.

    Guests, bridge, dnsmasq, rules; its daemons first, which would make them anew.
    """
    for name in nova_programs.COMPUTE:
        cloud.manager.stop(name)
    if _libvirt_answers():
        for name in run.output(["virsh", "--quiet", "list", "--all", "--name"]).split():
            if name.startswith(GUEST_PREFIXES):
                run.succeeds(["virsh", "--quiet", "destroy", name])
                run.succeeds(["virsh", "--quiet", "undefine", "--nvram", "--managed-save", name])
        for line in run.output(["virsh", "--quiet", "nwfilter-list"]).splitlines():
            name = line.split()[-1]
            if name.startswith("nova-"):
                run.succeeds(["virsh", "--quiet", "nwfilter-undefine", name])
    file = nova_config.compute_file(cloud.settings, NAME)
    if file.exists() and accounts.exists(nova_programs.USER):
        # Without libvirt nova-compute has put nothing in place since the machine was started.
        with_rules = ("nova-compute",) if _libvirt_answers(nova_programs.USER) else ()
        for name in (*with_rules, "nova-network"):
            program = str(cloud.settings.nova_venv / "bin" / name)
            log = cloud.settings.logs / f"{name}-clear.log"
            cleared = [program, "--config-file", str(file), "--clear-host"]
            run.logged(_as_account(nova_programs.USER, *cleared), log)
    remembered = cloud.settings.state / "ip_forward"
    if remembered.exists():
        Path("/proc/sys/net/ipv4/ip_forward").write_text(remembered.read_text())
    SUDOERS.unlink(missing_ok=True)


def _libvirt_answers(user: str = "root") -> bool:
    asked = ["timeout", "5", "virsh", "--quiet", "--connect", "qemu:///system", "list"]
    return run.succeeds(_as_account(user, *asked))


def _as_account(user: str, *command: str) -> list[str]:
    # Not run.Settings(user): that drops the groups of the account, one of which opens the socket.
    return ["runuser", "-u", user, "--", *command]
