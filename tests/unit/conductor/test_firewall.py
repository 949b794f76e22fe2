"""What hosts must let through, and which hosts are told of changes."""

import pytest

from nova.conductor.firewall_changes import FirewallChanges
from nova.conductor.rpcapi.firewall import ConductorFirewall
from nova.conductor.rpcapi.security_groups import ConductorSecurityGroups
from nova.context import get_admin_context
from nova.exception import QuotaExceeded, SecurityGroupInvalid, SecurityGroupNotFound
from nova.objects.action_request import ActionRequest, FixedIpRequest, SnapshotRequest
from nova.objects.instance import Scope
from nova.objects.security_group import (
    NewSecurityGroup,
    NewSecurityGroupRule,
    SecurityGroupQuery,
)
from tests.fixtures.conductor import PROJECT, USER, make_site, result_of, user_context
from tests.fixtures.group_members import fill_group

OWN = Scope(project_id=PROJECT)
IMAGE = "11111111-2222-4333-8444-555555555555"


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

    def act(self, server, action, **changes):
        """Carry out an action of a server on its host; return the server."""
        instances = self.conductor.instances
        instances.begin_action(user_context(), OWN, server.uuid, action, **changes)
        return self.finish(server, action)

    def finish(self, server, action):
        """Report that a host has carried out an action; return the server."""
        self.conductor.bus.run_until_idle()
        work = next(one.works[-1] for one in self.site.computes.values() if _has(one, action))
        self.conductor.operations.finish(get_admin_context(), result_of(work))
        return self.conductor.get(server.uuid)

    def readers(self):
        """Put a server on host2 whose rules name the group web; return that group."""
        web, db = self.group("web"), self.group("db")
        self.rule(db, group=web.uuid)
        self.boot("host2", "db")
        return web

    def of_host(self, host):
        return self.firewall.host_firewall(get_admin_context(), host)


def _has(compute, action):
    return bool(compute.works) and compute.works[-1].operation.action == action


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
    # Its own host pulls its rules before it starts the guest.
    assert told.hosts == [["host2"]]
    site.conductor.instances.remove_security_group(user_context(), OWN, client.uuid, "web")
    assert told.hosts[1:] == [["host1", "host2"]]


def test_net_06_addresses_that_come_and_go_are_told_to_hosts_that_name_the_group(site):
    site.readers()
    client = site.boot("host1", "web")
    told = Told(site)
    wanted = FixedIpRequest(network_uuid=site.site.network.uuid)
    client = site.act(client, "add_fixed_ip", request=ActionRequest(fixed_ip=wanted))
    assert told.hosts == [["host1", "host2"]]
    (more,) = client.vifs[0].more_fixed_ips
    gone = FixedIpRequest(address=more)
    site.act(client, "remove_fixed_ip", request=ActionRequest(fixed_ip=gone))
    assert told.hosts[1:] == [["host1", "host2"]]


def test_net_06_server_that_leaves_its_host_is_told_to_both_sides(site):
    site.readers()
    client = site.boot("host1", "web")
    image = ActionRequest(snapshot=SnapshotRequest(image_id=IMAGE, name="web-shelved"))
    site.act(client, "shelve", request=image)
    told = Told(site)
    site.finish(client, "shelveOffload")
    assert told.hosts == [["host1", "host2"]]
    site.site.scheduler.hosts = ["host1"]
    site.act(client, "unshelve")
    assert told.hosts[1:] == [["host2"]]


def test_net_06_failed_build_is_told_to_hosts_that_name_the_group(site):
    site.readers()
    site.site.scheduler.hosts = ["host1"]
    site.conductor.create(security_groups=("web",))
    told = Told(site)
    work = site.site.computes["host1"].works[-1]
    failed = result_of(work, succeeded=False, retry=False)
    site.conductor.operations.finish(get_admin_context(), failed)
    assert told.hosts == [["host1", "host2"]]


def test_net_07_a_hundred_changes_of_a_large_group_read_hosts_not_members(site, frozen_clock):
    web = site.group("web")
    site.rule(web, group=web.uuid)
    uuids = fill_group(site.conductor.db, web.id, ("host1", "host2"), members=1000)
    bus = Refreshes()
    site.conductor.db.tell_hosts = FirewallChanges(bus).tell
    instances = site.conductor.instances
    site.conductor.counter.take()
    for uuid in uuids[:100]:
        instances.remove_security_group(user_context(), OWN, uuid, "web")
    assert bus.hosts == ["host1", "host2"]
    assert len(site.conductor.counter.take()) <= 100 * 8
    site.of_host("host1")
    assert len(site.conductor.counter.take()) <= 6


def test_no_group_is_renamed_to_default(site):
    group = site.group("web")
    with pytest.raises(SecurityGroupInvalid):
        site.groups.update(user_context(), OWN, group.uuid, name="default")


def test_boot_tells_its_own_host_nothing(site):
    db = site.group("db")
    site.rule(db, group=db.uuid)
    site.boot("host1", "db")
    told = Told(site)
    site.boot("host1", "db")
    assert told.hosts == []


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


def test_net_07_host_that_waits_is_told_before_the_process_ends(frozen_clock):
    bus = Refreshes()
    changes = FirewallChanges(bus)
    changes.tell({"host1", "host2"})
    changes.tell({"host2"})
    changes.end()
    changes.end()
    assert bus.hosts == ["host1", "host2", "host2"]
