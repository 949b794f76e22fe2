"""What this host has on the way of a guest's packets, for show-path."""

import re
from collections.abc import Iterable

from nova.exception import DriverError
from nova.objects.instance import Instance
from nova.objects.lifecycle import PowerState
from nova.objects.path import Chain, GuestPath
from nova.objects.path_reading import parse_counted, relevant_links, with_rules
from nova.privileged import reading
from nova.privileged.commands import NOT_FOUND

SHARED_CHAINS = ("FORWARD", "nova-filter-top", "nova-compute-local", "nova-compute-FORWARD")
_BRIDGE_FILTERING = "/proc/sys/net/bridge/bridge-nf-call-iptables"
_TARGET = re.compile(r"-[jg] (\S+)")


def describe(instance: Instance, host: str, power_state: PowerState) -> GuestPath:
    """Return what the host has for a server.  Raises: DriverError."""
    taps = {vif.devname for vif in instance.vifs}
    bridges = {vif.network.bridge for vif in instance.vifs if vif.network.bridge}
    try:
        devices = reading.read_devices()
    except OSError as error:
        raise _unreadable("its devices") from error
    return GuestPath(
        host=host,
        power_state=power_state,
        links=relevant_links(devices, taps | bridges),
        chains=relevant_chains(_read_chains(), f"nova-compute-inst-{instance.id}"),
        bridge_filtering=_bridge_filtering(),
    )


def relevant_chains(chains: Iterable[Chain], guest_chain: str) -> tuple[Chain, ...]:
    """Return the guest's chain and what it leads to, and how packets get there.

    Of chains that all guests share, only what leads to this guest or to a shared chain.
    """
    filters = {(one.name, one.version): one for one in chains if one.table == "filter"}
    shared = [one for one in filters.values() if one.name in SHARED_CHAINS]
    own: dict[tuple[str, int], Chain] = {}
    waiting = [key for key in filters if key[0] == guest_chain]
    while waiting:
        key = waiting.pop()
        if key in own or key not in filters:
            continue
        own[key] = filters[key]
        waiting += [(name, key[1]) for one in filters[key].rules for name in _targets(one.rule)]
    kept = with_rules(shared, lambda chain, rule: _leads_here(rule, guest_chain))
    return kept + with_rules(own.values(), lambda chain, rule: True)


def _leads_here(rule: str, guest_chain: str) -> bool:
    named = _targets(rule)
    return guest_chain in named or any(
        name in SHARED_CHAINS or name.startswith("nova-network-") for name in named
    )


def _targets(rule: str) -> list[str]:
    return _TARGET.findall(rule)


def _read_chains() -> tuple[Chain, ...]:
    found: list[Chain] = []
    for version in (4, 6):
        exit_code, output, _ = reading.save_counted_guest_rules(version)
        if exit_code not in (0, NOT_FOUND):
            raise _unreadable("its packet filter")
        found += parse_counted(output, version)
    return tuple(found)


def _bridge_filtering() -> bool | None:
    try:
        with open(_BRIDGE_FILTERING, encoding="ascii") as setting:
            return setting.read().strip() == "1"
    except FileNotFoundError:
        return None


def _unreadable(what: str) -> DriverError:
    return DriverError(operation="describe the path", reason=f"the host does not tell {what}.")
