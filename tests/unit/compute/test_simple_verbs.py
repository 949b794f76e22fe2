"""Plans of the simple actions: pause, suspend, soft deletion, passwords, dumps, networks."""

import dataclasses
import datetime

import pytest

from nova import clock
from nova.exception import DriverError, HypervisorUnavailable, InstanceInvalidState
from nova.objects.lifecycle import PowerState, VmState
from nova.objects.operation import OperationState
from tests.fixtures.compute import CONTEXT, LoneCompute

REFUSED = DriverError(operation="do it", reason="a secret of the host")


@pytest.fixture
def compute():
    return LoneCompute()


@pytest.fixture
def server(compute):
    """Return a server that runs."""
    return compute.build().detail.instance


def send(compute, action, server, **detail):
    work = compute.work(action, instance=server)
    work = dataclasses.replace(work, detail=dataclasses.replace(work.detail, **detail))
    compute.ledger.works[work.operation.id] = work
    compute.send(work)
    return work


# (action, what comes before, the driver's operation, power state after, what is told of a failure)
VERBS = [
    ("pause", (), "pause", PowerState.PAUSED, "The server could not be paused."),
    ("unpause", ("pause",), "unpause", PowerState.RUNNING, "The server could not be unpaused."),
    ("suspend", (), "suspend", PowerState.SHUTDOWN, "The server could not be suspended."),
    ("resume", ("suspend",), "resume", PowerState.RUNNING, "The server could not be resumed."),
    ("soft_delete", (), "power_off", PowerState.SHUTDOWN, "The server was not deleted."),
    (
        "restore",
        ("soft_delete",),
        "power_on",
        PowerState.RUNNING,
        "The server could not be restored.",
    ),
]
EACH = pytest.mark.parametrize(("action", "before", "operation", "after", "told"), VERBS)


@EACH
def test_verb_reports_the_power_state(compute, server, action, before, operation, after, told):
    for step in before:
        send(compute, step, server)
    send(compute, action, server)
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.power_state, result.vm_state) == (True, after, None)
    assert result.event == f"compute_{action}_instance"


@EACH
def test_in_13_failed_verb_is_told_without_the_hypervisors_words(
    compute, server, action, before, operation, after, told
):
    for step in before:
        send(compute, step, server)
    compute.driver.fail_next(operation, REFUSED)
    send(compute, action, server)
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.fault.message, result.vm_state) == (False, told, None)
    assert "secret" in result.traceback


@pytest.mark.parametrize(
    ("action", "vm_state"),
    [("pause", VmState.ERROR), ("resume", VmState.ERROR), ("restore", None)],
)
def test_verb_on_a_guest_that_is_gone(compute, server, action, vm_state):
    compute.driver.guests.clear()
    send(compute, action, server)
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.vm_state) == (False, vm_state)
    assert result.power_state is PowerState.NOSTATE


def test_soft_deletion_of_a_server_without_guest_succeeds(compute, server):
    compute.driver.guests.clear()
    send(compute, "soft_delete", server)
    assert compute.ledger.results[-1].succeeded


def test_soft_deletion_gives_a_server_in_rescue_its_own_disk_back(compute, server):
    compute.driver.guests[server.uuid].rescue_image_id = "rescue"
    send(compute, "soft_delete", dataclasses.replace(server, vm_state=VmState.RESCUED))
    guest = compute.driver.guests[server.uuid]
    assert (guest.rescue_image_id, guest.power_state) == (None, PowerState.SHUTDOWN)


def test_soft_deleted_guest_gets_the_time_to_shut_down(compute):
    slept = []
    compute.driver._sleep = slept.append
    server = compute.build(image_properties={"os_shutdown_timeout": "7"}).detail.instance
    compute.driver.guests[server.uuid].obeys_acpi = False
    send(compute, "soft_delete", server)
    assert slept == [7]


@pytest.mark.parametrize("action", ["resume", "restore", "inject_network_info"])
def test_networks_are_ready_before_the_guest_goes_on(compute, server, action):
    send(compute, "suspend", server)
    compute.network.present.clear()
    send(compute, action, server)
    assert compute.ledger.results[-1].succeeded
    assert compute.network.present == {server.uuid}


def test_power_state_is_left_out_while_the_hypervisor_is_away(compute, server):
    away = HypervisorUnavailable(reason="gone")
    compute.driver.fail_next("pause", away)
    compute.driver.get_power_state = _raiser(away)
    send(compute, "pause", server)
    result = compute.ledger.results[-1]
    assert (result.power_state, result.vm_state) == (None, None)


def _raiser(error):
    def refuse(instance):
        raise error

    return refuse


# --- Passwords


def test_password_is_set_by_the_agent(compute, server):
    send(compute, "changePassword", server, admin_password="secret")
    assert compute.driver.guests[server.uuid].password == "secret"
    assert compute.ledger.results[-1].event == "compute_set_admin_password"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            lambda driver, uuid: setattr(driver.guests[uuid], "has_agent", False),
            "The guest agent of the server does not answer, or refused the password.",
        ),
        (
            lambda driver, uuid: driver.fail_next("set_admin_password", REFUSED),
            "The password could not be set.",
        ),
    ],
)
def test_password_that_is_not_set_is_told(compute, server, spoil, told):
    spoil(compute.driver, server.uuid)
    send(compute, "changePassword", server, admin_password="secret")
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.fault.message, result.vm_state) == (False, told, None)
    assert "secret" not in result.traceback.replace("a secret of the host", "")


@pytest.mark.parametrize(
    ("age_s", "state"), [(0, OperationState.RUNNING), (60, OperationState.FAILED)]
)
def test_lost_password_is_waited_for_a_little(compute, server, age_s, state):
    work = compute.work("changePassword", instance=server)
    started_at = clock.utcnow() - datetime.timedelta(seconds=age_s)
    operation = dataclasses.replace(work.operation, started_at=started_at)
    work = dataclasses.replace(work, operation=operation)
    compute.ledger.works[work.operation.id] = work
    compute.send(work)
    assert compute.state(work) is state


# --- Crash dumps, networks, diagnostics


def test_failed_crash_dump_leaves_the_server_alone(compute, server):
    compute.driver.fail_next("trigger_crash_dump", REFUSED)
    send(compute, "trigger_crash_dump", server)
    result = compute.ledger.results[-1]
    assert result.fault.message == "The crash dump could not be triggered."
    assert (result.vm_state, result.power_state) == (None, None)


def test_failed_network_info_is_told(compute, server):
    compute.driver.fail_next("refresh_network", REFUSED)
    send(compute, "inject_network_info", server)
    result = compute.ledger.results[-1]
    assert result.fault.message == "The network set-up of the server could not be renewed."


@pytest.mark.parametrize("power_state", [PowerState.PAUSED, PowerState.SHUTDOWN])
def test_diagnostics_are_of_running_guests_only(compute, server, power_state):
    assert compute.manager.get_diagnostics(CONTEXT, server).state is PowerState.RUNNING
    compute.driver.guests[server.uuid].power_state = power_state
    with pytest.raises(InstanceInvalidState, match=power_state.name.lower()):
        compute.manager.get_diagnostics(CONTEXT, server)
