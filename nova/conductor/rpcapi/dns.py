"""Conductor interface: domains and names."""

from nova.context import RequestContext
from nova.objects.dns import DnsDomain, DnsEntry
from nova.objects.instance import Scope
from nova.rpc.interface import Interface, call


class ConductorDns(Interface):
    """Names of floating addresses and servers."""

    topic = "conductor"
    namespace = "dns"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def list_domains(self, context: RequestContext, scope: Scope) -> tuple[DnsDomain, ...]:
        """Return the domains that projects in scope may use."""

    @call(since="1.0")
    def save_domain(self, context: RequestContext, scope: Scope, domain: DnsDomain) -> DnsDomain:
        """Make or change a domain; in a project's scope one of its own.

        Raises: DnsNameInvalid, DnsDomainNotOwned, AvailabilityZoneNotFound.
        """

    @call(since="1.0")
    def delete_domain(self, context: RequestContext, scope: Scope, domain: str) -> None:
        """Delete a domain with its names.  Raises: DnsDomainNotFound, DnsDomainNotOwned."""

    @call(since="1.0", retry_safe=True)
    def list_entries(
        self,
        context: RequestContext,
        scope: Scope,
        domain: str,
        name: str | None = None,
        address: str | None = None,
    ) -> tuple[DnsEntry, ...]:
        """Return names of a domain, of a name or an address.  Raises: DnsDomainNotFound."""

    @call(since="1.0")
    def save_entry(self, context: RequestContext, scope: Scope, entry: DnsEntry) -> DnsEntry:
        """Make or change a name.  Raises: DnsDomainNotFound, DnsNameInvalid."""

    @call(since="1.0")
    def delete_entry(self, context: RequestContext, scope: Scope, domain: str, name: str) -> None:
        """Delete a name.  Raises: DnsDomainNotFound, DnsEntryNotFound."""
