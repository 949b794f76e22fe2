"""nova-manage against a real conductor on SQLite."""

import json
import os
import sys

import pytest
from oslo_config import cfg

from nova import config
from nova.cert.rpcapi import CertAPI
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.conductor.rpcapi.security_groups import ConductorSecurityGroups
from nova.conductor.settings import conductor_settings
from nova.context import get_admin_context
from nova.manage.command import Environment
from nova.manage.main import build_parser, config_arguments, run
from nova.manage.output import Result, render
from nova.objects.service import HostReport
from nova.rpc.local import LocalBus
from tests.fixtures.conductor import make_conductor
from tests.fixtures.doubles import partly_served

CONF = cfg.ConfigOpts()
config.register(CONF)
CONF([], project="nova", default_config_files=[], default_config_dirs=[])
CONF.set_override("network_manager", "nova.network.manager.FlatDHCPManager")
CONF.set_override("flat_network_bridge", "br100")


@pytest.fixture
def environment():
    bus = LocalBus()
    conductor = make_conductor(bus, conductor_settings(CONF))
    return Environment(
        context=get_admin_context(),
        flavors=conductor.flavors,
        floating_ips=bus.client(ConductorFloatingIps).anyone(),
        hosts=conductor.hosts,
        instances=conductor.instances,
        networks=conductor.networks,
        quotas=bus.client(ConductorQuotas).anyone(),
        security_groups=bus.client(ConductorSecurityGroups).anyone(),
        daemons=lambda: bus,
        conf=CONF,
    )


@pytest.fixture
def manage(environment, capsys):
    """Run a command line; return exit code, output and complaints."""

    def go(*words):
        args = build_parser("1").parse_args(words)
        code = run(args, CONF, lambda: environment)
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return go


@pytest.fixture
def manage_json(manage):
    def go(*words):
        code, out, err = manage(*words, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return go


def test_output_that_nobody_reads_to_its_end_is_no_error(environment, monkeypatch):
    args = build_parser("1").parse_args(["quota", "defaults"])
    reader, writer = os.pipe()
    os.close(reader)
    with monkeypatch.context() as patch, open(writer, "w") as output:
        patch.setattr(sys, "stdout", output)
        assert run(args, CONF, lambda: environment) == 0


def test_network_create_list_delete(manage, manage_json):
    (created,) = manage_json(
        "network", "create", "--label", "private", "--fixed_range_v4", "10.0.0.0/24"
    )
    assert created["label"] == "private"
    assert created["start_address"] == "10.0.0.2"
    assert [network["uuid"] for network in manage_json("network", "list")] == [created["uuid"]]
    assert manage_json("network", "delete", "--uuid", created["uuid"])["deleted"]
    assert manage("network", "list") == (0, "No networks found.\n", "")


def test_floating_addresses_are_created_listed_and_deleted(manage, manage_json):
    none = "No floating IP addresses have been defined.\n"
    assert manage("floating", "list") == (0, none, "")
    created = manage_json("floating", "create", "--ip_range", "203.0.113.0/30", "--pool", "p")
    assert created == {"created": ["203.0.113.1", "203.0.113.2"], "pool": "p"}
    assert manage_json("floating", "create", "--ip-range", "198.51.100.9")["pool"] == "nova"
    assert manage_json("floating", "list")[0] == {
        "project": None, "address": "203.0.113.1", "instance": None, "pool": "p",
        "interface": "eth0",
    }  # fmt: skip
    assert manage("floating", "list", "--host", "h1") == (0, none, "")
    assert manage_json("floating", "delete", "--ip_range", "203.0.113.0/30") == {"deleted": 2}
    assert [one["address"] for one in manage_json("floating", "list")] == ["198.51.100.9"]


def test_floating_addresses_that_exist_are_refused_with_code_1(manage):
    manage("floating", "create", "--ip-range", "203.0.113.2")
    code, out, err = manage("floating", "create", "--ip-range", "203.0.113.0/29")
    assert (code, out) == (1, "")
    assert err == "error: Floating IP address 203.0.113.2 already exists.\n"


def test_network_options_come_from_the_configuration(manage, environment):
    manage("network", "create", "--label", "a", "--fixed-range-v4", "10.0.0.0/24")
    manage(
        "network", "create", "--label", "b", "--fixed-range-v4", "10.1.0.0/24", "--multi-host", "T"
    )
    first, second = environment.networks.list_networks(environment.context)
    assert (first.bridge, first.multi_host, first.dns1) == ("br100", False, "8.8.4.4")
    assert second.multi_host is True


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("network", "delete"), 1),
        (("network", "delete", "--uuid", "a", "--fixed-range", "10.0.0.0/24"), 1),
        (("network", "delete", "--fixed-range", "10.9.0.0/24"), 2),
        (("network", "create", "--label", "x"), 1),
        (("network", "create", "--label", "x", "--fixed-range-v4", "nonsense"), 1),
        (("floating", "create", "--ip-range", "203.0.113.0/31"), 1),
        (("floating", "create", "--ip-range", "10.0.0.0/8"), 1),
        (("floating", "create", "--ip-range", "nonsense"), 1),
        (("service", "enable", "--host", "h", "--service", "nova-compute"), 2),
        (("flavor", "create", "x", "--ram", "0", "--vcpus", "1"), 1),
        (("flavor", "create", "--ram", "1", "--vcpus", "1"), 1),
        (("flavor", "delete", "missing"), 2),
        (("quota", "update", "--project", "p", "--key", "nonsense", "--value", "1"), 1),
        (("quota", "update", "--project", "p", "--key", "cores", "--value", "many"), 1),
        (("quota", "update", "--project", "p", "--key", "cores", "--value", "-2"), 1),
        (("server", "explain", "5b6c2a34-6c0e-4c39-8d6e-1b4f2f9f3d61"), 2),
    ],
)
def test_refusals_name_what_is_wrong_and_exit_with_their_code(manage, words, code):
    got, out, err = manage(*words)
    assert (got, out) == (code, "")
    assert err.startswith("error: ") and err.count("\n") == 1


