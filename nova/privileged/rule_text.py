"""Check of iptables-restore and ebtables-restore input: only chains of nova-network change."""

import re

_OWN = r"nova-network-[A-Za-z0-9-]{1,15}"
_SHARED = r"nova-(?:filter-top|postrouting-bottom)"
_BUILT_IN = r"(?:INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING)"
_DEVICE = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}"
_OURS = rf"(?:{_OWN}|{_SHARED})"
_ANY = rf"(?:{_OWN}|{_SHARED}|{_BUILT_IN})"

_LINES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\*(?:filter|nat|mangle)",
        r"COMMIT",
        rf":{_OURS} - \[0:0\]",
        rf"-F {_OWN}",
        rf"-X {_OURS}",
        rf"-I {_ANY} 1 -j {_OURS}",
        rf"-[AD] {_ANY} -j {_OURS}",
    )
)
_OWN_RULE = re.compile(rf"-A {_OWN} (?P<rule>.+)")
_VALUE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/,-]*")
_WITH_VALUE = frozenset(
    ("-s", "-d", "-i", "-o", "-p", "-j", "--dport", "--ctstate", "--to-destination")
    + ("--to-source", "--to-ports", "--reject-with", "--icmpv6-type")
)
_ALONE = frozenset(("!", "--checksum-fill"))
_MODULES = frozenset(("tcp", "udp", "icmp6", "conntrack"))


_FRAME_LINES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\*filter",
        r"COMMIT",
        rf":{_OWN} RETURN",
        rf"-[FX] {_OWN}",
        rf"-I {_BUILT_IN} 1 -j {_OWN}",
        rf"-D {_BUILT_IN} -j {_OWN}",
        rf"-A {_OWN} -p ARP -[io] {_DEVICE} --arp-ip-(?:src|dst) [0-9.]{{7,15}} -j DROP",
        rf"-A {_OWN} -p IPv4 -[io] {_DEVICE} --ip-proto udp --ip-dport 67:68 -j DROP",
    )
)


def checked_rules(text: str) -> str:
    """Return the text.  Raises: ValueError when a line is none that nova-network may use."""
    if not isinstance(text, str):
        raise ValueError("not a text")
    for line in text.split("\n"):
        if line and not _is_allowed(line):
            raise ValueError("a rule is outside of what nova-network may change")
    return text


def checked_frame_rules(text: str) -> str:
    """Return the text.  Raises: ValueError when a line is none that nova-network may use."""
    if not isinstance(text, str):
        raise ValueError("not a text")
    for line in text.split("\n"):
        if line and not any(pattern.fullmatch(line) for pattern in _FRAME_LINES):
            raise ValueError("a frame rule is outside of what nova-network may change")
    return text


def _is_allowed(line: str) -> bool:
    if any(pattern.fullmatch(line) for pattern in _LINES):
        return True
    match = _OWN_RULE.fullmatch(line)
    return match is not None and _is_own_rule(match["rule"].split(" "))


def _is_own_rule(tokens: list[str]) -> bool:
    words = iter(tokens)
    for word in words:
        if word in _ALONE:
            continue
        value = next(words, "")
        if word == "-m":
            if value not in _MODULES:
                return False
        elif word not in _WITH_VALUE or not _VALUE.fullmatch(value):
            return False
    return True
