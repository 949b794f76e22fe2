"""Changes of rules, groups and members reach the firewalls of the hosts that they concern."""

import pytest

from nova.conductor.rpcapi.firewall import ConductorFirewall
from nova.context import get_admin_context

WINDOW_S = 1.0
SSH = {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "10.0.0.0/8"}


def stored(cloud, host):
    conductor = cloud.bus.client(ConductorFirewall).anyone()
    return conductor.host_firewall(get_admin_context(), host)


class Firewalls:
    """A cloud with one server of group web and one of group db, on a host each."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.web, self.db = self.group("web"), self.group("db")
        self.client, self.server = self.boot("web"), self.boot("db")
        assert self.client.instance().host != self.server.instance().host

    def group(self, name):
        body = {"security_group": {"name": name, "description": "x"}}
        return self.cloud.rest.post("/os-security-groups", body).json["security_group"]["id"]

    def boot(self, name):
        self.cloud.clock.advance(WINDOW_S)
        return self.cloud.boot(security_groups=[{"name": name}])

    def add_rule(self, group, **values):
        body = {"security_group_rule": {"parent_group_id": group, **values}}
        answer = self.change("post", "/os-security-group-rules", body)
        return answer.json["security_group_rule"]["id"]

    def act(self, server, **action):
        return self.change("post", f"/servers/{server.uuid}/action", action)

    def change(self, method, *request):
        """Make one change in a window of its own."""
        self.cloud.clock.advance(WINDOW_S)
        answer = getattr(self.cloud.rest, method)(*request)
        assert answer.status_int in (200, 202), answer.text
        self.cloud.run_until_idle()
        return answer

    def on(self, server):
        return self.cloud.driver(server.instance().host).firewall

    def rules(self, server):
        return [rule.id for group in self.on(server).groups for rule in group.rules]

    def members(self, server):
        return {one.group_id: one.addresses for one in self.on(server).members}


@pytest.fixture
def site(cloud):
    return Firewalls(cloud)


def test_net_06_rule_reaches_the_hosts_of_its_group_and_leaves_them(site):
    rule = site.add_rule(site.db, **SSH)
    assert site.rules(site.server) == [rule]
    assert site.rules(site.client) == []
    site.change("delete", f"/os-security-group-rules/{rule}")
    assert site.rules(site.server) == []


def test_net_06_members_reach_the_hosts_that_name_their_group(site):
    site.add_rule(site.db, group_id=site.web)
    address = site.client.instance().vifs[0].fixed_ip
    assert site.members(site.server) == {site.web: (address,)}
    site.act(site.client, removeSecurityGroup={"name": "web"})
    assert site.members(site.server) == {site.web: ()}
    site.act(site.client, addSecurityGroup={"name": "web"})
    assert site.members(site.server) == {site.web: (address,)}
    site.cloud.clock.advance(WINDOW_S)
    site.client.delete()
    site.cloud.run_until_idle()
    assert site.members(site.server) == {site.web: ()}


def test_net_06_group_that_is_deleted_leaves_the_rules_that_named_it(site):
    site.add_rule(site.db, group_id=site.web)
    site.act(site.client, removeSecurityGroup={"name": "web"})
    site.change("delete", f"/os-security-groups/{site.web}")
    assert site.rules(site.server) == []
    assert site.members(site.server) == {}


def test_net_06_host_that_was_down_gets_everything_when_it_starts(site):
    host = site.server.instance().host
    site.cloud.crash_compute(host)
    rule = site.add_rule(site.db, **SSH)
    named = site.add_rule(site.db, group_id=site.web)
    assert site.rules(site.server) == []
    # What was sent to it meanwhile is lost with its queue.
    site.cloud.bus.drop_next("refresh_firewall")
    site.act(site.client, removeSecurityGroup={"name": "web"})
    site.cloud.restart_compute(host)
    assert site.rules(site.server) == [rule, named]
    assert site.on(site.server) == stored(site.cloud, host)
