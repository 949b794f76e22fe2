"""The rules that a host enforces are those that are stored, whatever happens to its servers."""

import pytest

from nova.conductor.rpcapi.firewall import ConductorFirewall
from nova.context import get_admin_context
from nova.exception import CommandFailed
from nova.objects.firewall import HostFirewall
from tests.fixtures.changes import add_choices, carry_out, rebuild_with, resize_to

REFUSED = CommandFailed(command="iptables-restore", exit_code=1)


@pytest.fixture
def cloud(new_cloud):
    return add_choices(new_cloud(hosts=1))


def stored(cloud, host="compute1"):
    conductor = cloud.bus.client(ConductorFirewall).anyone()
    return conductor.host_firewall(get_admin_context(), host)


def assert_enforced(cloud, *servers):
    """Check that the rules in force are the stored ones, and that they are about servers."""
    (host,) = cloud.hosts
    enforced = cloud.driver(host).firewall
    assert enforced == stored(cloud, host)
    assert {guest.instance_uuid for guest in enforced.guests} == {one.uuid for one in servers}


def forget_rules(cloud):
    """Lose the rules of the host, as when it boots."""
    for host in cloud.hosts.values():
        host.driver.firewall = HostFirewall()


ACTIONS = {
    "soft_reboot": [{"reboot": {"type": "SOFT"}}],
    "hard_reboot": [{"reboot": {"type": "HARD"}}],
    "stop_start": [{"os-stop": None}, {"os-start": None}],
    "suspend_resume": [{"suspend": None}, {"resume": None}],
    "resize": [resize_to("3"), {"confirmResize": None}],
    "revert": [resize_to("3"), {"revertResize": None}],
    "rescue": [{"rescue": None}, {"unrescue": None}],
    "rebuild": [rebuild_with()],
    "shelve": [{"shelve": None}, {"unshelve": None}],
}


@pytest.mark.parametrize("name", ACTIONS)
def test_net_05_rules_in_force_are_the_stored_ones_after_each_action(cloud, name):
    server = cloud.boot()
    assert_enforced(cloud, server)
    forget_rules(cloud)
    for body in ACTIONS[name]:
        assert carry_out(server, body).status_int in (200, 202, 204)
    assert server.status == "ACTIVE"
    assert_enforced(cloud, server)


def test_net_05_rules_stay_while_a_server_is_paused(cloud):
    server = cloud.boot()
    for body in ({"pause": None}, {"unpause": None}):
        carry_out(server, body)
        assert_enforced(cloud, server)


def test_net_05_rules_are_in_force_after_a_restart_of_the_service(cloud):
    server = cloud.boot()
    forget_rules(cloud)
    (host,) = cloud.hosts
    cloud.restart_compute(host)
    assert_enforced(cloud, server)


def test_rules_go_with_their_server(cloud):
    kept, gone = cloud.boot(), cloud.boot()
    gone.delete()
    assert_enforced(cloud, kept)


def test_net_04_server_is_not_built_where_its_rules_can_not_be_put_in_force(cloud):
    (host,) = cloud.hosts
    driver = cloud.driver(host)
    driver.fail_next("apply_firewall", REFUSED, count=10)
    server = cloud.boot()
    assert server.status == "ERROR"
    assert server.uuid not in driver.guests
