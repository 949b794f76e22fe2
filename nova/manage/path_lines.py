"""The explanation of a server's path: one line for each thing that has to be right.

Pure: facts in, lines out.  Source: nova-network.md sections 5, 7, 8 and 9.
"""

from collections.abc import Iterator

from nova.manage.path_facts import PathFacts, find_link, holder, network_host
from nova.manage.path_rules import floating_lines, group_lines, network_rule_lines
from nova.manage.path_verdict import SERVER, Line, ok, problem
from nova.objects.lifecycle import PowerState
from nova.objects.network import Vif
from nova.objects.path import DhcpService, GuestPath, Link, NetworkPath

_ON = (PowerState.RUNNING, PowerState.PAUSED)


def explain(facts: PathFacts) -> tuple[Line, ...]:
    """Return the lines about a server, in the order in which packets pass."""
    return tuple(_lines(facts))


def _lines(facts: PathFacts) -> Iterator[Line]:
    yield from _server_lines(facts)
    for vif in facts.instance.vifs:
        yield from _vif_lines(facts, vif)
    yield from group_lines(facts)
    for floating_ip in facts.floating_ips:
        yield from floating_lines(facts, floating_ip)


def _server_lines(facts: PathFacts) -> Iterator[Line]:
    instance = facts.instance
    for daemon, reason in facts.silent.items():
        yield problem(
            SERVER, "daemon", f"{daemon}: {reason}",
            f"look whether {daemon} runs and reaches the message bus; what only it can tell "
            "is left out below",
        )  # fmt: skip
    if instance.host is None:
        advice = f"see nova-manage server explain {instance.uuid}"
        yield problem(SERVER, "host", "the server is on no host", advice)
        return
    yield ok(SERVER, "host", instance.host)
    if not instance.vifs:
        yield problem(SERVER, "interfaces", "none", "attach one: openstack server add network")
    if facts.guest is None:
        return
    state = facts.guest.power_state
    if state in _ON:
        yield ok(SERVER, "guest", state.name.lower())
    else:
        yield problem(SERVER, "guest", state.name.lower(), "start it: openstack server start")
    if facts.guest.bridge_filtering is False:
        yield problem(
            SERVER, "bridged packets", "the kernel does not show them to iptables",
            "sysctl -w net.bridge.bridge-nf-call-iptables=1; security groups are not in force",
        )  # fmt: skip
    elif facts.guest.bridge_filtering is None:
        yield problem(
            SERVER, "bridged packets", "the kernel has no bridge-nf-call-iptables",
            "modprobe br_netfilter, and load it at boot",
        )  # fmt: skip
    else:
        yield ok(SERVER, "bridged packets", "shown to iptables")


def _vif_lines(facts: PathFacts, vif: Vif) -> Iterator[Line]:
    yield ok(vif.devname, "network", _network_text(vif))
    yield from _address_lines(vif)
    if facts.guest is not None:
        yield from _device_lines(facts.guest, vif)
    host = network_host(facts.instance, vif.network)
    if host is None:
        advice = "start nova-network on the host that shall serve it"
        yield problem(vif.devname, "nova-network", "no host serves the network", advice)
        return
    path = facts.network_of(vif)
    if path is None:
        return
    if vif.network.id not in path.served:
        advice = f"look at the log of nova-network on {host}; it reads its networks each minute"
        yield problem(vif.devname, "nova-network", f"{host} does not serve the network", advice)
        return
    yield ok(vif.devname, "nova-network", f"served by {host}")
    yield from _gateway_lines(path, vif)
    yield from _dhcp_lines(facts, path, vif)
    yield from network_rule_lines(path, vif)


def _network_text(vif: Vif) -> str:
    network = vif.network
    ranges = ", ".join(one for one in (network.cidr, network.cidr_v6) if one)
    vlan = "" if network.vlan is None else f", VLAN {network.vlan}"
    return f"{network.label}: {ranges or 'no range'}{vlan}"


def _address_lines(vif: Vif) -> Iterator[Line]:
    addresses = [*vif.fixed_ips, *([vif.fixed_ip_v6] if vif.fixed_ip_v6 else [])]
    if addresses:
        yield ok(vif.devname, "addresses", f"{', '.join(addresses)} at {vif.address}")
    else:
        advice = "give it one: openstack server add fixed ip"
        yield problem(vif.devname, "addresses", f"none, at {vif.address}", advice)


