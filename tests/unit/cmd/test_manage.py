"""What nova-manage tells the daemons before it ends."""

import pytest

from nova.cmd.manage import make_environment
from nova.compute.rpcapi import ComputeAPI
from nova.db import migrations_api
from nova.db.engine import Database, DatabaseSettings
from nova.manage.main import build_parser, run
from nova.objects.network import NewNetwork
from nova.objects.security_group import NewSecurityGroup, NewSecurityGroupRule
from nova.rpc.local import LocalBus
from tests.fixtures.conductor import ANYBODY, PROJECT, USER
from tests.fixtures.doubles import partly_served
from tests.fixtures.group_members import fill_group


@partly_served
class Told(ComputeAPI):
    """Counts how often it is told."""

    def __init__(self):
        self.times = 0

    def refresh_firewall(self, context):
        self.times += 1


@pytest.fixture
def database(tmp_path):
    found = Database(DatabaseSettings(connection=f"sqlite:///{tmp_path}/nova.sqlite"))
    migrations_api.sync_database(found)
    yield found
    found.close()


def test_net_06_last_change_of_a_command_is_told_before_it_ends(conf, database, capsys):
    conf.set_override("connection", str(database.engine.url), group="database")
    daemons, told = LocalBus(), Told()
    daemons.serve("compute", "host1", [told]).start()
    environment = make_environment(conf, lambda: daemons)
    context, groups = environment.context, environment.security_groups
    environment.networks.create(
        context, NewNetwork(label="x", cidr="10.0.0.0/29", bridge_interface="eth1")
    )

    def make(name, project):
        return groups.create(context, NewSecurityGroup(project_id=project, user_id=USER, name=name))

    web = make("web", PROJECT)
    fill_group(database, web.id, ("host1",), members=1)
    for name in ("first", "second", "third"):
        source = make(name, "p1")
        new = NewSecurityGroupRule(parent_group=web.uuid, group=source.uuid)
        groups.create_rule(context, ANYBODY, new)
    words = ["project", "scrub", "--project", "p1"]
    assert run(build_parser("1").parse_args(words), conf, lambda: environment) == 0
    daemons.run_until_idle()
    assert groups.list_rules(context, ANYBODY, web.uuid) == ()
    # Each rule that came, and each that went with its source.
    assert told.times == 6
