"""The names that hosts of nova-network are told, and how they follow servers."""

import pytest

from nova.conductor.rpcapi.dns import ConductorDns
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.exception import DnsDomainNotFound, DnsDomainNotOwned
from nova.objects.dns import DnsDomain, DnsEntry, DnsScope
from nova.objects.floating_ip import Association, FloatingRange
from nova.objects.instance import EVERYBODY, InstanceChange, Scope
from tests.fixtures.conductor import ANYBODY, PROJECT, make_site

ADMIN = get_admin_context()
OWN = Scope(project_id=PROJECT)


def make_named_site(**settings):
    site = make_site(settings=ConductorSettings(instance_dns_domain="Cloud.example", **settings))
    public = DnsDomain(domain="Cloud.Example", scope=DnsScope.PUBLIC)
    dns(site).save_domain(ADMIN, EVERYBODY, public)
    return site


def dns(site):
    return site.conductor.bus.client(ConductorDns).anyone()


def names(site, host="host1"):
    (served,) = site.conductor.networks.host_networks(ADMIN, host)
    return {one.name: one.address for one in served.names}


def test_hosts_know_servers_by_host_name_and_uuid():
    site = make_named_site()
    server = site.conductor.boot(site.compute)
    address = server.vifs[0].fixed_ip
    expected = {"web.cloud.example": address, f"{server.uuid}.cloud.example": address}
    assert names(site) == expected


def test_hosts_know_names_of_floating_addresses_that_lead_into_their_networks():
    site = make_named_site()
    server = site.conductor.boot(site.compute)
    floating = site.conductor.bus.client(ConductorFloatingIps).anyone()
    floating.create_range(ADMIN, FloatingRange(ip_range="203.0.113.0/29", pool="nova"))
    given = floating.allocate(ADMIN, PROJECT).address
    entry = DnsEntry(domain="CLOUD.example", name="Shop", address=given)
    dns(site).save_entry(ADMIN, ANYBODY, entry)
    assert "shop.cloud.example" not in names(site)
    floating.associate(ADMIN, OWN, given, Association(instance_uuid=server.uuid))
    assert names(site)["shop.cloud.example"] == given


def test_names_are_the_same_in_upper_and_lower_case():
    site = make_named_site()
    entry = DnsEntry(domain="cloud.example", name="WWW", address="10.0.0.9")
    dns(site).save_entry(ADMIN, ANYBODY, entry)
    (found,) = dns(site).list_entries(ADMIN, ANYBODY, "CLOUD.EXAMPLE", "wWw")
    assert (found.domain, found.name) == ("cloud.example", "www")
    dns(site).delete_entry(ADMIN, ANYBODY, "Cloud.example", "Www")
    assert dns(site).list_entries(ADMIN, ANYBODY, "cloud.example", "www") == ()


def test_number_of_statements_does_not_grow_with_names():
    site = make_named_site()
    counts = []
    for _round in range(2):
        for _server in range(2):
            site.conductor.boot(site.compute)
        names(site)
        site.conductor.counter.take()
        names(site)
        counts.append(len(site.conductor.counter.take()))
    assert counts[0] == counts[1]


def test_name_follows_a_server_that_is_renamed():
    site = make_named_site(update_dns_entries=True)
    server = site.conductor.boot(site.compute)
    change = InstanceChange(hostname="Shop")
    site.conductor.instances.update(ADMIN, OWN, server.uuid, change)
    assert set(names(site)) == {"shop.cloud.example", f"{server.uuid}.cloud.example"}
    assert site.conductor.bus.calls[-2].method == "networks_changed"
    assert site.conductor.bus.calls[-1].method == "host_networks"


def test_name_stays_without_the_option():
    site = make_named_site()
    server = site.conductor.boot(site.compute)
    site.conductor.instances.update(ADMIN, OWN, server.uuid, InstanceChange(hostname="shop"))
    assert "web.cloud.example" in names(site)


def domains(site):
    return {one.domain: one.project_id for one in dns(site).list_domains(ADMIN, EVERYBODY)}


def test_project_that_may_make_domains_reaches_its_own_only():
    site = make_site()

    def save(scope, name, project):
        domain = DnsDomain(domain=name, scope=DnsScope.PUBLIC, project_id=project)
        dns(site).save_domain(ADMIN, scope, domain)

    save(EVERYBODY, "shared.example", None)
    save(EVERYBODY, "foreign.example", "p2")
    save(OWN, "own.example", PROJECT)
    save(OWN, "own.example", PROJECT)
    before = domains(site)
    for name, project in (
        ("shared.example", PROJECT),
        ("foreign.example", PROJECT),
        ("own.example", None),
        ("own.example", "p2"),
        ("new.example", "p2"),
        ("new.example", None),
    ):
        with pytest.raises(DnsDomainNotOwned):
            save(OWN, name, project)
    with pytest.raises(DnsDomainNotOwned):
        dns(site).delete_domain(ADMIN, OWN, "shared.example")
    with pytest.raises(DnsDomainNotFound):
        dns(site).delete_domain(ADMIN, OWN, "foreign.example")
    assert domains(site) == before
    dns(site).delete_domain(ADMIN, OWN, "own.example")
    dns(site).delete_domain(ADMIN, EVERYBODY, "foreign.example")
    assert set(domains(site)) == {"shared.example"}


def test_hosts_are_told_of_a_changed_name_before_their_next_heal():
    site = make_named_site()
    other = DnsDomain(domain="b.example", scope=DnsScope.PUBLIC)
    entry = DnsEntry(domain="cloud.example", name="www", address="10.0.0.9")
    changes = (
        lambda: dns(site).save_domain(ADMIN, EVERYBODY, other),
        lambda: dns(site).save_entry(ADMIN, ANYBODY, entry),
        lambda: dns(site).delete_entry(ADMIN, ANYBODY, "cloud.example", "www"),
        lambda: dns(site).delete_domain(ADMIN, EVERYBODY, "b.example"),
    )
    for change in changes:
        change()
        assert site.conductor.bus.calls[-1].method == "networks_changed"
