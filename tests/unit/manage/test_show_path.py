"""nova-manage network show-path with a real conductor, nova-compute and nova-network in memory."""

import json

import pytest
from oslo_config import cfg

from nova import config
from nova.compute.manager import ComputeManager
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.conductor.rpcapi.security_groups import ConductorSecurityGroups
from nova.context import get_admin_context
from nova.exception import ConfigurationError
from nova.image.memory import MemoryImageService
from nova.manage.command import Environment
from nova.manage.main import build_parser, run
from nova.network.manager import FlatDHCPManager
from nova.network.memory import MemoryHost
from nova.objects.floating_ip import FloatingIp
from nova.objects.instance_detail import InstanceDetail
from nova.objects.security_group import SecurityGroup
from nova.rpc.local import LocalBus
from nova.virt.fake import FakeDriver
from tests.fixtures.conductor import make_site
from tests.fixtures.doubles import partly_served
from tests.fixtures.networks import make_settings

HOST = "host1"
CONF = cfg.ConfigOpts()
config.register(CONF)
CONF([], project="nova", default_config_files=[], default_config_dirs=[])


@partly_served
class Groups(ConductorSecurityGroups):
    """One group without rules."""

    def page(self, context, query):
        return (SecurityGroup(id=3, uuid="g", name="default", project_id=query.project_id),)


@partly_served
class FloatingIps(ConductorFloatingIps):
    """One address of another server."""

    def list_floating_ips(self, context, scope):
        values = {"id": 1, "uuid": "f", "address": "203.0.113.7", "pool": "p"}
        return (FloatingIp(**values, instance_uuid="another"),)


class Place:
    """A server on a host, and the command line of a controller."""

    def __init__(self):
        self.site = make_site()
        self.instance = self.site.conductor.boot(self.site.compute)
        self.bus = LocalBus()
        self.refused = None
        bus = LocalBus()
        bus.serve("conductor", "controller", [Groups(), FloatingIps()]).start()
        conductor = self.site.conductor
        self.environment = Environment(
            context=get_admin_context(),
            flavors=conductor.flavors,
            hosts=conductor.hosts,
            instances=conductor.instances,
            networks=conductor.networks,
            quotas=bus.client(ConductorQuotas).anyone(),
            security_groups=bus.client(ConductorSecurityGroups).anyone(),
            floating_ips=bus.client(ConductorFloatingIps).anyone(),
            daemons=self.connect,
            conf=CONF,
        )

    def connect(self):
        if self.refused:
            raise self.refused
        return self.bus

    def start_compute(self):
        driver = FakeDriver()
        manager = ComputeManager(
            self.site.conductor.bus, HOST, driver, self.bus, MemoryImageService()
        )
        driver.init_host(HOST, lambda event: None)
        driver.spawn(InstanceDetail(instance=self.instance), None)
        self.bus.serve("compute", HOST, [manager]).start()

    def start_network(self):
        settings = make_settings(host=HOST)
        manager = FlatDHCPManager(settings=settings, bus=self.site.conductor.bus, host=MemoryHost())
        manager.init_host()
        manager.heal()
        self.bus.serve("network", HOST, [manager]).start()


@pytest.fixture
def place():
    return Place()


@pytest.fixture
def show(place, capsys):
    def go(server, *words):
        args = build_parser("1").parse_args(["network", "show-path", server, *words])
        code = run(args, CONF, lambda: place.environment)
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return go


def lines_of(text):
    return {(line["subject"], line["check"]): line for line in json.loads(text)["lines"]}


def test_show_path_asks_both_daemons_and_tells_what_they_have(place, show):
    place.start_compute()
    place.start_network()
    code, out, err = show(place.instance.uuid, "--json")
    assert (code, err) == (1, "")  # the fake host has no packet filter, and no guest that asks
    document, lines = json.loads(out), lines_of(out)
    (vif,) = place.instance.vifs
    assert document["server"] == place.instance.uuid
    assert document["problems"] == len(
        [line for line in document["lines"] if line["verdict"] == "PROBLEM"]
    )
    for check in ("bridge", "tap", "gateway", "DHCP", "DHCP entry", "metadata", "SNAT"):
        assert lines[vif.devname, check]["verdict"] == "ok", check
    assert lines[vif.devname, "lease"]["verdict"] == "PROBLEM"
    assert lines["server", "IPv4 chain"]["verdict"] == "PROBLEM"
    assert lines["default", "rules"]["found"] == "none: the group lets nothing in"
    assert ("203.0.113.7", "DNAT") not in lines


def test_show_path_knows_the_lease_of_the_database(place, show):
    place.start_compute()
    place.start_network()
    (vif,) = place.instance.vifs
    context = get_admin_context()
    networks = place.site.conductor.networks
    networks.record_lease(context, HOST, vif.fixed_ip, vif.address, True)
    _, out, _ = show(place.instance.uuid, "--json")
    assert lines_of(out)[vif.devname, "lease"]["verdict"] == "ok"


def test_show_path_prints_a_table_for_people(place, show):
    place.start_compute()
    code, out, _ = show(place.instance.uuid)
    assert code == 1
    assert "| Where" in out
    assert out.rstrip().endswith("problems found.")


def test_show_path_without_answers_says_so(place, show):
    code, out, err = show(place.instance.uuid, "--json")
    assert (code, err) == (1, "")
    silent = [line for line in json.loads(out)["lines"] if line["check"] == "daemon"]
    assert [line["verdict"] for line in silent] == ["PROBLEM", "PROBLEM"]
    assert f"nova-compute on {HOST}" in silent[0]["found"]
    assert f"nova-network on {HOST}" in silent[1]["found"]


def test_show_path_without_a_message_bus_says_so(place, show):
    place.refused = ConfigurationError(reason="transport_url names no usable broker")
    code, out, _ = show(place.instance.uuid, "--json")
    assert code == 1
    assert "the message bus" in lines_of(out)["server", "daemon"]["found"]


def test_show_path_of_an_unknown_server_ends_with_2(show):
    code, out, err = show("7f0e4c1e-64a3-4b57-9a3d-6d5a6f2c9aff")
    assert (code, out) == (2, "")
    assert "could not be found" in err
