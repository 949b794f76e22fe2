"""Makes the packet filter of this host agree with wanted rules, with root's rights."""

import errno
import logging
import os
import re
import socket

from nova.exception import CommandFailed, CommandTimeout, DriverError
from nova.netfilter import RuleSet, change_until_equal, render_difference
from nova.privileged import guest_rules
from nova.privileged.commands import TIMED_OUT, CommandOutcome
from nova.virt.iptables import PREFIX
from nova.virt.rule_match import Family

LOG = logging.getLogger(__name__)

_PROGRAMS = {Family.IPV4: "iptables", Family.IPV6: "ip6tables"}
_PROTOCOL = re.compile(r"(?<=-p )[a-z][a-z0-9.-]*")
_KEPT = frozenset(("tcp", "udp", "icmp", "ipv6-icmp"))


class KernelRules:
    """The rules of the kernel; it holds no state.  Callers serialise its use."""

    def families(self) -> tuple[Family, ...]:
        """Return the families that the kernel has."""
        has_v6 = os.path.exists("/proc/sys/net/ipv6")
        return (Family.IPV4, Family.IPV6) if has_v6 else (Family.IPV4,)

    def apply(self, family: Family, rules: RuleSet) -> bool:
        """Change own chains and jumps where they differ, as one step; tell whether any did.

        Raises: CommandFailed, CommandTimeout.
        """
        program = _PROGRAMS[family]

        def difference() -> str:
            saved = _output(f"{program}-save", guest_rules.save_rules(family.value))
            return render_difference(rules, numbered_protocols(saved), PREFIX)

        def change(text: str) -> CommandOutcome:
            LOG.info("Changing %s lines of %s rules", text.count("\n"), program)
            return guest_rules.restore_rules(family.value, text)

        outcome = change_until_equal(difference, change)
        if outcome is None:
            return False
        _output(f"{program}-restore", outcome)
        return True

    def filter_bridged(self, family: Family) -> bool:
        """Let bridged frames pass the filter; tell whether they did not before.

        Raises: DriverError.
        """
        try:
            changed: bool = guest_rules.filter_bridged(family.value)
        except OSError as error:
            reason = error.strerror
            if error.errno == errno.ENOENT:
                reason = "the kernel module br_netfilter is not loaded"
            raise DriverError(operation="filter bridged frames", reason=reason) from error
        if changed:
            LOG.warning("Frames that passed bridges were not filtered by %s", _PROGRAMS[family])
        return changed


def numbered_protocols(saved: str) -> str:
    """Replace names of protocols that only some hosts know by their numbers."""
    return _PROTOCOL.sub(lambda match: _number(match[0]), saved)


def _number(name: str) -> str:
    if name in _KEPT:
        return name
    try:
        return str(socket.getprotobyname(name))
    except OSError:
        return name


def _output(command: str, outcome: CommandOutcome) -> str:
    """Return a program's output.  Raises: CommandFailed, CommandTimeout."""
    exit_code, output, errors = outcome
    if exit_code == TIMED_OUT:
        raise CommandTimeout(command=command, timeout_s=errors)
    if exit_code:
        LOG.error("%s failed with exit code %s: %s", command, exit_code, errors.strip())
        raise CommandFailed(command=command, exit_code=exit_code)
    return output
