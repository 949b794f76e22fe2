"""What hosts must let through, and which hosts are told of changes."""

import pytest

from nova import clock
from nova.conductor.actions.base import Ending
from nova.conductor.actions.shelve import ShelveOffloadRules
from nova.conductor.firewall_changes import FirewallChanges
from nova.conductor.rpcapi.firewall import ConductorFirewall
from nova.conductor.rpcapi.security_groups import ConductorSecurityGroups
from nova.context import get_admin_context
from nova.db import instances
from nova.exception import QuotaExceeded, SecurityGroupNotFound
from nova.objects.instance import Fault, Scope
from nova.objects.security_group import (
    NewSecurityGroup,
    NewSecurityGroupRule,
    SecurityGroupQuery,
)
from tests.fixtures.conductor import PROJECT, USER, make_site, result_of, user_context

OWN = Scope(project_id=PROJECT)


class Site:
    def __init__(self):
        self.site = make_site(("host1", "host2"))
        self.conductor = self.site.conductor
        bus = self.conductor.bus
        self.groups = bus.client(ConductorSecurityGroups).anyone()
        self.firewall = bus.client(ConductorFirewall).anyone()

    def group(self, name, **changes):
        values = {"project_id": PROJECT, "user_id": USER, "name": name} | changes
        return self.groups.create(user_context(), NewSecurityGroup(**values))

    def rule(self, parent, **values):
        new = NewSecurityGroupRule(parent_group=parent.uuid, **values)
        return self.groups.create_rule(user_context(), OWN, new)

    def boot(self, host, *names):
        self.site.scheduler.hosts = [host]
        return self.conductor.boot(self.site.computes[host], security_groups=names)

    def of_host(self, host):
        return self.firewall.host_firewall(get_admin_context(), host)


@pytest.fixture
def site():
    return Site()


def test_host_gets_guests_rules_and_members_of_sources(site):
    web, db = site.group("web"), site.group("db")
    site.rule(db, group=web.uuid)
    site.rule(db, protocol="tcp", from_port=1, to_port=2, cidr="::/0")
    client, server = site.boot("host1", "web"), site.boot("host2", "db")
    found = site.of_host("host2")
    assert [guest.instance_uuid for guest in found.guests] == [server.uuid]
    assert found.guests[0].group_ids == (db.id,)
    assert [len(group.rules) for group in found.groups] == [2]
    assert {one.group_id: one.addresses for one in found.members} == {
        web.id: (client.vifs[0].fixed_ip,)
    }
    assert site.of_host("host1").members == ()


def test_net_07_statements_of_a_host_do_not_grow_with_members(site):
    web = site.group("web")
    site.rule(web, group=web.uuid)
    counts = []
    for _round in range(2):
        for _server in range(3):
            site.boot("host1", "web")
        site.conductor.counter.take()
        site.of_host("host1")
        counts.append(len(site.conductor.counter.take()))
    assert counts[0] == counts[1] <= 5


def test_quota_counts_the_default_group(site):
    for number in range(9):
        site.group(f"g{number}")
    with pytest.raises(QuotaExceeded):
        site.group("one-more")


def test_group_of_another_project_is_unknown(site):
    foreign = site.group("web", project_id="other")
    with pytest.raises(SecurityGroupNotFound):
        site.groups.get(user_context(), OWN, foreign.uuid)
    with pytest.raises(SecurityGroupNotFound):
        site.rule(site.group("own"), group=foreign.uuid)


def test_page_keeps_to_its_limit(site):
    site.group("web")
    query = SecurityGroupQuery(scope=OWN, project_id=PROJECT, limit=1, offset=1)
    assert [one.name for one in site.groups.page(user_context(), query)] == ["web"]


class Told:
    def __init__(self, site):
        self.hosts = []
        site.conductor.db.tell_hosts = lambda hosts: self.hosts.append(sorted(hosts))


def test_net_06_rule_changes_are_told_to_hosts_of_members(site):
    web = site.group("web")
    site.boot("host2", "web")
    told = Told(site)
    rule = site.rule(web, group=web.uuid)
    site.groups.delete_rule(user_context(), OWN, str(rule.id))
    assert told.hosts == [["host2"], ["host2"]]


def test_net_06_member_changes_are_told_to_hosts_that_name_the_group(site):
    web, db = site.group("web"), site.group("db")
    site.rule(db, group=web.uuid)
    site.boot("host2", "db")
    told = Told(site)
    client = site.boot("host1", "web")
    assert told.hosts == [["host1", "host2"]]
    site.conductor.instances.remove_security_group(user_context(), OWN, client.uuid, "web")
    assert told.hosts[1:] == [["host1", "host2"]]


def test_net_05_host_that_could_not_build_a_server_drops_its_rules(site):
    conductor, compute = site.site.conductor, site.site.computes["host1"]
    site.site.scheduler.hosts = ["host1"]
    conductor.create()
    assert len(site.of_host("host1").guests) == 1
    told = Told(site)
    fault = Fault(code=500, message="no image", created_at=clock.utcnow())
    result = result_of(compute.works[-1], succeeded=False, retry=False, fault=fault)
    conductor.operations.finish(get_admin_context(), result)
    assert told.hosts == [["host1"]]
    assert site.of_host("host1").guests == ()


def test_net_05_host_that_a_server_was_offloaded_from_drops_its_rules(site):
    conductor, compute = site.site.conductor, site.site.computes["host1"]
    server = site.boot("host1")
    told = Told(site)
    with conductor.db.transaction() as tx:
        instance = instances.find(tx, server.uuid)
        operation = compute.works[-1].operation
        result = result_of(compute.works[-1])
        ending = Ending(
            operation=operation, result=result, instance=instance, settings=None, now=clock.utcnow()
        )
        ShelveOffloadRules().succeeded(tx, ending)
    assert told.hosts == [["host1"]]


def test_provider_rules_are_told_to_all_hosts(site):
    told = Told(site)
    site.groups.create_provider_rule(get_admin_context(), "tcp", 25, 25, "0.0.0.0/0")
    assert told.hosts == [["host1", "host2"]]
    assert len(site.of_host("host1").provider_rules) == 1


class Refreshes:
    """Counts the requests that a bus is given for hosts."""

    def __init__(self):
        self.hosts = []

    def client(self, interface):
        return self

    def on(self, host):
        self.hosts.append(host)
        return self

    def refresh_firewall(self, context):
        pass


def test_net_07_many_changes_of_a_host_are_one_request(frozen_clock):
    bus = Refreshes()
    changes = FirewallChanges(bus)
    for _change in range(100):
        changes.tell({"host1"})
    assert bus.hosts == ["host1"]
    frozen_clock.advance(0.6)
    changes.flush()
    changes.flush()
    assert bus.hosts == ["host1", "host1"]
