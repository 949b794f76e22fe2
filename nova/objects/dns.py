"""Names of addresses, in domains that administrators make."""

import dataclasses
import enum
import re

from nova.exception import DnsNameInvalid

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_MAX_NAME = 253


class DnsScope(enum.StrEnum):
    """Who may use a domain: a zone's servers (private), or a project (public)."""

    PRIVATE = "private"
    PUBLIC = "public"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DnsDomain:
    """A domain.  Source: compute-api-routes (os-floating-ip-dns)."""

    domain: str
    scope: DnsScope
    project_id: str | None = None
    availability_zone: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DnsEntry:
    """The address of a name in a domain; kind is "A" or "AAAA"."""

    domain: str
    name: str
    address: str
    kind: str = "A"


def check_name(name: str) -> None:
    """Refuse what is no name of letters, digits and hyphens, with dots between labels.

    Names reach files of dnsmasq.  Raises: DnsNameInvalid.
    """
    shown = ascii(name[:64])
    if len(name) > _MAX_NAME:
        raise DnsNameInvalid(name=shown, reason=f"it has more than {_MAX_NAME} characters.")
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        reason = "its parts are 1 to 63 letters, digits and inner hyphens, with dots between."
        raise DnsNameInvalid(name=shown, reason=reason)
