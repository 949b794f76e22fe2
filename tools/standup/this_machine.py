"""A compute node on the machine itself, as an operator would set it up, and its removal."""

from __future__ import annotations

import json
import re
from pathlib import Path

from standup import nova_config, nova_programs, processes, run, systemd
from standup.cloud import Cloud
from standup.errors import StandupError
from standup.manager import wait_until
from standup.nova_config import ComputeNode
from standup.program import Program

SUDOERS = Path("/etc/sudoers.d/nova-quickstart")
CHAIN = re.compile(r"^:(nova-[^ ]+) ", re.MULTILINE)


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
    return ComputeNode("this-host", address, "127.0.0.1", state, None, interface)


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
    """Start the machine's libvirt unless it answers."""
    if _libvirt_answers():
        return
    if systemd.is_running():
        run.output(["systemctl", "start", "libvirtd"])
    else:
        log = str(cloud.settings.logs / "libvirt.log")
        for name in ("virtlogd", "libvirtd"):
            cloud.manager.start(Program(name, (f"/usr/sbin/{name}",), log, umask=0o022))
    wait_until(_libvirt_answers, 60, "libvirt does not answer")


def clean(cloud: Cloud) -> None:
    """Remove what the daemons of a compute node leave on the machine.

    Guests, bridge, dnsmasq, rules.
    """
    if _libvirt_answers():
        for name in run.output(["virsh", "--quiet", "list", "--all", "--name"]).split():
            if name.startswith("instance-"):
                run.succeeds(["virsh", "--quiet", "destroy", name])
                run.succeeds(["virsh", "--quiet", "undefine", "--nvram", "--managed-save", name])
        for line in run.output(["virsh", "--quiet", "nwfilter-list"]).splitlines():
            name = line.split()[-1]
            if name.startswith("nova-"):
                run.succeeds(["virsh", "--quiet", "nwfilter-undefine", name])
    for file in (cloud.settings.state / "compute" / "networks").glob("*.pid"):
        _end_dnsmasq(file)
    run.succeeds(["ip", "link", "del", nova_config.BRIDGE])
    run.succeeds(["ip", "addr", "del", "169.254.169.254/32", "dev", "lo"])
    for family in ("iptables", "ip6tables"):
        _remove_chains(family)
    remembered = cloud.settings.state / "ip_forward"
    if remembered.exists():
        Path("/proc/sys/net/ipv4/ip_forward").write_text(remembered.read_text())
    SUDOERS.unlink(missing_ok=True)


def _end_dnsmasq(file: Path) -> None:
    text = file.read_text().strip()
    process = processes.identify(int(text)) if text.isdigit() else None
    if process and b"dnsmasq" in Path(f"/proc/{process.pid}/cmdline").read_bytes():
        processes.end(process, group=False)


def _remove_chains(family: str) -> None:
    """Drop the daemons' chains and every rule that jumps to one, in one atomic restore."""
    saved = run.output([f"{family}-save"])
    kept = without_chains(saved)
    if kept != saved:
        run.output([f"{family}-restore", "-w"], run.Settings(input_text=kept))


def without_chains(saved: str) -> str:
    """Return the text of iptables-save without chains named nova-… and rules about them."""
    names = set(CHAIN.findall(saved))
    lines = [
        line
        for line in saved.splitlines(keepends=True)
        if not names & set(line.replace(":", "").split())
    ]
    return "".join(lines)


def _libvirt_answers() -> bool:
    return run.succeeds(["timeout", "5", "virsh", "--quiet", "--connect", "qemu:///system", "list"])
