"""The packet filter in front of guests: nova-compute's rules of iptables and ip6tables."""

import os

from nova.privileged import commands, rule_text
from nova.privileged.commands import CommandOutcome
from nova.privileged.context import compute_pctxt

_WAIT_FOR_LOCK_S = 20
_PROGRAMS = {4: "iptables", 6: "ip6tables"}
_BRIDGE_SETTINGS = "/proc/sys/net/bridge"


@compute_pctxt.entrypoint
def save_rules(version: int) -> CommandOutcome:
    """Return the rules of a version of the Internet protocol as iptables-save prints them."""
    return commands.run([f"{_program(version)}-save", "-t", "filter"], timeout_s=30)


@compute_pctxt.entrypoint
def restore_rules(version: int, text: str) -> CommandOutcome:
    """Apply changes to rules of nova-compute as one step.

    Raises: ValueError when the text touches anything else.
    """
    return commands.run(
        [f"{_program(version)}-restore", "--noflush", "-w", str(_WAIT_FOR_LOCK_S)],
        stdin=rule_text.checked_guest_rules(text),
        timeout_s=_WAIT_FOR_LOCK_S + 30,
    )


@compute_pctxt.entrypoint
def filter_bridged(version: int) -> bool:
    """Let frames that pass a bridge pass the filter too; tell whether they did not before.

    Raises: OSError, ENOENT when the kernel module br_netfilter is not there.
    """
    path = f"{_BRIDGE_SETTINGS}/bridge-nf-call-{_program(version)}"
    with open(path, encoding="ascii") as present:
        if present.read().strip() == "1":
            return False
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, b"1\n")
    finally:
        os.close(handle)
    return True


def _program(version: int) -> str:
    if not isinstance(version, int) or version not in _PROGRAMS:
        raise ValueError("not a version of the Internet protocol")
    return _PROGRAMS[version]
