"""Looking at a host's devices and rules without changing any of it."""

from typing import Any

from pyroute2 import IPRoute

from nova.privileged import commands
from nova.privileged.commands import CommandOutcome
from nova.privileged.context import compute_pctxt, network_pctxt

_TIMEOUT_S = 8
_PROGRAMS = {4: "iptables-save", 6: "ip6tables-save"}


@network_pctxt.entrypoint
def save_counted_rules(version: int) -> CommandOutcome:
    """Return rules with counters, for nova-network; version: 4 or 6."""
    return commands.run([_PROGRAMS[version], "-c"], timeout_s=_TIMEOUT_S)


@compute_pctxt.entrypoint
def save_counted_guest_rules(version: int) -> CommandOutcome:
    """Return rules with counters, for nova-compute; version: 4 or 6."""
    return commands.run([_PROGRAMS[version], "-c"], timeout_s=_TIMEOUT_S)


def read_devices() -> list[dict[str, Any]]:
    """Return all devices of the host, with the fields of objects.path.Link; needs no rights.

    Raises: OSError.
    """
    with IPRoute() as netlink:
        found = list(netlink.get_links())
        given = list(netlink.get_addr())
    names = {one["index"]: one.get_attr("IFLA_IFNAME") for one in found}
    addresses: dict[int, list[str]] = {}
    for one in given:
        text = one.get_attr("IFA_LOCAL") or one.get_attr("IFA_ADDRESS")
        addresses.setdefault(one["index"], []).append(f"{text}/{one['prefixlen']}")
    return [_device(one, names, addresses.get(one["index"], [])) for one in found]


def _device(link: Any, names: dict[int, str], addresses: list[str]) -> dict[str, Any]:
    counters = link.get_attr("IFLA_STATS64") or {}
    return {
        "name": link.get_attr("IFLA_IFNAME"),
        "kind": link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND"),
        "up": link["state"] == "up",
        "bridge": names.get(link.get_attr("IFLA_MASTER")),
        "addresses": addresses,
        "received_packets": counters.get("rx_packets", 0),
        "received_bytes": counters.get("rx_bytes", 0),
        "sent_packets": counters.get("tx_packets", 0),
        "sent_bytes": counters.get("tx_bytes", 0),
        "dropped_packets": counters.get("rx_dropped", 0) + counters.get("tx_dropped", 0),
    }
