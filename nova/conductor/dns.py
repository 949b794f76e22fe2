"""Names of addresses, in domains that administrators make.

Names are folded to lower case, as name servers compare them without regard to case.
"""

import dataclasses
import ipaddress

from nova import clock
from nova.conductor.liveness import COMPUTE_BINARY
from nova.conductor.rpcapi.dns import ConductorDns
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import aggregates, dns
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    AvailabilityZoneNotFound,
    DnsDomainNotFound,
    DnsDomainNotOwned,
    DnsEntryNotFound,
    DnsNameInvalid,
)
from nova.network.rpcapi import NetworkAPI
from nova.objects.dns import DnsDomain, DnsEntry, check_name
from nova.objects.instance import Scope
from nova.rpc.bus import Bus


class DnsEndpoint(ConductorDns):
    """Serves the domains and names of the database; nova-network is told of each change."""

    def __init__(self, db: Database, bus: Bus, settings: ConductorSettings) -> None:
        self.db = db
        self.bus = bus
        self.settings = settings

    @retried
    def list_domains(self, context: RequestContext, scope: Scope) -> tuple[DnsDomain, ...]:
        """Return the domains that projects in scope may use."""
        with self.db.reading() as tx:
            return tuple(dns.list_domains(tx, scope))

    @retried
    def save_domain(self, context: RequestContext, scope: Scope, domain: DnsDomain) -> DnsDomain:
        """Make or change a domain."""
        domain = dataclasses.replace(domain, domain=domain.domain.lower())
        check_name(domain.domain)
        with self.db.transaction() as tx:
            _check_owned(scope, domain)
            self._check_zone(tx, domain.availability_zone)
            if not dns.save_domain(tx, scope, domain, clock.utcnow()):
                raise DnsDomainNotOwned(domain=domain.domain)
        self._tell(context)
        return domain

    def _check_zone(self, tx: Transaction, zone: str | None) -> None:
        """Refuse a zone that no host is in.  Raises: AvailabilityZoneNotFound."""
        default = self.settings.default_availability_zone
        if zone is not None and not aggregates.zone_exists(tx, zone, default, COMPUTE_BINARY):
            raise AvailabilityZoneNotFound(zone=zone)

    @retried
    def delete_domain(self, context: RequestContext, scope: Scope, domain: str) -> None:
        """Delete a domain with its names."""
        with self.db.transaction() as tx:
            known = _usable(tx, scope, domain)
            _check_owned(scope, known)
            dns.delete_domain(tx, known.domain)
        self._tell(context)

    @retried
    def list_entries(
        self,
        context: RequestContext,
        scope: Scope,
        domain: str,
        name: str | None = None,
        address: str | None = None,
    ) -> tuple[DnsEntry, ...]:
        """Return names of a domain, of a name or an address."""
        with self.db.reading() as tx:
            known = _usable(tx, scope, domain)
            wanted = None if name is None else name.lower()
            return tuple(dns.list_entries(tx, known.domain, wanted, address))

    @retried
    def save_entry(self, context: RequestContext, scope: Scope, entry: DnsEntry) -> DnsEntry:
        """Make or change a name; in a shared domain, of the caller's own addresses only."""
        entry = dataclasses.replace(entry, name=entry.name.lower(), domain=entry.domain.lower())
        check_name(entry.name)
        _check_address(entry)
        with self.db.transaction() as tx:
            known = _usable(tx, scope, entry.domain)
            shared = known.project_id is None and scope.project_id is not None
            if shared and not _is_own(tx, scope, entry.address):
                reason = f"{entry.address} is no address of the project."
                raise DnsNameInvalid(name=entry.name, reason=reason)
            for present in dns.list_entries(tx, entry.domain, entry.name, None):
                if shared and not _is_own(tx, scope, present.address):
                    raise DnsNameInvalid(name=entry.name, reason="it is taken.")
            dns.save_entry(tx, entry, clock.utcnow())
        self._tell(context)
        return entry

    @retried
    def delete_entry(self, context: RequestContext, scope: Scope, domain: str, name: str) -> None:
        """Delete a name; in a shared domain, of the caller's own addresses only."""
        with self.db.transaction() as tx:
            known = _usable(tx, scope, domain)
            found = dns.list_entries(tx, known.domain, name.lower(), None)
            shared = known.project_id is None and scope.project_id is not None
            if not found or (shared and not _is_own(tx, scope, found[0].address)):
                raise DnsEntryNotFound(name=name, domain=domain)
            dns.delete_entry(tx, known.domain, name.lower())
        self._tell(context)

    def _tell(self, context: RequestContext) -> None:
        """Let name servers follow; a host that asks for several changes at once reads once."""
        self.bus.client(NetworkAPI).everyone().networks_changed(context)


def _check_owned(scope: Scope, domain: DnsDomain) -> None:
    """Refuse to change a domain that others may use.  Raises: DnsDomainNotOwned."""
    if scope.project_id not in (None, domain.project_id):
        raise DnsDomainNotOwned(domain=domain.domain)


def _usable(tx: Transaction, scope: Scope, domain: str) -> DnsDomain:
    """Return a domain that projects in scope may use.  Raises: DnsDomainNotFound."""
    found = dns.find_domain(tx, domain.lower())
    foreign = found is not None and found.project_id not in (None, scope.project_id)
    if found is None or (scope.project_id is not None and foreign):
        raise DnsDomainNotFound(domain=domain)
    return found


def _is_own(tx: Transaction, scope: Scope, address: str) -> bool:
    return scope.project_id is not None and dns.is_address_of(tx, scope.project_id, address)


def _check_address(entry: DnsEntry) -> None:
    try:
        version = ipaddress.ip_address(entry.address).version
    except ValueError as error:
        reason = f"{entry.address} is no address."
        raise DnsNameInvalid(name=entry.name, reason=reason) from error
    if entry.kind != ("A" if version == 4 else "AAAA"):
        reason = f"a record of type {entry.kind} can not have the address {entry.address}."
        raise DnsNameInvalid(name=entry.name, reason=reason)
