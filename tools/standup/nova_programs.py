"""The nova daemons as supervised programs."""

from dataclasses import replace
from pathlib import Path

from standup import nova_config
from standup.program import Program
from standup.settings import Settings

USER = "nova"
CONTROLLER = (
    "nova-conductor",
    "nova-scheduler",
    "nova-api",
    "nova-consoleauth",
    "nova-cert",
    "nova-objectstore",
    "nova-novncproxy",
    "nova-spicehtml5proxy",
    "nova-serialproxy",
    "nova-xvpvncproxy",
)
COMPUTE = ("nova-network", "nova-api-metadata", "nova-compute")
NAMES = frozenset({*CONTROLLER, *COMPUTE})
TIER = 3


def controller(settings: Settings) -> list[Program]:
    """Return the controller's daemons in starting order."""
    base = settings.etc / "nova.conf"
    extra = {"nova-conductor": [settings.etc / "nova-database.conf"]}
    return [
        _program(settings, name, [base, *extra.get(name, [])], settings.logs) for name in CONTROLLER
    ]


def compute(settings: Settings, host: str, logs: Path) -> list[Program]:
    """Return the daemons of a compute host in starting order.

    QEMU and dnsmasq, which have accounts of their own, pass through directories that these make.
    """
    file = nova_config.compute_file(settings, host)
    made = [_program(settings, name, [file], logs, ("libvirt", "kvm")) for name in COMPUTE]
    return [replace(program, umask=0o022) for program in made]


def manage(settings: Settings, *arguments: str) -> list[str]:
    """Return the command line of nova-manage."""
    files = [settings.etc / "nova.conf", settings.etc / "nova-database.conf"]
    program = str(settings.nova_venv / "bin" / "nova-manage")
    return [program, *(part for file in files for part in ("--config-file", str(file))), *arguments]


def _program(
    settings: Settings, name: str, files: list[Path], logs: Path, groups: tuple[str, ...] = ()
) -> Program:
    arguments = [part for file in files for part in ("--config-file", str(file))]
    return Program(
        name,
        (str(settings.nova_venv / "bin" / name), *arguments),
        str(logs / f"{name}.log"),
        USER,
        groups,
        # Its own programs first, then the administrator's.
        environment={
            "PATH": f"{settings.nova_venv}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(settings.state),
        },
        tier=TIER,
        stop_timeout_s=30,
    )
