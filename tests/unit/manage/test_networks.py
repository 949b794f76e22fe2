"""nova-manage network modify, fixed and project against a real conductor on SQLite."""

import json

import pytest
from oslo_config import cfg

from nova import config
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.conductor.rpcapi.security_groups import ConductorSecurityGroups
from nova.conductor.settings import conductor_settings
from nova.context import get_admin_context
from nova.manage.command import Environment
from nova.manage.main import build_parser, run
from nova.objects.instance import EVERYBODY, Scope
from nova.objects.security_group import NewSecurityGroup, SecurityGroupQuery
from nova.rpc.local import LocalBus
from tests.fixtures.conductor import make_conductor
from tests.fixtures.group_members import fill_group

RANGE = "10.0.0.0/29"


@pytest.fixture
def conf():
    """Return a configuration with VlanManager."""
    conf = cfg.ConfigOpts()
    config.register(conf)
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    conf.set_override("network_manager", "nova.network.manager.VlanManager")
    conf.set_override("vlan_interface", "eth1")
    return conf


@pytest.fixture
def conductor(conf):
    return make_conductor(LocalBus(), conductor_settings(conf))


@pytest.fixture
def environment(conductor, conf):
    bus = conductor.bus
    return Environment(
        context=get_admin_context(),
        flavors=conductor.flavors,
        hosts=conductor.hosts,
        instances=conductor.instances,
        networks=conductor.networks,
        quotas=bus.client(ConductorQuotas).anyone(),
        floating_ips=bus.client(ConductorFloatingIps).anyone(),
        security_groups=bus.client(ConductorSecurityGroups).anyone(),
        daemons=lambda: bus,
        conf=conf,
    )


@pytest.fixture
def manage(environment, conf, capsys):
    """Run a command line; return exit code, output and complaints."""

    def go(*words):
        code = run(build_parser("1").parse_args(words), conf, lambda: environment)
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return go


@pytest.fixture
def network(manage, environment):
    manage("network", "create", "--label", "private", "--fixed_range_v4", RANGE)
    return lambda: environment.networks.list_networks(environment.context)[0]


def modify(manage, *words):
    return manage("network", "modify", "--fixed_range", RANGE, *words)


def test_vlans_and_their_card_come_from_the_configuration(network):
    found = network()
    assert (found.vlan, found.bridge, found.bridge_interface) == (100, "br100", "eth1")


def test_network_is_given_and_taken(manage, network):
    assert modify(manage, "--project", "p1", "--host", "net1")[0] == 0
    assert (network().project_id, network().host) == ("p1", "net1")
    code, _, complaint = manage("network", "delete", "--fixed_range", RANGE)
    assert code == 2 and "belongs to project p1" in complaint
    assert modify(manage, "--disassociate-project")[0] == 0
    assert (network().project_id, network().host) == (None, "net1")
    assert modify(manage, "--disassociate-host")[0] == 0
    assert network().host is None
    assert manage("network", "delete", "--fixed_range", RANGE)[0] == 0


def test_giving_and_taking_need_separate_commands(manage, network):
    code, _, complaint = modify(manage, "--project", "p1", "--disassociate-host")
    assert code == 1
    assert "Unexpected arguments provided. Please use separate commands." in complaint
    assert modify(manage)[0] == 1
    assert network().project_id is None
    unknown = manage("network", "modify", "--fixed_range", "10.9.0.0/24", "--host", "x")
    assert unknown[0] == 2


def test_addresses_are_listed_and_reserved(manage, network, environment):
    code, out, _ = manage("fixed", "list", "--json")
    rows = json.loads(out)
    assert code == 0 and len(rows) == 8
    assert rows[3] == {
        "network": RANGE,
        "ip_address": "10.0.0.3",
        "hostname": None,
        "host": None,
    }
    assert manage("fixed", "list", "--host", "nowhere")[1] == "No fixed IP found.\n"
    for command, reserved in (("reserve", True), ("unreserve", False)):
        assert manage("fixed", command, "--address", "10.0.0.4")[0] == 0
        found = environment.networks.get_fixed_ip(environment.context, EVERYBODY, "10.0.0.4")
        assert found.reserved is reserved
        assert manage("fixed", command, "--address", "192.0.2.1")[0] == 2


def test_scrub_takes_a_projects_networks(manage, network):
    modify(manage, "--project", "p1")
    code, out, _ = manage("project", "scrub", "--project", "p1", "--json")
    assert code == 0 and json.loads(out)["networks"] == [network().uuid]
    assert network().project_id is None


def test_scrub_deletes_a_projects_groups_that_no_server_is_in(
    manage, network, environment, conductor
):
    groups, context = environment.security_groups, environment.context
    used, free = (
        groups.create(context, NewSecurityGroup(project_id="p1", user_id="u", name=name))
        for name in ("used", "free")
    )
    fill_group(conductor.db, used.id, ("host1",), members=1)
    code, out, _ = manage("project", "scrub", "--project", "p1", "--json")
    assert code == 0 and json.loads(out)["security_groups"] == [free.uuid]
    query = SecurityGroupQuery(scope=Scope(project_id="p1"), project_id="p1")
    assert [one.name for one in groups.page(context, query)] == ["default", "used"]


def test_firewall_rules_are_created_listed_and_deleted(manage):
    assert manage("firewall", "list") == (0, "No firewall rules have been defined.\n", "")
    words = ("--protocol", "tcp", "--from-port", "25", "--cidr", "0.0.0.0/0", "--json")
    code, out, _ = manage("firewall", "create", *words)
    (rule,) = json.loads(out)
    assert code == 0 and rule == {
        "id": rule["id"], "protocol": "tcp", "from_port": 25, "to_port": 25, "cidr": "0.0.0.0/0",
    }  # fmt: skip
    assert manage("firewall", "create", *words)[0] == 2
    assert json.loads(manage("firewall", "list", "--json")[1]) == [rule]
    assert manage("firewall", "delete", str(rule["id"]))[0] == 0
    assert manage("firewall", "delete", str(rule["id"]))[0] == 2
    assert manage("firewall", "create", "--protocol", "icmp", "--cidr", "10.0.0.0/8")[0] == 0
