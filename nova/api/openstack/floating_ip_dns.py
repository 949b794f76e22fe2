"""os-floating-ip-dns: domains and the names in them, for requests up to 2.35.

501 is for names that are kept elsewhere; those that the conductor keeps are always there.
"""

import ipaddress
from urllib.parse import unquote

from nova import exception
from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf, Json, Key, Object
from nova.api.openstack.schema_types import IP, NULL, PROJECT_ID, STRING, STRING_OR_NULL, ZONE
from nova.api.openstack.views import Field, View
from nova.objects.dns import DnsDomain, DnsEntry, DnsScope
from nova.policy import ADMIN, OWNER

floating_ip_dns = Resource(
    "os-floating-ip-dns",
    rules={"": OWNER, "domain:update": ADMIN, "domain:delete": ADMIN},
)

_SCOPE: Json = {"type": "string", "enum": ["public", "private"]}
_TYPE: Json = {"type": "string", "enum": ["a", "A"]}
UPDATE_DOMAIN = Object(
    Key(
        "domain_entry",
        Object(
            Key("scope", _SCOPE, required=True),
            Key("project", PROJECT_ID),
            Key("availability_zone", ZONE),
        ),
        required=True,
    )
)
UPDATE_ENTRY = Object(
    Key(
        "dns_entry",
        Object(Key("ip", IP, required=True), Key("dns_type", _TYPE, required=True)),
        required=True,
    )
)

DOMAIN = View(
    DnsDomain,
    "domain_entry",
    Field("domain"),
    Field("scope", lambda domain, call: domain.scope.value, type=STRING),
    Field("project", "project_id", type=STRING_OR_NULL),
    Field("availability_zone", type=STRING_OR_NULL),
)
ENTRY = View(
    DnsEntry,
    "dns_entry",
    Field("ip", "address"),
    Field("id", lambda entry, call: None, type=NULL),
    Field("type", "kind"),
    Field("domain"),
    Field("name"),
)
_FOUND = AnyOf(named("dns_entry", ENTRY), items("dns_entries", ENTRY))


def _domain(call: Call, key: str) -> str:
    """Return the domain in the path; clients quote it twice, with %2E for dots."""
    return unquote(call.args[key])


@floating_ip_dns.route(
    "GET /os-floating-ip-dns",
    policy="",
    until="2.35",
    errors=501,
    answer=items("domain_entries", DOMAIN),
)
def index(call: Call) -> dict[str, object]:
    """List the domains that the project may use."""
    found = call.conductor.dns.list_domains(call.context, call.scope)
    return {"domain_entries": DOMAIN.items(found, call)}


@floating_ip_dns.route(
    "PUT /os-floating-ip-dns/{id}",
    policy="domain:update",
    until="2.35",
    errors=501,
    body=UPDATE_DOMAIN,
    answer=named("domain_entry", DOMAIN),
)
def update(call: Call) -> dict[str, object]:
    """Make or change a domain: public ones are a project's, private ones a zone's."""
    wanted = call.body["domain_entry"]
    refused = "project" if wanted["scope"] == "private" else "availability_zone"
    if refused in wanted:
        raise exception.InvalidInput(reason=f"a {wanted['scope']} domain takes no {refused}.")
    domain = DnsDomain(
        domain=_domain(call, "id"),
        scope=DnsScope(wanted["scope"]),
        project_id=wanted.get("project"),
        availability_zone=wanted.get("availability_zone"),
    )
    return DOMAIN.render(call.conductor.dns.save_domain(call.context, call.scope, domain), call)


@floating_ip_dns.route(
    "DELETE /os-floating-ip-dns/{id}", policy="domain:delete", ok=202, until="2.35", errors=501
)
def delete(call: Call) -> None:
    """Delete a domain with its names."""
    call.conductor.dns.delete_domain(call.context, call.scope, _domain(call, "id"))


@floating_ip_dns.route(
    "GET /os-floating-ip-dns/{domain_id}/entries/{id}",
    policy="",
    until="2.35",
    errors=501,
    answer=_FOUND,
)
def show_entry(call: Call) -> dict[str, object]:
    """Show a name, or list the names of an address."""
    domain, wanted = _domain(call, "domain_id"), unquote(call.args["id"])
    if _is_address(wanted):
        found = call.conductor.dns.list_entries(call.context, call.scope, domain, address=wanted)
        return {"dns_entries": ENTRY.items(found, call)}
    found = call.conductor.dns.list_entries(call.context, call.scope, domain, name=wanted)
    if not found:
        raise exception.DnsEntryNotFound(name=wanted[:64], domain=domain[:64])
    return ENTRY.render(found[0], call)


@floating_ip_dns.route(
    "PUT /os-floating-ip-dns/{domain_id}/entries/{id}",
    policy="",
    until="2.35",
    errors=501,
    body=UPDATE_ENTRY,
    answer=named("dns_entry", ENTRY),
)
def update_entry(call: Call) -> dict[str, object]:
    """Make or change a name."""
    wanted = call.body["dns_entry"]
    entry = DnsEntry(
        domain=_domain(call, "domain_id"),
        name=unquote(call.args["id"]),
        address=wanted["ip"],
        kind=wanted["dns_type"].upper(),
    )
    saved = call.conductor.dns.save_entry(call.context, call.scope, entry)
    return ENTRY.render(saved, call)


@floating_ip_dns.route(
    "DELETE /os-floating-ip-dns/{domain_id}/entries/{id}",
    policy="",
    ok=202,
    until="2.35",
    errors=501,
)
def delete_entry(call: Call) -> None:
    """Delete a name."""
    call.conductor.dns.delete_entry(
        call.context, call.scope, _domain(call, "domain_id"), unquote(call.args["id"])
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