def test_services_are_listed_disabled_and_enabled(manage, manage_json, environment):
    environment.hosts.report(
        environment.context, HostReport(host="c1", binary="nova-compute", topic="compute")
    )
    (service,) = manage_json("service", "list")
    assert (service["binary"], service["status"], service["state"]) == (
        "nova-compute",
        "enabled",
        ":-)",
    )
    names = ("--host", "c1", "--service", "nova-compute")
    _, said, _ = manage("service", "disable", *names, "--reason", "repair")
    assert said == "Service nova-compute on host c1 disabled.\n"
    assert manage_json("service", "list")[0]["status"] == "disabled"
    manage("service", "enable", *names)
    assert manage_json("service", "list")[0]["status"] == "enabled"


def test_flavors_are_created_changed_and_deleted(manage, manage_json):
    manage("flavor", "create", "--name", "m9", "--memory", "64", "--cpu", "1", "--flavor", "99")
    manage("flavor", "set_key", "--name", "m9", "--key", "hw:x", "--value", "1")
    (flavor,) = manage_json("flavor", "list", "--name", "m9")
    assert (flavor["flavorid"], flavor["extra_specs"]) == ("99", {"hw:x": "1"})
    manage("flavor", "unset_key", "m9", "--key", "hw:x")
    assert manage_json("flavor", "list", "--name", "m9")[0]["extra_specs"] == {}
    assert manage("flavor", "delete", "m9")[0] == 0
    assert manage("flavor", "delete", "m9")[0] == 2


def test_quotas_are_shown_changed_and_reset(manage, manage_json):
    def cores():
        return next(
            row["limit"]
            for row in manage_json("quota", "show", "--project", "p")
            if row["quota"] == "cores"
        )

    assert cores() == 20
    manage("quota", "update", "--project", "p", "--key", "cores", "--value", "unlimited")
    assert cores() == "unlimited"
    manage("project", "quota", "--project", "p", "--key", "cores", "--value", "5")
    assert cores() == 5
    manage("quota", "delete", "--project", "p")
    manage("quota", "defaults", "--key", "cores", "--value", "30")
    assert cores() == 30


def test_configuration_arguments_are_passed_on():
    args = build_parser("1").parse_args(
        ["--config-file", "a", "--config-file", "b", "--config-dir", "c", "db", "version"]
    )
    assert config_arguments(args) == [
        "--config-file", "a", "--config-file", "b", "--config-dir", "c",
    ]  # fmt: skip


def test_in_18_control_characters_are_escaped_in_tables():
    text = render(Result(columns=("Name",), rows=(("a\x1b[31m\nb",),)), as_json=False)
    assert "\x1b" not in text
    assert "a\\x1b[31m\\nb" in text


@partly_served
class _Cert(CertAPI):
    """A nova-cert that notes whose certificates it is told to revoke."""

    def __init__(self):
        self.revoked = []

    def revoke_certs_by_user(self, context, user_id):
        self.revoked.append((user_id, None))
        return 0

    def revoke_certs_by_project(self, context, project_id):
        self.revoked.append((None, project_id))
        return 1

    def revoke_certs_by_user_and_project(self, context, user_id, project_id):
        self.revoked.append((user_id, project_id))
        return 2


def test_ec_11_certificates_are_revoked_by_nova_cert(manage, environment):
    assert manage("cert", "revoke", "--user", "u")[0] == 3
    served = _Cert()
    environment.daemons().serve("cert", "controller", [served]).start()
    code, out, _ = manage("cert", "revoke", "--user", "u")
    assert (code, out) == (0, "There are no valid certificates of user u. Are these the ids?\n")
    assert manage("cert", "revoke", "--project", "p")[0] == 0
    code, out, _ = manage("cert", "revoke", "--user", "u", "--project", "p")
    assert (code, out) == (0, "Revoked certificates of user u in project p: 2\n")
    assert served.revoked == [("u", None), (None, "p"), ("u", "p")]
    assert manage("cert", "revoke")[0] != 0
    assert len(served.revoked) == 3
