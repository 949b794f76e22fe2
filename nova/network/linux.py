"""Makes a Linux host agree with wanted values: files here, the rest with root's rights."""

import contextlib
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from nova.exception import CommandFailed, CommandTimeout, ConfigurationError
from nova.network.bridges import Bridge
from nova.network.dhcp import DhcpServer
from nova.network.iptables import RuleSet
from nova.network.iptables_diff import EBTABLES_CHAIN, render_difference
from nova.objects.path import Chain, DhcpService
from nova.objects.path_reading import parse_counted
from nova.privileged import links, network, reading
from nova.privileged.commands import NOT_FOUND, TIMED_OUT, CommandOutcome

LOG = logging.getLogger(__name__)

MINIMUM_DNSMASQ = (2, 83)
_PID_FILE = re.compile(r"nova-(?P<bridge>.+)\.(?:pid|conf|opts|hosts)")
_SUFFIXES = ("conf", "opts", "hosts", "pid")
_STOP_ATTEMPTS = 50
_STOP_PAUSE_S = 0.1


class LinuxHost:
    """The host that this process runs on; see host.NetworkHost.

    It holds no state: all is read from kernel and files.  Callers serialise its use.
    """

    def __init__(self, networks_path: str) -> None:
        self._folder = networks_path

    def check(self) -> None:
        """Make the folder for files; refuse a dnsmasq with known holes."""
        try:
            os.makedirs(self._folder, mode=0o755, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                reason=f"networks_path can not be made: {error.strerror}"
            ) from error
        for program, outcome in (
            ("iptables", network.save_rules()),
            ("dnsmasq", network.get_dnsmasq_version()),
        ):
            if outcome[0] == NOT_FOUND:
                raise ConfigurationError(reason=f"{program} is not installed")
            text = _output(program, outcome)
        match = re.search(r"version (\d+)\.(\d+)", text)
        if match is None or (int(match[1]), int(match[2])) < MINIMUM_DNSMASQ:
            minimum = ".".join(str(part) for part in MINIMUM_DNSMASQ)
            raise ConfigurationError(reason=f"dnsmasq is older than {minimum}")

    def enable_forwarding(self, metadata_address: str) -> bool:
        """Let the host forward packets, and hold the metadata address on its loopback."""
        with _kernel("forwarding"):
            changed = links.enable_forwarding()
            return links.ensure_local_address(metadata_address) or changed

    def remove_local_address(self, address: str) -> bool:
        """Give up an address on the loopback."""
        with _kernel("address"):
            return bool(links.remove_local_address(address))

    def apply_rules(self, rules: RuleSet) -> bool:
        """Change own chains and jumps where they differ, each table as one step."""
        difference = render_difference(rules, _output("iptables-save", network.save_rules()))
        if not difference:
            return False
        LOG.info("Changing %s lines of iptables rules", difference.count("\n"))
        _output("iptables-restore", network.restore_rules(difference))
        return True

    def apply_frame_rules(self, rules: RuleSet) -> bool:
        """Change own ebtables chains where they differ; without ebtables there are none."""
        outcome = network.save_frame_rules()
        if outcome[0] == NOT_FOUND and not any(table.chains for table in rules):
            return False
        difference = render_difference(rules, _output("ebtables-save", outcome), EBTABLES_CHAIN)
        if difference:
            _output("ebtables-restore", network.restore_frame_rules(difference))
        return bool(difference)

    def ensure_bridge(self, bridge: Bridge) -> bool:
        """Make a bridge as wanted."""
        with _kernel(f"bridge {bridge.name}"):
            changed = links.ensure_bridge(
                bridge.name, bridge.interface, list(bridge.addresses), bridge.mtu
            )
        if changed:
            LOG.info("Bridge %s set up with %s", bridge.name, ", ".join(bridge.addresses))
        return bool(changed)

    def list_bridges(self) -> tuple[str, ...]:
        """Return the names of the bridges that nova-network made."""
        with _kernel("bridges"):
            return tuple(links.list_own_bridges())

    def remove_bridge(self, name: str) -> bool:
        """Remove a bridge that nova-network made, unless guests are on it."""
        with _kernel(f"bridge {name}"):
            removed = bool(links.delete_bridge(name))
        if removed:
            LOG.info("Bridge %s removed", name)
        return removed

    def ensure_server(self, server: DhcpServer, *, may_start: bool = True) -> bool:
        """Write files that changed; start, restart or HUP dnsmasq as needed."""
        written = [_write(path, content) for path, content in server.files]
        running = network.read_dnsmasq_arguments(self._folder, server.bridge)
        if running is not None and running[1] == server.arguments:
            if any(written):
                self._signal(server.bridge, "HUP")
            return any(written)
        if not may_start:
            return any(written)
        if running is not None:
            LOG.info("Settings of the dnsmasq of %s changed", server.bridge)
            self._stop(server.bridge)
        arguments = list(server.arguments)
        with _kernel("dnsmasq"):
            outcome = network.start_dnsmasq(server.bridge, server.network_id, arguments)
        _output("dnsmasq", outcome)
        LOG.info("dnsmasq of %s started", server.bridge)
        return True

    def list_servers(self) -> tuple[str, ...]:
        """Return the bridges for which nova-network has DHCP files."""
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return ()
        matches = (_PID_FILE.fullmatch(name) for name in names)
        return tuple(sorted({match["bridge"] for match in matches if match}))

    def remove_server(self, bridge: str) -> bool:
        """Stop the dnsmasq of a bridge and remove its files."""
        stopped = self._stop(bridge)
        removed = [_remove(f"{self._folder}/nova-{bridge}.{suffix}") for suffix in _SUFFIXES]
        return stopped or any(removed)

    def release_lease(self, bridge: str, address: str, mac: str) -> None:
        """Let dnsmasq forget a lease; it calls nova-dhcpbridge in turn."""
        _output("dhcp_release", network.release_lease(bridge, address, mac))

    def read_devices(self) -> list[dict[str, Any]]:
        """Return all devices."""
        with _kernel("devices"):
            return reading.read_devices()

    def read_chains(self) -> tuple[Chain, ...]:
        """Return all IPv4 chains with their counters."""
        return parse_counted(_output("iptables-save", reading.save_counted_rules(4)))

    def read_dhcp(self, bridge: str) -> DhcpService:
        """Return what runs and what is written for a bridge."""
        running = network.read_dnsmasq_arguments(self._folder, bridge)
        return DhcpService(
            bridge=bridge,
            process_id=running[0] if running else None,
            entries=tuple(_read_lines(f"{self._folder}/nova-{bridge}.conf")),
        )

    def _stop(self, bridge: str) -> bool:
        """Stop a dnsmasq and wait for its end, by force after half of the time."""
        for attempt in range(_STOP_ATTEMPTS):
            if network.find_dnsmasq_process(self._folder, bridge) is None:
                return attempt > 0
            if attempt in (0, _STOP_ATTEMPTS // 2):
                self._signal(bridge, "KILL" if attempt else "TERM")
            time.sleep(_STOP_PAUSE_S)
        raise CommandTimeout(command="dnsmasq", timeout_s=_STOP_ATTEMPTS * _STOP_PAUSE_S)

    def _signal(self, bridge: str, name: str) -> None:
        with _kernel("dnsmasq"):
            network.signal_dnsmasq(bridge, name)


@contextlib.contextmanager
def _kernel(what: str) -> Iterator[None]:
    """Turn what the kernel or the privileged side refuses into CommandFailed."""
    try:
        yield
    except (OSError, ValueError) as error:
        LOG.error("Setting up %s failed: %s", what, error)
        raise CommandFailed(command=what, exit_code=getattr(error, "errno", None) or 1) from error


def _output(command: str, outcome: CommandOutcome) -> str:
    """Return a program's output.  Raises: CommandFailed, CommandTimeout."""
    exit_code, output, errors = outcome
    if exit_code == TIMED_OUT:
        raise CommandTimeout(command=command, timeout_s=errors)
    if exit_code:
        LOG.error("%s failed with exit code %s: %s", command, exit_code, errors.strip())
        raise CommandFailed(command=command, exit_code=exit_code)
    return output


def _write(path: str, content: str) -> bool:
    """Replace a file at once unless it has the content; everybody may read it."""
    with contextlib.suppress(FileNotFoundError), open(path, encoding="ascii") as present:
        if present.read() == content:
            return False
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with open(handle, "w", encoding="ascii") as new:
            new.write(content)
            os.fchmod(new.fileno(), 0o644)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    return True


def _read_lines(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
