"""Makes a Linux host agree with wanted values: files here, the rest with root's rights."""

import contextlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nova.exception import (
    CommandFailed,
    CommandTimeout,
    ConfigurationError,
    FloatingDeviceMissing,
)
from nova.netfilter import (
    EBTABLES_CHAIN,
    IPTABLES_CHAIN,
    RuleSet,
    change_until_equal,
    render_difference,
)
from nova.network.bridges import Bridge, vlan_device
from nova.network.dhcp import DhcpServer
from nova.network.floating import present_translations
from nova.network.ip6tables import NO_RULES_V6
from nova.network.iptables import PREFIX
from nova.network.radvd import Advertiser
from nova.objects.path import Chain, DhcpService
from nova.objects.path_reading import parse_counted
from nova.privileged import advertising, floating, links, network, reading
from nova.privileged.commands import NOT_FOUND, TIMED_OUT, CommandOutcome

LOG = logging.getLogger(__name__)

MINIMUM_DNSMASQ = (2, 83)
_PID_FILE = re.compile(r"nova-(?!ra-)(?P<bridge>.+)\.(?:pid|conf|opts|hosts|unread)")
_RA_FILE = re.compile(r"nova-ra-(?P<bridge>.+)\.(?:pid|conf|unread)")
_SUFFIXES = ("conf", "opts", "hosts", "unread", "pid")
_RA_SUFFIXES = ("conf", "unread", "pid")
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
            ("conntrack", floating.get_conntrack_version()),
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
        return _change_rules("iptables", rules, network.save_rules, network.restore_rules)

    def enable_forwarding_v6(self) -> bool:
        """Let the host forward IPv6 packets."""
        with _kernel("forwarding"):
            return bool(links.enable_forwarding_v6())

    def apply_rules_v6(self, rules: RuleSet) -> bool:
        """Change own IPv6 chains where they differ; without ip6tables there are none."""
        if rules == NO_RULES_V6 and network.save_rules_v6()[0] == NOT_FOUND:
            return False
        return _change_rules("ip6tables", rules, network.save_rules_v6, network.restore_rules_v6)

    def apply_frame_rules(self, rules: RuleSet) -> bool:
        """Change own ebtables chains where they differ; without ebtables there are none."""
        if not any(one.chains for one in rules) and network.save_frame_rules()[0] == NOT_FOUND:
            return False
        return _change_rules(
            "ebtables", rules, network.save_frame_rules, network.restore_frame_rules, EBTABLES_CHAIN
        )

    def ensure_bridge(self, bridge: Bridge) -> bool:
        """Make a bridge as wanted."""
        addresses_v6 = None if bridge.addresses_v6 is None else list(bridge.addresses_v6)
        changed = False
        with _kernel(f"bridge {bridge.name}"):
            port = bridge.interface
            if bridge.vlan is not None:
                port = vlan_device(bridge.vlan.id)
                changed = links.ensure_vlan(bridge.vlan.id, bridge.vlan.interface, bridge.mtu)
            changed |= links.ensure_bridge(
                bridge.name, port, list(bridge.addresses), addresses_v6, bridge.mtu
            )
        if changed:
            LOG.info("Bridge %s set up with %s", bridge.name, ", ".join(bridge.addresses))
        return changed

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
        unread = f"{self._folder}/nova-{server.bridge}.unread"
        written = _write_changed(server.files, unread)
        running = network.read_dnsmasq_arguments(self._folder, server.bridge)
        if running is not None and running[1] == server.arguments:
            if not os.path.exists(unread):
                return False
            self._signal(server.bridge, "HUP")
            return _remove(unread)
        if not may_start:
            return written
        if running is not None:
            LOG.info("Settings of the dnsmasq of %s changed", server.bridge)
            self._stop(server.bridge)
        arguments = list(server.arguments)
        with _kernel("dnsmasq"):
            outcome = network.start_dnsmasq(server.bridge, server.network_id, arguments)
        _output("dnsmasq", outcome)
        _remove(unread)
        LOG.info("dnsmasq of %s started", server.bridge)
        return True

    def list_servers(self) -> tuple[str, ...]:
        """Return the bridges for which nova-network has DHCP files."""
        return self._bridges_with(_PID_FILE)

    def _bridges_with(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return ()
        matches = (pattern.fullmatch(name) for name in names)
        return tuple(sorted({match["bridge"] for match in matches if match}))

    def remove_server(self, bridge: str) -> bool:
        """Stop the dnsmasq of a bridge and remove its files."""
        stopped = self._stop(bridge)
        removed = [_remove(f"{self._folder}/nova-{bridge}.{suffix}") for suffix in _SUFFIXES]
        return stopped or any(removed)

    def ensure_advertiser(self, advertiser: Advertiser) -> bool:
        """Write a file that changed; start or HUP radvd as needed."""
        bridge = advertiser.bridge
        unread = f"{self._folder}/nova-ra-{bridge}.unread"
        _write_changed([(f"{self._folder}/nova-ra-{bridge}.conf", advertiser.config)], unread)
        running = advertising.find_radvd_process(self._folder, bridge) is not None
        if running and not os.path.exists(unread):
            return False
        with _kernel("radvd"):
            if not running or not advertising.signal_radvd(bridge, "HUP"):
                _output("radvd", advertising.start_radvd(bridge, advertiser.user))
                LOG.info("radvd of %s started", bridge)
        _remove(unread)
        return True

    def list_advertisers(self) -> tuple[str, ...]:
        """Return the bridges for which nova-network has files of radvd."""
        return self._bridges_with(_RA_FILE)

    def remove_advertiser(self, bridge: str) -> bool:
        """Stop the radvd of a bridge, which says goodbye to guests, and remove its files."""
        with _kernel("radvd"):
            stopped = bool(advertising.signal_radvd(bridge, "TERM"))
        removed = [_remove(f"{self._folder}/nova-ra-{bridge}.{one}") for one in _RA_SUFFIXES]
        return stopped or any(removed)

    def release_lease(self, bridge: str, address: str, mac: str) -> None:
        """Let dnsmasq forget a lease; it calls nova-dhcpbridge in turn."""
        _output("dhcp_release", network.release_lease(bridge, address, mac))

    def list_translations(self) -> dict[str, str]:
        """Return where the rules that are in force lead floating addresses."""
        return present_translations(_output("iptables-save", network.save_rules()))

    def list_floating_addresses(self) -> dict[str, str]:
        """Return the floating addresses on this host, each with its network device."""
        with _kernel("floating addresses"):
            return dict(floating.list_addresses())

    def ensure_floating_address(self, address: str, device: str, announcements: int) -> bool:
        """Let a device, or the bridge it is in, answer for an address; tell its neighbours."""
        with _kernel(f"floating address {address}"):
            holder = floating.device_of(device)
            if holder is None:
                raise FloatingDeviceMissing(addresses=address, interface=device)
            for other, former in floating.list_addresses():
                if other == address and former != holder:
                    floating.remove_address(address, former)
            added = bool(floating.add_address(address, holder))
            if added and announcements:
                floating.announce_address(address, holder, announcements)
        if added:
            LOG.info("Floating address %s is on %s", address, holder)
        return added

    def remove_floating_address(self, address: str, device: str) -> bool:
        """Take away an address that ensure_floating_address() added."""
        with _kernel(f"floating address {address}"):
            removed = bool(floating.remove_address(address, device))
        if removed:
            LOG.info("Floating address %s is not on %s any more", address, device)
        return removed

    def cut_connections(self, address: str) -> None:
        """Forget all tracked connections to and from a floating address."""
        _output("conntrack", floating.cut_connections_to(address))
        _output("conntrack", floating.cut_connections_from(address))

    def cut_attempts(self, address: str) -> None:
        """Forget what was sent to an address before it led anywhere."""
        for protocol in floating.ATTEMPTS:
            _output("conntrack", floating.cut_attempts_at(address, protocol))

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
            entries=tuple((_read(f"{self._folder}/nova-{bridge}.conf") or "").splitlines()),
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


def _change_rules(
    program: str,
    rules: RuleSet,
    save: Callable[[], CommandOutcome],
    restore: Callable[[str], CommandOutcome],
    new_chain: str = IPTABLES_CHAIN,
) -> bool:
    """Change what differs; tell whether anything did.  Raises: CommandFailed, CommandTimeout."""

    def difference() -> str:
        return render_difference(rules, _output(f"{program}-save", save()), PREFIX, new_chain)

    def change(text: str) -> CommandOutcome:
        LOG.info("Changing %s lines of %s rules", text.count("\n"), program)
        return restore(text)

    outcome = change_until_equal(difference, change)
    if outcome is None:
        return False
    _output(f"{program}-restore", outcome)
    return True


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


def _write_changed(files: Iterable[tuple[str, str]], unread: str) -> bool:
    """Write the files that have another content; tell whether any had.

    unread: a file that is there from before the first change until the program that reads them
    was told, so that it is told even when this process dies or fails in between.
    Raises: CommandFailed.
    """
    changed = [(path, content) for path, content in files if _read(path) != content]
    if changed:
        _write(unread, "")
    for path, content in changed:
        _write(path, content)
    return bool(changed)


def _write(path: str, content: str) -> None:
    """Replace a file at once; everybody may read it.  Raises: CommandFailed.

    What a process leaves that is killed here has one name, and is replaced the next time.
    """
    folder, name = os.path.split(path)
    temporary = f"{folder}/.new-{name}"
    with _kernel(f"file {path}"):
        try:
            with open(temporary, "w", encoding="ascii") as new:
                new.write(content)
                os.fchmod(new.fileno(), 0o644)
            os.replace(temporary, path)
        except OSError:
            _remove(temporary)
            raise


def _read(path: str) -> str | None:
    with (
        _kernel(f"file {path}"),
        contextlib.suppress(FileNotFoundError),
        open(path, encoding="ascii", errors="replace") as file,
    ):
        return file.read()
    return None


def _remove(path: str) -> bool:
    with _kernel(f"file {path}"):
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
    return True
