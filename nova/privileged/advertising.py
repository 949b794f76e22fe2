"""radvd, which nova-network runs with root's rights until it has its sockets."""

import os
import signal

from oslo_config import cfg

from nova.privileged import checks, commands
from nova.privileged.commands import CommandOutcome
from nova.privileged.context import network_pctxt

_SIGNALS = {"HUP": signal.SIGHUP, "TERM": signal.SIGTERM}


@network_pctxt.entrypoint
def start_radvd(bridge: str, user: str) -> CommandOutcome:
    """Start the radvd of a bridge.  Raises: ValueError for a user that is root or unknown."""
    checks.interface_name(bridge)
    if not checks.is_plain_user(user):
        raise ValueError("radvd must become a user other than root")
    folder = cfg.CONF.networks_path
    config, pid_file = f"{folder}/nova-ra-{bridge}.conf", f"{folder}/nova-ra-{bridge}.pid"
    for path in (config, pid_file):
        checks.path_inside(path, folder)
    return commands.run(["radvd", "-C", config, "-p", pid_file, "-u", user], timeout_s=30)


@network_pctxt.entrypoint
def signal_radvd(bridge: str, name: str) -> bool:
    """Send HUP or TERM to the radvd of a bridge; tell whether there is one."""
    checks.interface_name(bridge)
    if name not in _SIGNALS:
        raise ValueError("not a signal that radvd may get")
    process_id = find_radvd_process(cfg.CONF.networks_path, bridge)
    if process_id is None:
        return False
    try:
        os.kill(process_id, _SIGNALS[name])
    except ProcessLookupError:
        return False
    return True


def find_radvd_process(folder: str, bridge: str) -> int | None:
    """Return the process id of the live radvd of a bridge: its command line names its file."""
    config = f"{folder}/nova-ra-{checks.interface_name(bridge)}.conf"
    try:
        with open(f"{folder}/nova-ra-{bridge}.pid") as pid_file:
            process_id = int(pid_file.read(32).strip() or "0")
        with open(f"/proc/{process_id}/cmdline", "rb") as command_line:
            words = command_line.read().decode(errors="replace").split("\0")
    except (OSError, ValueError):
        return None
    named = config in words and os.path.basename(words[0]) == "radvd"
    return process_id if named else None
