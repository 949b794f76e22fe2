"""Programs that nova-network runs with root's rights: iptables and dnsmasq."""

import json
import logging
import os
import re
import signal
import sys
from collections.abc import Sequence

from oslo_config import cfg

from nova.opts import SERVICE_OPTS
from nova.privileged import checks, commands, opts, rule_text
from nova.privileged.commands import CommandOutcome
from nova.privileged.context import network_pctxt

LOG = logging.getLogger(__name__)

_WAIT_FOR_LOCK_S = 20
_SIGNALS = {"HUP": signal.SIGHUP, "TERM": signal.SIGTERM, "KILL": signal.SIGKILL}
_FLAGS = frozenset(
    ("--strict-order", "--bind-interfaces", "--no-hosts", "--no-resolv", "--leasefile-ro")
    + ("--except-interface=lo",)
)
_RANGE = re.compile(r"set:[A-Za-z0-9_-]{1,64},[0-9.]{7,15},static,[0-9.]{7,15},[0-9]{1,9}s")
_DOMAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")


@network_pctxt.entrypoint
def save_rules() -> CommandOutcome:
    """Return the IPv4 rules of the host as iptables-save prints them."""
    return commands.run(["iptables-save"], timeout_s=30)


@network_pctxt.entrypoint
def restore_rules(text: str) -> CommandOutcome:
    """Apply changes to rules of nova-network, each table as one step.

    Raises: ValueError when the text touches anything else.
    """
    return commands.run(
        ["iptables-restore", "--noflush", "-w", str(_WAIT_FOR_LOCK_S)],
        stdin=rule_text.checked_rules(text),
        timeout_s=_WAIT_FOR_LOCK_S + 30,
    )


@network_pctxt.entrypoint
def save_rules_v6() -> CommandOutcome:
    """Return the IPv6 rules of the host as ip6tables-save prints them."""
    return commands.run(["ip6tables-save"], timeout_s=30)


@network_pctxt.entrypoint
def restore_rules_v6(text: str) -> CommandOutcome:
    """Apply changes to IPv6 rules of nova-network.

    Raises: ValueError when the text touches anything else.
    """
    return commands.run(
        ["ip6tables-restore", "--noflush", "-w", str(_WAIT_FOR_LOCK_S)],
        stdin=rule_text.checked_rules(text),
        timeout_s=_WAIT_FOR_LOCK_S + 30,
    )


@network_pctxt.entrypoint
def save_frame_rules() -> CommandOutcome:
    """Return the frame rules of the host as ebtables-save prints them."""
    return commands.run(["ebtables-save"], timeout_s=30)


@network_pctxt.entrypoint
def restore_frame_rules(text: str) -> CommandOutcome:
    """Apply changes to frame rules of nova-network.

    Raises: ValueError when the text touches anything else.
    """
    checked = rule_text.checked_frame_rules(text)
    return commands.run(["ebtables-restore", "--noflush"], stdin=checked, timeout_s=30)


@network_pctxt.entrypoint
def get_dnsmasq_version() -> CommandOutcome:
    """Return what dnsmasq says of itself."""
    return commands.run(["dnsmasq", "--version"], timeout_s=30)


@network_pctxt.entrypoint
def start_dnsmasq(bridge: str, network_id: int, arguments: Sequence[str]) -> CommandOutcome:
    """Start the dnsmasq of a bridge; it has its addresses and leases when this returns.

    Raises: ValueError when an argument is none that nova-network may use.
    """
    checks.interface_name(bridge)
    checks.number_between(network_id, 0, 2**31)
    for argument in arguments:
        _check_dnsmasq_argument(bridge, argument)
    return commands.run(
        ["dnsmasq", *arguments],
        timeout_s=60,
        environment={
            "CONFIG_FILE": json.dumps(list(cfg.CONF.dhcpbridge_flagfile)),
            "NETWORK_ID": str(network_id),
        },
    )


@network_pctxt.entrypoint
def signal_dnsmasq(bridge: str, name: str) -> bool:
    """Send HUP, TERM or KILL to the dnsmasq of a bridge; tell whether there is one."""
    checks.interface_name(bridge)
    if name not in _SIGNALS:
        raise ValueError("not a signal that dnsmasq may get")
    folder = cfg.CONF.networks_path
    process_id = find_dnsmasq_process(folder, bridge)
    if process_id is None:
        return False
    try:
        os.kill(process_id, _SIGNALS[name])
    except ProcessLookupError:
        return False
    return True


@network_pctxt.entrypoint
def release_lease(bridge: str, address: str, mac: str) -> CommandOutcome:
    """Tell the dnsmasq of a bridge that a guest gives its address back."""
    return commands.run(
        [
            "dhcp_release",
            checks.interface_name(bridge),
            checks.ipv4_address(address),
            checks.mac_address(mac),
        ],
        timeout_s=10,
    )


def find_dnsmasq_process(folder: str, bridge: str) -> int | None:
    """Return the process id of the live dnsmasq of a bridge.

    A process counts when its command line names the bridge's own hosts file; that of a
    process that has ended is empty.
    """
    arguments = read_dnsmasq_arguments(folder, bridge)
    return arguments[0] if arguments else None


def read_dnsmasq_arguments(folder: str, bridge: str) -> tuple[int, tuple[str, ...]] | None:
    """Return process id and arguments of the live dnsmasq of a bridge."""
    hosts_file = f"--dhcp-hostsfile={folder}/nova-{checks.interface_name(bridge)}.conf"
    try:
        with open(f"{folder}/nova-{bridge}.pid") as pid_file:
            process_id = int(pid_file.read(32).strip() or "0")
        with open(f"/proc/{process_id}/cmdline", "rb") as command_line:
            words = command_line.read().decode(errors="replace").split("\0")[:-1]
    except (OSError, ValueError):
        return None
    if hosts_file not in words or os.path.basename(words[0]) != "dnsmasq":
        return None
    return process_id, tuple(words[1:])


def _check_dnsmasq_argument(bridge: str, argument: str) -> None:
    if not isinstance(argument, str) or not argument.isprintable():
        raise ValueError("not an argument of dnsmasq")
    if argument in _FLAGS:
        return
    name, separator, value = argument.partition("=")
    if not separator or not _is_allowed_setting(bridge, name, value):
        raise ValueError(f"dnsmasq may not be given {name}")


def _is_allowed_setting(bridge: str, name: str, value: str) -> bool:
    files = {
        "--pid-file": "pid",
        "--dhcp-optsfile": "opts",
        "--dhcp-hostsfile": "conf",
        "--addn-hosts": "hosts",
    }
    if name in files:
        folder = cfg.CONF.networks_path
        checks.path_inside(value, folder)
        return value == f"{folder}/nova-{bridge}.{files[name]}"
    if name in ("--listen-address", "--server"):
        checks.ipv4_address(value)
        return True
    if name in ("--user", "--dhcp-scriptuser"):
        return checks.is_plain_user(value)
    if name == "--dhcp-lease-max":
        return value.isdecimal()
    if name == "--dhcp-range":
        return _RANGE.fullmatch(value) is not None
    if name == "--domain":
        return _DOMAIN.fullmatch(value) is not None
    settled = {
        "--dhcp-script": cfg.CONF.dhcpbridge,
        "--conf-file": cfg.CONF.dnsmasq_config_file,
    }
    return name in settled and value == settled[name]


cfg.CONF.register_opts(SERVICE_OPTS)
cfg.CONF.register_opts(opts.NETWORK_OPTS)
cfg.CONF.set_default("bindir", os.path.join(sys.prefix, "bin"))
