"""Floating addresses of a host: what it translates, as values, and the rules for that.

Source: nova-network.md section 5.5.
"""

import dataclasses
from collections.abc import Iterable, Mapping

from nova.netfilter import RuleSet, Table, parse_saved
from nova.network.iptables import PREFIX
from nova.network.names import is_device_name
from nova.network.settings import NetworkSettings
from nova.objects.floating_ip import HostFloatingIp
from nova.objects.network import HostNetwork

_TRANSLATED = PREFIX + "PREROUTING"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FloatingPlan:
    """What a host translates, in order of address, and what it must forget.

    forgotten: addresses whose connections are cut each time, until the conductor knows.
    """

    translations: tuple[HostFloatingIp, ...] = ()
    forgotten: tuple[str, ...] = ()

    @property
    def targets(self) -> dict[str, str]:
        """Fixed address by floating address."""
        return {one.address: one.fixed_ip for one in self.translations if one.fixed_ip}

    @property
    def devices(self) -> dict[str, str]:
        """Network device that holds each floating address."""
        return {one.address: one.interface for one in self.translations if one.interface}


NO_TRANSLATIONS = FloatingPlan()


def wanted_translations(networks: Iterable[HostNetwork], settings: NetworkSettings) -> FloatingPlan:
    """Return what a host translates; public_interface counts more than an address's own."""
    found = {one.address: one for served in networks for one in served.floating_ips}
    ordered = [found[address] for address in sorted(found)]
    return FloatingPlan(
        translations=tuple(
            dataclasses.replace(one, interface=_device(one, settings))
            for one in ordered
            if one.fixed_ip
        ),
        forgotten=tuple(one.address for one in ordered if not one.fixed_ip),
    )


def _device(one: HostFloatingIp, settings: NetworkSettings) -> str | None:
    name = settings.public_interface or one.interface
    return name if name and is_device_name(name) else None


def with_translations(rules: RuleSet, plan: FloatingPlan) -> RuleSet:
    """Return the rules of a host with those that translate its floating addresses.

    They come after those that leave traffic to the metadata service and to dmz_cidr alone.
    """
    return tuple(_joined(table, plan) if table.name == "nat" else table for table in rules)


def _joined(nat: Table, plan: FloatingPlan) -> Table:
    inwards = tuple(rule for lead in plan.targets.items() for rule in _inwards(*lead))
    more = {
        _TRANSLATED: inwards,
        PREFIX + "OUTPUT": inwards,
        PREFIX + "POSTROUTING": tuple(
            f"-s {fixed}/32 -m conntrack --ctstate DNAT -j SNAT --to-source {address}"
            for address, fixed in plan.targets.items()
        ),
        PREFIX + "float-snat": tuple(rule for one in plan.translations for rule in _outwards(one)),
    }
    chains = {name: (*rules, *more.get(name, ())) for name, rules in nat.chains.items()}
    return dataclasses.replace(nat, chains=chains)


def _inwards(address: str, fixed: str) -> tuple[str, str]:
    """Return how what is sent to a floating address comes to its guest.

    A connection that the host does not know began with another guest, to whom the address led
    before.  What its peer sends on is left to the host, which tells the peer that it has ended.
    """
    middle = "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN"
    return (
        f"-d {address}/32 {middle} -j RETURN",
        f"-d {address}/32 -j DNAT --to-destination {fixed}",
    )


def _outwards(one: HostFloatingIp) -> tuple[str, str]:
    """Return how a guest seems to come from its floating address, to itself and outside."""
    source, target = f"-s {one.fixed_ip}/32", f"-j SNAT --to-source {one.address}"
    device = f" -o {one.interface}" if one.interface else ""
    return f"{source} -d {one.fixed_ip}/32 {target}", f"{source}{device} {target}"


def present_translations(saved: str) -> dict[str, str]:
    """Return fixed address by floating address from what iptables-save prints."""
    nat = parse_saved(saved).get("nat")
    words = [rule.split(" ") for rule in nat.chains.get(_TRANSLATED, ())] if nat else []
    return {
        one[1].removesuffix("/32"): one[5]
        for one in words
        if len(one) == 6 and (one[0], one[3], one[4]) == ("-d", "DNAT", "--to-destination")
    }


def ended(present: Mapping[str, str], plan: FloatingPlan) -> tuple[str, ...]:
    """Return the addresses whose connections must be cut, in order.

    Those that the host must forget, and those that have led elsewhere.
    """
    changed = {address for address, fixed in present.items() if plan.targets.get(address) != fixed}
    return tuple(sorted(changed | set(plan.forgotten)))


def begun(present: Mapping[str, str], plan: FloatingPlan) -> tuple[str, ...]:
    """Return the addresses that lead somewhere now and led nowhere before, in order."""
    return tuple(address for address in plan.targets if address not in present)
