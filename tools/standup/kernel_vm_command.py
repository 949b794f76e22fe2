"""Run a command on Debian's kernel, for what this machine's own kernel lacks.

A virtual machine without disk has this machine's files as they are, with a layer of memory over
them: what the command writes is gone at its end. The kernel is the one of the guest image.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from standup import run
from standup.errors import StandupError
from standup.paths import TOOLS, default_cache

BOOT_MODULES = ("virtio_pci", "virtiofs", "overlay")
FILE_SERVERS = (Path("/usr/libexec/virtiofsd"), Path("/usr/lib/qemu/virtiofsd"))
FILES_SOCKET = "files.socket"
POLLS, POLL_S = 200, 0.05
# Statuses of ours; others are the command's.
FAILED, INTERRUPTED, ENDED = 125, 130, 143


def main(arguments: list[str]) -> int:
    """Run the command; return its status, or one that says why there is none."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(ENDED))
    folder = Path(tempfile.mkdtemp(prefix="nova-kernel-vm-"))
    try:
        return _run(options, folder)
    except StandupError as error:
        print(f"kernel-vm: {error.why}", flush=True)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        shutil.rmtree(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/kernel-vm", description=__doc__)
    add = parser.add_argument
    add(
        "--images",
        type=Path,
        default=default_cache() / "guest",
        help="where tools/guest-image wrote (%(default)s)",
    )
    add("--modules", default="", help="kernel modules to load, in one word: '8021q bridge'")
    add("--memory", type=int, default=1024, metavar="MIB")
    add("--limit", type=float, default=600.0, metavar="SECONDS", help="end it after that time")
    add("command", nargs="+", help="runs as root, in the current directory")
    return parser


def _run(options: argparse.Namespace, folder: Path) -> int:
    package = _unpacked(options.images, "linux-image-*")
    [modules] = (package / "lib/modules").iterdir()
    busybox = _unpacked(options.images, "busybox-static_*") / "bin/busybox"
    ramdisk = _ramdisk(folder, busybox, modules, _script(options))
    status = folder / "status"
    machine = [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
        "-display", "none", "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "2",
        "-m", str(options.memory), "-numa", "node,memdev=memory",
        "-object", f"memory-backend-memfd,id=memory,size={options.memory}M,share=on",
        "-kernel", str(package / f"boot/vmlinuz-{modules.name}"), "-initrd", str(ramdisk),
        "-append", "console=ttyS0 quiet loglevel=3 panic=-1 net.ifnames=0 no_timer_check"
        " mitigations=off",
        "-serial", "stdio", "-serial", f"file:{status}",
        "-chardev", f"socket,id=files,path={folder / FILES_SOCKET}",
        "-device", "vhost-user-fs-pci,chardev=files,tag=machine",
    ]  # fmt: skip
    began = time.monotonic()
    print(f"kernel-vm: Linux {modules.name} starts, for {options.limit:.0f} s at most", flush=True)
    with _files_served(folder):
        try:
            subprocess.run(machine, stdin=subprocess.DEVNULL, timeout=options.limit, check=True)
        except subprocess.TimeoutExpired as error:
            raise StandupError(f"the command took longer than {options.limit:.0f} s") from error
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            raise StandupError(str(error)) from error
    said = status.read_text().strip()
    if not said:
        raise StandupError("the machine ended before the command")
    print(f"kernel-vm: status {said} after {time.monotonic() - began:.0f} s", flush=True)
    return int(said)


@contextlib.contextmanager
def _files_served(folder: Path) -> Iterator[None]:
    """Serve this machine's files to the virtual machine, which mounts them for reading only."""
    program = next((one for one in FILE_SERVERS if one.exists()), None)
    if program is None:
        raise StandupError("virtiofsd is not installed")
    socket, log = folder / FILES_SOCKET, folder / "files.log"
    options = "source=/,cache=always,sandbox=chroot"
    command = [str(program), "-f", f"--socket-path={socket}", "-o", options]
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        for _ in range(POLLS):
            if socket.exists():
                break
            time.sleep(POLL_S)
        else:
            raise StandupError(f"virtiofsd does not start: {run.tail(log)}")
        yield
    finally:
        server.terminate()
        server.wait(POLLS * POLL_S)


def _unpacked(images: Path, pattern: str) -> Path:
    """Return the newest package of the guest image that has such a name."""
    found = sorted((images / "packages/pkgs").glob(pattern), key=lambda one: one.stat().st_mtime)
    if not found:
        raise StandupError(f"no {pattern} in {images}: run tools/guest-image {images}")
    return found[-1]


def _script(options: argparse.Namespace) -> str:
    """Return what the machine runs: the command, with this environment and directory."""
    environment = [f"export {name}={shlex.quote(value)}" for name, value in os.environ.items()]
    loaded = [f"/run/modprobe {shlex.quote(name)}" for name in options.modules.split()]
    return "\n".join([*environment, f"cd {shlex.quote(os.getcwd())}", *loaded,
                      shlex.join(options.command), ""])  # fmt: skip


def _ramdisk(folder: Path, busybox: Path, modules: Path, script: str) -> Path:
    root = folder / "ramdisk"
    (root / "bin").mkdir(parents=True)
    shutil.copy(busybox, root / "bin/busybox")
    shutil.copy(TOOLS / "standup/kernel_vm_init.sh", root / "init")
    (root / "init").chmod(0o755)
    (root / "command").write_text(script)
    (root / "modules").write_text(str(modules.parent))
    below = root / "lib/modules" / modules.name
    for name in [*_files_of(modules), "modules.dep"]:
        (below / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(modules / name, below / name)
    names = "\n".join(str(one.relative_to(root)) for one in root.rglob("*"))
    archive = folder / "ramdisk.cpio"
    command = ["cpio", "--create", "--format=newc", "--quiet", "--file", str(archive)]
    run.output(command, run.Settings(directory=root, input_text=names))
    return archive


def _files_of(modules: Path) -> list[str]:
    """Return the files of the modules that mount this machine's files, and of all they need."""
    found: list[str] = []
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, needed = line.partition(":")
        if Path(file).name.partition(".")[0] in BOOT_MODULES:
            found += [file, *needed.split()]
    return found
