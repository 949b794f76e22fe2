"""The networks of a host in memory: for tests, measurements and fake_network."""

import dataclasses
import threading
from typing import Any

from nova.exception import CommandFailed, FloatingDeviceMissing
from nova.netfilter import RuleSet
from nova.network.bridges import Bridge
from nova.network.dhcp import DhcpServer
from nova.network.ebtables import NO_FRAME_RULES
from nova.network.floating import present_translations
from nova.network.ip6tables import NO_RULES_V6
from nova.network.iptables import NO_RULES
from nova.network.radvd import Advertiser
from nova.objects.path import Chain, CountedRule, DhcpService


@dataclasses.dataclass(slots=True)
class MemoryHost:
    """Behaves like linux.LinuxHost; log holds what changed, in order."""

    rules: RuleSet = NO_RULES
    rules_v6: RuleSet = NO_RULES_V6
    frame_rules: RuleSet = NO_FRAME_RULES
    bridges: dict[str, Bridge] = dataclasses.field(default_factory=dict)
    servers: dict[str, DhcpServer] = dataclasses.field(default_factory=dict)
    advertisers: dict[str, Advertiser] = dataclasses.field(default_factory=dict)
    forwarding: bool = False
    forwarding_v6: bool = False
    local_addresses: set[str] = dataclasses.field(default_factory=set)
    floating: dict[str, str] = dataclasses.field(default_factory=dict)
    missing_devices: set[str] = dataclasses.field(default_factory=set)
    log: list[tuple[str, ...]] = dataclasses.field(default_factory=list)
    _failures: dict[str, list[BaseException]] = dataclasses.field(default_factory=dict)
    _guard: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def fail_next(self, operation: str, times: int = 1, error: BaseException | None = None) -> None:
        """Let the next calls of an operation raise an error, CommandFailed if none is given."""
        failure = error or CommandFailed(command=operation, exit_code=1)
        self._failures[operation] = [failure] * times

    def check(self) -> None:
        """Find everything that is needed."""
        self._may_fail("check")

    def enable_forwarding(self, metadata_address: str) -> bool:
        """Let the host forward, and hold the metadata address."""
        self._may_fail("enable_forwarding")
        changed = not self.forwarding or metadata_address not in self.local_addresses
        self.forwarding = True
        self.local_addresses.add(metadata_address)
        return self._note(changed, "forwarding", metadata_address)

    def apply_rules(self, rules: RuleSet) -> bool:
        """Replace the rules."""
        self._may_fail("apply_rules")
        changed, self.rules = self.rules != rules, rules
        return self._note(changed, "rules")

    def enable_forwarding_v6(self) -> bool:
        """Let the host forward IPv6 packets."""
        changed, self.forwarding_v6 = not self.forwarding_v6, True
        return self._note(changed, "forwarding IPv6")

    def apply_rules_v6(self, rules: RuleSet) -> bool:
        """Replace the IPv6 rules."""
        self._may_fail("apply_rules_v6")
        changed, self.rules_v6 = self.rules_v6 != rules, rules
        return self._note(changed, "IPv6 rules")

    def apply_frame_rules(self, rules: RuleSet) -> bool:
        """Replace the frame rules."""
        self._may_fail("apply_frame_rules")
        changed, self.frame_rules = self.frame_rules != rules, rules
        return self._note(changed, "frame rules")

    def ensure_bridge(self, bridge: Bridge) -> bool:
        """Make a bridge."""
        self._may_fail("ensure_bridge")
        changed = self.bridges.get(bridge.name) != bridge
        self.bridges[bridge.name] = bridge
        return self._note(changed, "bridge", bridge.name)

    def list_bridges(self) -> tuple[str, ...]:
        """Return the names of own bridges."""
        return tuple(sorted(self.bridges))

    def remove_bridge(self, name: str) -> bool:
        """Remove a bridge."""
        self._may_fail("remove_bridge")
        return self._note(self.bridges.pop(name, None) is not None, "remove bridge", name)

    def ensure_server(self, server: DhcpServer, *, may_start: bool = True) -> bool:
        """Start a DHCP server, or let it read its files again."""
        self._may_fail("ensure_server")
        present = self.servers.get(server.bridge)
        if present is None and not may_start:
            return False
        self.servers[server.bridge] = server
        if present is None or present.arguments != server.arguments:
            return self._note(True, "start dhcp", server.bridge)
        return self._note(present.files != server.files, "reload dhcp", server.bridge)

    def list_servers(self) -> tuple[str, ...]:
        """Return the bridges that have a DHCP server."""
        return tuple(sorted(self.servers))

    def remove_server(self, bridge: str) -> bool:
        """Stop the DHCP server of a bridge."""
        self._may_fail("remove_server")
        return self._note(self.servers.pop(bridge, None) is not None, "stop dhcp", bridge)

    def ensure_advertiser(self, advertiser: Advertiser) -> bool:
        """Start a radvd, or let it read its file again."""
        self._may_fail("ensure_advertiser")
        present = self.advertisers.get(advertiser.bridge)
        self.advertisers[advertiser.bridge] = advertiser
        what = "reload radvd" if present else "start radvd"
        return self._note(present != advertiser, what, advertiser.bridge)

    def list_advertisers(self) -> tuple[str, ...]:
        """Return the bridges that have a radvd."""
        return tuple(sorted(self.advertisers))

    def remove_advertiser(self, bridge: str) -> bool:
        """Stop the radvd of a bridge."""
        self._may_fail("remove_advertiser")
        return self._note(self.advertisers.pop(bridge, None) is not None, "stop radvd", bridge)

    def release_lease(self, bridge: str, address: str, mac: str) -> None:
        """Give a lease back."""
        self._may_fail("release_lease")
        self._note(True, "release", bridge, address, mac)

    def remove_local_address(self, address: str) -> bool:
        """Give up an address of this host only."""
        present = address in self.local_addresses
        self.local_addresses.discard(address)
        return self._note(present, "remove address", address)

    def list_translations(self) -> dict[str, str]:
        """Return where the rules lead floating addresses."""
        lines = [
            line
            for table in self.rules
            for line in (
                f"*{table.name}",
                *(f"-A {name} {rule}" for name, rules in table.chains.items() for rule in rules),
            )
        ]
        return present_translations("\n".join(lines))

    def list_floating_addresses(self) -> dict[str, str]:
        """Return the floating addresses with their devices."""
        return dict(self.floating)

    def ensure_floating_address(self, address: str, device: str, announcements: int) -> bool:
        """Answer for an address."""
        self._may_fail("ensure_floating_address")
        if device in self.missing_devices:
            raise FloatingDeviceMissing(addresses=address, interface=device)
        changed = self.floating.get(address) != device
        self.floating[address] = device
        return self._note(changed, "add floating", address, device)

    def remove_floating_address(self, address: str, device: str) -> bool:
        """Answer for an address no more."""
        self._may_fail("remove_floating_address")
        return self._note(
            self.floating.pop(address, None) is not None, "remove floating", address, device
        )

    def cut_connections(self, address: str) -> None:
        """Forget the connections of an address."""
        self._may_fail("cut_connections")
        self._note(True, "cut", address)

    def cut_attempts(self, address: str) -> None:
        """Forget what was sent to an address before it led anywhere."""
        self._may_fail("cut_attempts")
        self._note(True, "cut attempts", address)

    def read_devices(self) -> list[dict[str, Any]]:
        """Return the bridges, and the loopback."""
        bridges: list[dict[str, Any]] = [
            {"name": one.name, "kind": "bridge", "up": True, "addresses": list(one.addresses)}
            for one in self.bridges.values()
        ]
        local = [f"{address}/32" for address in sorted(self.local_addresses)]
        return [*bridges, {"name": "lo", "up": True, "addresses": local}]

    def read_chains(self) -> tuple[Chain, ...]:
        """Return the rules; nothing ever meets them."""
        chains: dict[tuple[str, str], list[str]] = {}
        for table in self.rules:
            for hook in table.hooks:
                chains.setdefault((table.name, hook.chain), []).append(hook.rule)
            for name, rules in table.chains.items():
                chains.setdefault((table.name, name), []).extend(rules)
        return tuple(
            Chain(
                table=table,
                name=name,
                policy="ACCEPT" if name.isupper() else None,
                rules=tuple(CountedRule(rule=rule) for rule in rules),
            )
            for (table, name), rules in chains.items()
        )

    def read_dhcp(self, bridge: str) -> DhcpService:
        """Return a DHCP server of process 1, if it was started."""
        server = self.servers.get(bridge)
        if server is None:
            return DhcpService(bridge=bridge)
        lines = [text for path, text in server.files if path.endswith(".conf")]
        entries = tuple(line for text in lines for line in text.splitlines())
        return DhcpService(bridge=bridge, process_id=1, entries=entries)

    def _note(self, changed: bool, *what: str) -> bool:
        if changed:
            with self._guard:
                self.log.append(what)
        return changed

    def _may_fail(self, operation: str) -> None:
        if failures := self._failures.get(operation):
            raise failures.pop()
