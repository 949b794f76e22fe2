"""HST-03: rules that a hostile caller may not slip in."""

import pytest

from nova.privileged.rule_text import checked_frame_rules, checked_guest_rules, checked_rules


@pytest.mark.parametrize(
    "line",
    [
        "*raw",
        "*security",
        ":INPUT DROP [0:0]",
        ":operator - [0:0]",
        ":nova-compute-local - [0:0]",
        ":nova-filter-top - [0:0]",
        "-F",
        "-F INPUT",
        "-F nova-filter-top",
        "-X operator",
        "-P INPUT DROP",
        "-A INPUT -j ACCEPT",
        "-D INPUT -j operator",
        "-I INPUT 1 -s 10.0.0.0/8 -j nova-network-INPUT",
        "-A nova-filter-top -j ACCEPT",
        "-A nova-network-INPUT -m bpf --bytecode x -j ACCEPT",
        "-A nova-network-INPUT -m comment --comment x -j ACCEPT",
        "-A nova-network-INPUT -j LOG --log-prefix x",
        "-A nova-network-INPUT --modprobe=/tmp/x -j ACCEPT",
        "-A nova-network-INPUT -s -j -j ACCEPT",
        "-A nova-network-INPUT -j",
        "-A nova-network-INPUT ",
        "-A nova-network-INPUT -j ACCEPT;reboot",
        "-A nova-network-INPUT  -j ACCEPT",
        '-A nova-network-INPUT -i "br0"',
        "\t",
        "# x",
        "-A nova-network-INPUT -j ACCEPT\r",
    ],
)
def test_hst_03_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        checked_rules(f"*filter\n{line}\nCOMMIT\n")


def test_hst_03_only_texts() -> None:
    with pytest.raises(ValueError):
        checked_rules(b"*filter")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line",
    [
        "*broute",
        "-A nova-network-PREROUTING -p IPv4 --ip-src 10.0.0.0/24 -j ACCEPT",
        "-A nova-network-PREROUTING -p IPv4 -j redirect",
        "-F",
        "-F INPUT",
        "-P INPUT DROP",
        ":operator RETURN",
        "-A INPUT -j DROP",
        "-I INPUT 1 -j operator",
        "-A nova-network-INPUT -j ACCEPT",
        "-A nova-network-INPUT -p ARP -i eth1 --arp-ip-dst 10.0.0.1 -j ACCEPT",
        "-A nova-network-INPUT -p IPv4 -i eth1 --ip-proto tcp --ip-dport 22 -j DROP",
        "-A nova-network-INPUT -p ARP -i -x --arp-ip-dst 10.0.0.1 -j DROP",
    ],
)
def test_hst_03_frame_rule_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        checked_frame_rules(f"*filter\n{line}\nCOMMIT\n")


@pytest.mark.parametrize(
    "line",
    [
        "*broute",
        "-A nova-network-PREROUTING -p IPv4 --ip-src 10.0.0.0/24 -j ACCEPT",
        "-A nova-network-PREROUTING -p IPv4 -j redirect",
        "*raw",
        ":nova-network-local - [0:0]",
        ":nova-filter-top - [0:0]",
        "-N operator",
        "-F nova-filter-top",
        "-P FORWARD ACCEPT",
        "-A FORWARD -j ACCEPT",
        "-A nova-network-local -j ACCEPT",
        "-A nova-compute-local -m comment --comment x -j ACCEPT",
        "-A nova-compute-local -j LOG --log-prefix x",
        "-A nova-compute-local -s",
        "-A nova-compute-local -j ACCEPT;reboot",
        "-A nova-compute-inst-1234567890123 -j ACCEPT",
        "-A nova-compute-local --modprobe=/tmp/x -j ACCEPT",
    ],
)
def test_hst_03_guest_rule_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        checked_guest_rules(f"*filter\n{line}\nCOMMIT\n")
