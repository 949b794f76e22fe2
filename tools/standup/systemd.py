"""Programs as units of systemd, for machines where it runs.

These units are gone after a reboot. One more, which stays, then makes them anew.
"""

from __future__ import annotations

from pathlib import Path

from standup import run
from standup.program import Program, ProgramState

UNITS = Path("/run/systemd/system")
SLICE = "nova-quickstart"
BOOT_UNIT = Path("/etc/systemd/system/nova-quickstart.service")


def is_running() -> bool:
    """Tell whether systemd is the machine's first process."""
    return UNITS.is_dir()


def start_at_boot(command: tuple[str, ...]) -> None:
    """Let a command run at each boot of the machine from now on."""
    text = (
        "[Unit]\nDescription=The cloud of the nova quick start\n"
        "After=network-online.target\nWants=network-online.target\n\n"
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=600\n"
        f"ExecStart={' '.join(_quoted(part) for part in command)}\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )
    if not BOOT_UNIT.exists() or BOOT_UNIT.read_text() != text:
        BOOT_UNIT.write_text(text)
        run.output(["systemctl", "daemon-reload"])
        run.output(["systemctl", "enable", "--quiet", BOOT_UNIT.name])


def forget_at_boot() -> None:
    """Run nothing at boot any more."""
    if BOOT_UNIT.exists():
        run.output(["systemctl", "disable", "--quiet", "--now", BOOT_UNIT.name])
        BOOT_UNIT.unlink()
        run.output(["systemctl", "daemon-reload"])


class SystemdPrograms:
    """Programs as units. The state directory keeps the list of their names in starting order."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def start(self, program: Program) -> None:
        """Start a program; a running one is left alone."""
        self.directory.mkdir(parents=True, exist_ok=True)
        Path(program.log).parent.mkdir(parents=True, exist_ok=True)
        unit = UNITS / unit_name(program.name)
        text = unit_text(program)
        if not unit.exists() or unit.read_text() != text:
            unit.write_text(text)
            unit.chmod(0o600)
            run.output(["systemctl", "daemon-reload"])
        self._remember(program)
        run.output(["systemctl", "start", unit.name])

    def stop(self, name: str) -> None:
        """Stop a program, wait for its end and remove its unit."""
        self._stop([name])

    def _stop(self, names: list[str]) -> None:
        units = [UNITS / unit_name(name) for name in names if (UNITS / unit_name(name)).exists()]
        if units:
            unit_names = [unit.name for unit in units]
            run.output(["systemctl", "stop", *unit_names])
            for unit in units:
                unit.unlink()
            run.output(["systemctl", "daemon-reload"])
            run.succeeds(["systemctl", "reset-failed", *unit_names])
        for name in names:
            (self.directory / f"{name}.unit").unlink(missing_ok=True)

    def kill(self, name: str) -> None:
        """End a program like a power failure."""
        run.succeeds(["systemctl", "kill", "--signal=SIGKILL", unit_name(name)])

    def states(self) -> list[ProgramState]:
        """Return what is known of every program, in starting order."""
        return [self._state(name, log) for name, _tier, log in self._known()]

    def shut_down(self) -> None:
        """Stop all programs, the highest tier first, and wait for their end."""
        known = self._known()
        for tier in sorted({tier for _name, tier, _log in known}, reverse=True):
            self._stop([name for name, of, _log in known if of == tier])

    def _remember(self, program: Program) -> None:
        file = self.directory / f"{program.name}.unit"
        if not file.exists():
            number = len(list(self.directory.glob("*.unit")))
            file.write_text(f"{number} {program.tier} {program.log}\n")

    def _known(self) -> list[tuple[str, int, str]]:
        entries = []
        for file in self.directory.glob("*.unit"):
            number, tier, log = file.read_text().strip().split(" ", 2)
            entries.append((int(number), file.stem, int(tier), log))
        return [(name, tier, log) for _number, name, tier, log in sorted(entries)]

    def _state(self, name: str, log: str) -> ProgramState:
        wanted = "ActiveState,MainPID,NRestarts,ExecMainStatus,ActiveEnterTimestampMonotonic"
        shown = run.output(["systemctl", "show", f"--property={wanted}", unit_name(name)])
        values = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        active = values.get("ActiveState", "inactive")
        pid = int(values.get("MainPID", "0")) or None
        now_s = float(Path("/proc/uptime").read_text().split()[0])
        since_s = int(values.get("ActiveEnterTimestampMonotonic", "0") or 0) / 1e6
        state = {"active": "running", "activating": "waiting", "failed": "failed"}.get(
            active, "stopped"
        )
        uptime_s = now_s - since_s if state == "running" else 0.0
        restarts = int(values.get("NRestarts", "0") or 0)
        return ProgramState(
            name, state, pid, restarts, uptime_s, log, f"status {values.get('ExecMainStatus')}"
        )


def unit_name(program: str) -> str:
    """Return the name of a program's unit."""
    return f"{program if program.startswith('nova-') else SLICE + '-' + program}.service"


def unit_text(program: Program) -> str:
    """Return a unit's text.

    A percent sign and a dollar sign have a meaning to systemd and are doubled.
    """
    lines = [
        "[Unit]",
        f"Description={program.name} of the nova quick start",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(_quoted(part) for part in program.command)}",
        f"WorkingDirectory={program.directory}",
        f"StandardOutput=append:{program.log}",
        f"StandardError=append:{program.log}",
        f"UMask={program.umask:04o}",
        f"Restart={'always' if program.restart else 'no'}",
        "RestartSec=1",
        f"TimeoutStopSec={program.stop_timeout_s:.0f}",
        "KillMode=mixed",
        "TasksMax=infinity",
        "LimitNOFILE=65536",
    ]
    if program.stop_command:
        lines.append(f"ExecStop={' '.join(_quoted(part) for part in program.stop_command)}")
    if program.user:
        lines.append(f"User={program.user}")
    if program.groups:
        lines.append(f"SupplementaryGroups={' '.join(program.groups)}")
    lines += [
        f"Environment={_quoted(f'{name}={value}', '%')}"
        for name, value in program.environment.items()
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str, doubled: str = "%$") -> str:
    for sign in doubled:
        text = text.replace(sign, sign * 2)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
