"""Reports that are older than what happened since."""

import pytest

from nova.objects.lifecycle import PowerState

TEN_MINUTES_S = 700


@pytest.fixture
def server(cloud):
    """Give a server on a host that will soon report power states again."""
    server = cloud.boot()
    cloud.advance(TEN_MINUTES_S)
    return server


def report_while(cloud, server, events):
    """Let a host read its power states, then events happen, then the report arrives."""
    manager = cloud.hosts[server.instance().host].manager
    cloud.clock.advance(TEN_MINUTES_S)
    cloud.bus.before_next("report", events)
    manager.report()
    cloud.run_until_idle()


def test_server_that_was_started_after_its_power_state_was_read_keeps_running(cloud, server):
    server.act({"os-stop": None})
    report_while(cloud, server, lambda: server.act({"os-start": None}))
    guest = cloud.driver(server.instance().host).guests[server.uuid]
    assert (server.status, guest.power_state) == ("ACTIVE", PowerState.RUNNING)
    assert server.instance().power_state is PowerState.RUNNING


def test_server_that_was_stopped_after_its_power_state_was_read_stays_off(cloud, server):
    report_while(cloud, server, lambda: server.act({"os-stop": None}))
    guest = cloud.driver(server.instance().host).guests[server.uuid]
    assert (server.status, guest.power_state) == ("SHUTOFF", PowerState.SHUTDOWN)
    assert server.instance().power_state is PowerState.SHUTDOWN


@pytest.mark.parametrize(
    ("action", "expected"),
    [("suspend", ("SUSPENDED", PowerState.SHUTDOWN)), ("pause", ("PAUSED", PowerState.PAUSED))],
)
def test_power_state_of_a_server_that_was_changed_after_it_was_read_is_the_new_one(
    cloud, server, action, expected
):
    report_while(cloud, server, lambda: server.act({action: None}))
    assert (server.status, server.instance().power_state) == expected


def test_server_whose_guest_is_off_is_stopped(cloud, server):
    guests = cloud.driver(server.instance().host).guests
    guests[server.uuid].power_state = PowerState.SHUTDOWN
    report_while(cloud, server, lambda: None)
    assert server.status == "SHUTOFF"


def test_stopped_server_whose_guest_runs_is_stopped_again(cloud, server):
    server.act({"os-stop": None})
    guests = cloud.driver(server.instance().host).guests
    guests[server.uuid].power_state = PowerState.RUNNING
    report_while(cloud, server, lambda: None)
    assert (server.status, guests[server.uuid].power_state) == ("SHUTOFF", PowerState.SHUTDOWN)
