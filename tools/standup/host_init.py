"""The first process of a compute host in namespaces.

Mounts what is the host's own, then supervises its programs.
"""

import grp
import os
import shutil
import socket
import stat
from pathlib import Path

from standup import run
from standup.host_spec import OWN_DIRECTORIES, OWN_FILES, HostSpec
from standup.manager import own_command
from standup.program import Program
from standup.supervisor import Supervisor

# Above libvirt, below nova's daemons, which are to see a host that goes down, not guests that do.
GUEST_TIER = 1


def main(arguments: list[str]) -> int:
    """Be the host that the file named by the only argument describes."""
    spec = HostSpec.load(Path(arguments[0]))
    socket.sethostname(spec.name)
    _mount(spec)
    run.output(["ip", "link", "set", "lo", "up"])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")
    # Packets to floating addresses come by another segment than the answers leave.
    Path("/proc/sys/net/ipv4/conf/all/rp_filter").write_text("2\n")
    spec.programs.mkdir(exist_ok=True)
    Supervisor(spec.programs).run(_libvirt(spec) if spec.libvirt else [])
    return 0


def _mount(spec: HostSpec) -> None:
    """Replace the machine's directories by the host's own, in this mount namespace only."""
    own_run = spec.directory / "run"
    own_run.mkdir(exist_ok=True)
    run.output(["mount", "-t", "tmpfs", "-o", "mode=755,size=256m", "tmpfs", str(own_run)])
    _keep_name_servers(own_run)
    _open_kvm(own_run)
    for name in ("lock", "libvirt"):
        (own_run / name).mkdir()
    run.output(["mount", "--rbind", str(own_run), "/run"])
    for name in (*OWN_DIRECTORIES, *OWN_FILES):
        if Path("/", name).exists() and (spec.directory / name).exists():
            run.output(["mount", "--bind", str(spec.directory / name), f"/{name}"])
    run.output(["mount", "--bind", str(spec.directory / "nova"), str(spec.compute)])
    if spec.shared_instances:
        # libvirt migrates without copying disks only between file systems that it knows to be
        # shared, and by its name glusterfs is one.
        options = "subtype=glusterfs,fsname=nova-shared,suid,dev"
        run.output(
            ["bindfs", "-o", options, str(spec.shared_instances), str(spec.compute / "instances")]
        )


def _open_kvm(own_run: Path) -> None:
    """Give /dev/kvm to its group where no udev did.

    Without it libvirt 9.0 finds KVM when it asks QEMU, as root, and then misses it for the
    user of the guests; it takes what it learned for outdated and asks anew at every call.
    """
    device = Path("/dev/kvm")
    try:
        group = grp.getgrnam("kvm").gr_gid
        number = device.stat().st_rdev
    except (KeyError, FileNotFoundError):
        return
    node = own_run / "kvm"
    os.mknod(node, stat.S_IFCHR, number)
    os.chown(node, 0, group)
    node.chmod(0o660)
    run.output(["mount", "--bind", str(node), str(device)])


def _keep_name_servers(own_run: Path) -> None:
    """Copy the list of name servers if it lives below /run, which the host is about to replace."""
    real = Path(os.path.realpath("/etc/resolv.conf"))
    if real.parts[1:2] == ("run",) and real.exists():
        copy = own_run / real.relative_to("/run")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(real, copy)


def _libvirt(spec: HostSpec) -> list[Program]:
    log = str(spec.directory / "libvirt.log")
    commands = {"virtlogd": ("/usr/sbin/virtlogd",), "libvirtd": ("/usr/sbin/libvirtd", "--listen")}
    servers = [Program(name, command, log, umask=0o022) for name, command in commands.items()]
    guests = Program("guests", own_command("guests"), log, tier=GUEST_TIER)
    return [*servers, guests]
