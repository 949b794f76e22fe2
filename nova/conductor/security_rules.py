"""What a security group and its rules may look like; pure, for all front ends alike.

Source: compute-api-routes (Security groups), nova-network section 7.2.
"""

import dataclasses
import ipaddress
from typing import Any

from nova.exception import SecurityGroupInvalid, SecurityGroupRuleInvalid
from nova.objects.security_group import NewSecurityGroupRule, SecurityGroupRule

PROTOCOLS = ("tcp", "udp", "icmp")
ANY = -1
MAX_PORT = 65535
MAX_ICMP = 255
IPV4, IPV6 = "IPv4", "IPv6"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The traffic that a rule lets through, in its one form; source groups are the caller's."""

    protocol: str | None
    from_port: int | None
    to_port: int | None
    cidr: str | None
    ethertype: str | None


def check_text(value: str, what: str, empty: bool = False) -> str:
    """Return a name or description without blanks around it.  Raises: SecurityGroupInvalid."""
    text = value.strip()
    if not text and not empty:
        raise SecurityGroupInvalid(reason=f"Security group {what} can not be empty.")
    if len(text) > 255:
        raise SecurityGroupInvalid(
            reason=f"Security group {what} should not be greater than 255 characters."
        )
    if not text.isprintable():
        raise SecurityGroupInvalid(reason=f"Security group {what} has control characters.")
    return text


def normalize(new: NewSecurityGroupRule) -> Match:
    """Return what a new rule lets through.  Raises: SecurityGroupRuleInvalid."""
    if new.cidr is not None and new.group is not None:
        raise _invalid("A rule has either a cidr or a group as its source, not both.")
    cidr = None if new.cidr is None else normal_cidr(new.cidr)
    ethertype = _ethertype(cidr, new.ethertype)
    protocol = _protocol(new.protocol)
    from_port, to_port = _ports(protocol, new.from_port, new.to_port)
    description = new.description
    if len(description) > 255 or not (description.isprintable()):
        raise _invalid("The description of a rule has at most 255 printable characters.")
    return Match(
        protocol=protocol, from_port=from_port, to_port=to_port, cidr=cidr, ethertype=ethertype
    )


def same(rule: SecurityGroupRule, match: Match, group_id: int | None) -> bool:
    """Tell whether a rule lets exactly the same through."""
    return (
        rule.protocol,
        rule.from_port,
        rule.to_port,
        rule.cidr,
        rule.ethertype,
        rule.group_id,
    ) == (match.protocol, match.from_port, match.to_port, match.cidr, match.ethertype, group_id)


def words(match: Match) -> str:
    """Return what a rule lets through, for people."""
    ports = "" if match.from_port is None else f" {match.from_port}-{match.to_port}"
    return f"{match.protocol or 'any protocol'}{ports} from {match.cidr or 'a group'}"


def simple_rule(protocol: str, from_port: int, to_port: int, cidr: str) -> dict[str, Any]:
    """Return the columns of a rule that is made of these alone.

    Raises: SecurityGroupRuleInvalid.
    """
    kind = _protocol(protocol)
    if kind not in PROTOCOLS:
        raise _invalid(f"Invalid IP protocol {protocol[:32]!r}.")
    first, last = _ports(kind, from_port, to_port)
    return {"protocol": kind, "from_port": first, "to_port": last, "cidr": normal_cidr(cidr)}


def normal_cidr(text: str) -> str:
    """Return a range in its shortest form, host bits cleared.  Raises: SecurityGroupRuleInvalid."""
    try:
        if "%" in text or text != text.strip():
            raise ValueError(text)
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise _invalid(f"Invalid cidr {text[:64]!r}.") from error
    return str(network)


def _ethertype(cidr: str | None, given: str | None) -> str | None:
    known = {IPV4.lower(): IPV4, IPV6.lower(): IPV6}
    wanted = None if given is None else known.get(given.lower())
    if given is not None and wanted is None:
        raise _invalid(f"Invalid ethertype {given[:32]!r}.")
    if cidr is None:
        return wanted
    own = IPV6 if ":" in cidr else IPV4
    if wanted not in (None, own):
        raise _invalid(f"The range {cidr} is not {wanted}.")
    return own


def _protocol(given: str | None) -> str | None:
    """Return a protocol in its one spelling: a known name, or a number as text."""
    if given is None:
        return None
    text = given.lower()
    names = {"6": "tcp", "17": "udp", "1": "icmp"}
    if text in PROTOCOLS or text in names:
        return names.get(text, text)
    if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 255:
        return str(int(text))
    raise _invalid(f"Invalid IP protocol {given[:32]!r}.")


def _ports(
    protocol: str | None, first: int | None, last: int | None
) -> tuple[int | None, int | None]:
    if protocol == "icmp":
        return _icmp(first, last)
    if protocol not in ("tcp", "udp"):
        if (first, last) not in ((None, None), (ANY, ANY)):
            raise _invalid("Ports are for tcp, udp and icmp only.")
        return None, None
    if first is None and last is None:
        return 1, MAX_PORT
    if first is None or last is None:
        raise _invalid("Both ports or none must be given.")
    if not 1 <= first <= last <= MAX_PORT:
        raise _invalid(f"Invalid port range {first}:{last}. Valid TCP and UDP ports: 1-65535.")
    return first, last


def _icmp(kind: int | None, code: int | None) -> tuple[int, int]:
    kind = ANY if kind is None else kind
    code = ANY if code is None else code
    if not (ANY <= kind <= MAX_ICMP and ANY <= code <= MAX_ICMP):
        raise _invalid(f"Invalid ICMP type or code {kind}:{code}. Valid are -1 to 255.")
    if kind == ANY and code != ANY:
        raise _invalid("An ICMP code needs a type.")
    return kind, code


def _invalid(reason: str) -> SecurityGroupRuleInvalid:
    return SecurityGroupRuleInvalid(reason=reason)
