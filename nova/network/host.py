"""What nova-network asks of the host it runs on; linux.py and memory.py are the two kinds."""

from typing import Any, Protocol

from nova.netfilter import RuleSet
from nova.network.bridges import Bridge
from nova.network.dhcp import DhcpServer
from nova.network.radvd import Advertiser
from nova.objects.path import Chain, DhcpService


class NetworkHost(Protocol):
    """Makes a host agree with wanted values.

    Every method is safe to repeat; those that return a bool tell whether they changed
    anything.  Raises: CommandFailed, CommandTimeout, ConfigurationError.
    """

    def check(self) -> None:
        """Find everything that is needed on this host, new enough."""

    def enable_forwarding(self, metadata_address: str) -> bool:
        """Let the host forward packets, and hold the metadata address on its loopback."""

    def enable_forwarding_v6(self) -> bool:
        """Let the host forward IPv6 packets."""

    def apply_rules_v6(self, rules: RuleSet) -> bool:
        """Make the ip6tables chains of nova-network agree; no other rules are touched."""

    def apply_rules(self, rules: RuleSet) -> bool:
        """Make the iptables chains of nova-network agree; no other rules are touched."""

    def apply_frame_rules(self, rules: RuleSet) -> bool:
        """Make the ebtables chains of nova-network agree; no other rules are touched."""

    def ensure_bridge(self, bridge: Bridge) -> bool:
        """Make a bridge as wanted."""

    def list_bridges(self) -> tuple[str, ...]:
        """Return the names of the bridges that nova-network made."""

    def remove_bridge(self, name: str) -> bool:
        """Remove a bridge that nova-network made, unless guests are on it."""

    def ensure_server(self, server: DhcpServer, *, may_start: bool = True) -> bool:
        """Write the files of a DHCP server and let it read them.

        One that runs is kept; it is started anew only when its arguments changed, and only
        with may_start.
        """

    def list_servers(self) -> tuple[str, ...]:
        """Return the bridges for which nova-network has DHCP files."""

    def remove_server(self, bridge: str) -> bool:
        """Stop the DHCP server of a bridge and remove its files."""

    def ensure_advertiser(self, advertiser: Advertiser) -> bool:
        """Write the file of a radvd and let it read it; one that runs is kept."""

    def list_advertisers(self) -> tuple[str, ...]:
        """Return the bridges for which nova-network has files of radvd."""

    def remove_advertiser(self, bridge: str) -> bool:
        """Stop the radvd of a bridge and remove its files."""

    def release_lease(self, bridge: str, address: str, mac: str) -> None:
        """Let the DHCP server forget a lease, as if the guest gave it back."""

    def remove_local_address(self, address: str) -> bool:
        """Give up an address on the loopback."""

    def list_translations(self) -> dict[str, str]:
        """Return where the rules that are in force lead floating addresses."""

    def list_floating_addresses(self) -> dict[str, str]:
        """Return the floating addresses on this host, each with its network device."""

    def ensure_floating_address(self, address: str, device: str, announcements: int) -> bool:
        """Let a device, or the bridge it is in, answer for an address; tell its neighbours.

        Raises: FloatingDeviceMissing.
        """

    def remove_floating_address(self, address: str, device: str) -> bool:
        """Take away an address that ensure_floating_address() added."""

    def cut_connections(self, address: str) -> None:
        """Forget all tracked connections to and from a floating address."""

    def cut_attempts(self, address: str) -> None:
        """Forget what was sent to an address before it led anywhere, so that it is looked at anew.

        TCP connections that are open stay: they were another owner's.
        """

    def read_devices(self) -> list[dict[str, Any]]:
        """Return all devices, with the fields of objects.path.Link."""

    def read_chains(self) -> tuple[Chain, ...]:
        """Return all iptables chains with their counters."""

    def read_dhcp(self, bridge: str) -> DhcpService:
        """Return what runs and what is written for a bridge."""