def _device_lines(guest: GuestPath, vif: Vif) -> Iterator[Line]:
    name, bridge = vif.devname, vif.network.bridge
    found = find_link(guest.links, bridge)
    if found is None:
        yield problem(
            name, "bridge", f"{bridge} is missing on {guest.host}",
            f"look at nova-network on {guest.host} if the network is multi_host; a hard reboot "
            "of the server makes it otherwise",
        )  # fmt: skip
    elif not found.up:
        yield problem(name, "bridge", f"{bridge} is down", f"ip link set {bridge} up")
    else:
        yield ok(name, "bridge", f"{bridge} on {guest.host}")
    tap = find_link(guest.links, name)
    if tap is None:
        advice = "openstack server reboot --hard makes it anew"
        yield problem(name, "tap", f"missing on {guest.host}", advice)
        return
    yield from _tap_lines(tap, bridge)


def _tap_lines(tap: Link, bridge: str | None) -> Iterator[Line]:
    if not tap.up:
        yield problem(tap.name, "tap", "down", f"ip link set {tap.name} up")
    elif tap.bridge != bridge:
        place = f"in {tap.bridge}" if tap.bridge else "in no bridge"
        advice = f"ip link set {tap.name} master {bridge}"
        yield problem(tap.name, "tap", f"{place} instead of {bridge}", advice)
    else:
        yield ok(tap.name, "tap", f"up, in {bridge}")
    sent = f"from guest {tap.received_packets} packets {tap.received_bytes} bytes"
    received = f"to guest {tap.sent_packets} packets {tap.sent_bytes} bytes"
    yield ok(tap.name, "counters", f"{sent}; {received}; {tap.dropped_packets} dropped")


def _gateway_lines(path: NetworkPath, vif: Vif) -> Iterator[Line]:
    name = vif.devname
    if vif.gateway is None:
        yield ok(name, "gateway", "none, the network is not routed")
        return
    device = holder(path.links, vif.gateway)
    if device is not None:
        yield ok(name, "gateway", f"{vif.gateway} on {device.name} of {path.host}")
    elif vif.gateway != vif.dhcp_server:
        yield ok(name, "gateway", f"{vif.gateway}, a router outside of {path.host}")
    else:
        yield problem(
            name, "gateway", f"{path.host} does not have {vif.gateway}",
            f"nova-network on {path.host} sets it within a minute; see its log for errors",
        )  # fmt: skip


def _dhcp_lines(facts: PathFacts, path: NetworkPath, vif: Vif) -> Iterator[Line]:
    name, network = vif.devname, vif.network
    if not network.enable_dhcp or vif.dhcp_server is None:
        yield ok(name, "DHCP", "not on this network; the guest is told by other means")
        return
    service = next((one for one in path.services if one.bridge == network.bridge), None)
    service = service or DhcpService(bridge=network.bridge or "")
    if service.process_id is None:
        yield problem(
            name, "DHCP", f"no dnsmasq runs for {service.bridge} on {path.host}",
            f"nova-network on {path.host} starts it within a minute; see its log for errors",
        )  # fmt: skip
    else:
        yield ok(name, "DHCP", f"dnsmasq {service.process_id} on {path.host}")
    yield _entry_line(service, vif)
    yield _lease_line(facts, vif)


def _entry_line(service: DhcpService, vif: Vif) -> Line:
    mac = vif.address.lower()
    entry = next((one for one in service.entries if one.lower().startswith(f"{mac},")), None)
    if entry is None:
        advice = "restart nova-network there; it writes the file from the database"
        return problem(vif.devname, "DHCP entry", f"none for {mac}", advice)
    if vif.fixed_ip not in entry.split(","):
        advice = "restart nova-network there; it writes the file from the database"
        return problem(vif.devname, "DHCP entry", f"{entry} instead of {vif.fixed_ip}", advice)
    return ok(vif.devname, "DHCP entry", entry)


def _lease_line(facts: PathFacts, vif: Vif) -> Line:
    if vif.fixed_ip in facts.leased:
        return ok(vif.devname, "lease", f"the guest holds {vif.fixed_ip}")
    advice = "look whether the guest asks (openstack console log show) and packets leave its tap"
    return problem(vif.devname, "lease", f"the guest has not taken {vif.fixed_ip}", advice)
