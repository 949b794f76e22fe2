"""Check of iptables-restore and ebtables-restore input: only chains of the daemon change."""

import dataclasses
import re

_SHARED = r"nova-(?:filter-top|postrouting-bottom)"
_BUILT_IN = r"(?:INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING)"
_DEVICE = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}"
_VALUE = re.compile(r"(?:::)?[A-Za-z0-9_][A-Za-z0-9_.:/,-]*\+?|::/[0-9]{1,3}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Grammar:
    """What one daemon may say.

    daemon: what the names of its chains begin with; own: their form.  options take a value
    (--tcp-flags two), flags stand alone.
    """

    daemon: str
    own: str
    tables: tuple[str, ...]
    options: frozenset[str]
    flags: frozenset[str]
    modules: frozenset[str]

    def check(self, text: str) -> str:
        """Return the text.  Raises: ValueError."""
        if not isinstance(text, str):
            raise ValueError("not a text")
        ours = rf"(?:{self.own}|{_SHARED})"
        anyone = rf"(?:{self.own}|{_SHARED}|{_BUILT_IN})"
        command = re.compile(
            rf"\*(?:{'|'.join(self.tables)})|COMMIT|:{self.own} - \[0:0\]|-N {_SHARED}"
            rf"|-F {self.own}|-X {ours}|-I {anyone} 1 -j {ours}|-[AD] {anyone} -j {ours}"
        )
        rule = re.compile(rf"-A {self.own} (?P<rule>.+)")
        for line in text.split("\n"):
            if line and not command.fullmatch(line) and not self._is_rule(rule.fullmatch(line)):
                raise ValueError(f"a rule is outside of what {self.daemon} may change")
        return text

    def _is_rule(self, match: re.Match[str] | None) -> bool:
        words = iter(match["rule"].split(" ") if match else [""])
        for word in words:
            if word in self.flags:
                continue
            values = [next(words, "") for _ in range(2 if word == "--tcp-flags" else 1)]
            if word == "-m":
                if values[0] not in self.modules:
                    return False
            elif word not in self.options or not all(map(_VALUE.fullmatch, values)):
                return False
        return True


_MATCHES = ("-s", "-d", "-i", "-o", "-p", "-j", "--dport", "--ctstate")
_NETWORK_CHAIN = r"nova-network-[A-Za-z0-9-]{1,15}"
_NETWORK = _Grammar(
    daemon="nova-network",
    own=_NETWORK_CHAIN,
    tables=("filter", "nat", "mangle"),
    options=frozenset(
        (*_MATCHES, "--to-destination", "--to-source", "--to-ports", "--reject-with")
        + ("--icmpv6-type", "--tcp-flags")
    ),
    flags=frozenset(("!", "--checksum-fill")),
    modules=frozenset(("tcp", "udp", "icmp6", "conntrack")),
)
_COMPUTE = _Grammar(
    daemon="nova-compute",
    own=r"nova-compute-[A-Za-z0-9-]{1,15}",
    tables=("filter",),
    options=frozenset(
        (*_MATCHES, "--sport", "--dports", "--icmp-type", "--icmpv6-type")
        + ("--physdev-in", "--physdev-out")
    ),
    flags=frozenset(("!", "--physdev-is-bridged")),
    modules=frozenset(("tcp", "udp", "conntrack", "multiport", "icmp", "icmp6", "physdev")),
)

_RANGE = r"[0-9.]{7,15}(?:/[0-9]{1,2})?"
_FRAME_LINES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\*(?:filter|nat)",
        r"COMMIT",
        rf":{_NETWORK_CHAIN} RETURN",
        rf"-[FX] {_NETWORK_CHAIN}",
        rf"-I {_BUILT_IN} 1 -j {_NETWORK_CHAIN}",
        rf"-D {_BUILT_IN} -j {_NETWORK_CHAIN}",
        rf"-A {_NETWORK_CHAIN} -p ARP -[io] {_DEVICE} --arp-ip-(?:src|dst) [0-9.]{{7,15}} -j DROP",
        rf"-A {_NETWORK_CHAIN} -p IPv4 -[io] {_DEVICE} --ip-proto udp --ip-dport 67:68 -j DROP",
        rf"-A {_NETWORK_CHAIN} -p IPv4 --ip-src {_RANGE}(?: --ip-dst (?:! )?{_RANGE})? -j redirect",
    )
)


def checked_rules(text: str) -> str:
    """Return the text.  Raises: ValueError when a line is none that nova-network may use."""
    return _NETWORK.check(text)


def checked_guest_rules(text: str) -> str:
    """Return the text.  Raises: ValueError when a line is none that nova-compute may use."""
    return _COMPUTE.check(text)


def checked_frame_rules(text: str) -> str:
    """Return the text.  Raises: ValueError when a line is none that nova-network may use."""
    if not isinstance(text, str):
        raise ValueError("not a text")
    for line in text.split("\n"):
        if line and not any(pattern.fullmatch(line) for pattern in _FRAME_LINES):
            raise ValueError("a frame rule is outside of what nova-network may change")
    return text
