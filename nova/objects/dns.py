"""Names of addresses, in domains that administrators make."""

import dataclasses
import enum


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
