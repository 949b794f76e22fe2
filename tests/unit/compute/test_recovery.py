import threading

import pytest

from nova.exception import DriverError
from nova.objects.lifecycle import PowerState, TaskState, VmState
from nova.objects.operation import OperationState
from tests.fixtures.compute import CONTEXT, LoneCompute
from tests.fixtures.guests import make_vif


class ProcessDied(BaseException):
    """Nothing of the process runs after this."""


@pytest.fixture
def compute():
    return LoneCompute()


def die_in(compute, operation, work):
    """Let the process end in the middle of a driver operation."""
    compute.driver.fail_next(operation, ProcessDied())
    with pytest.raises(ProcessDied):
        compute.send(work)


def test_interrupted_build_is_undone_and_goes_to_another_host(compute):
    work = compute.work()
    die_in(compute, "spawn", work)
    assert compute.driver.list_files() == {work.operation.instance_uuid}
    compute.start()
    compute.bus.run_until_idle()
    (result,) = compute.ledger.results
    assert (result.succeeded, result.retry) == (False, True)
    assert result.event == "compute_recover_create"
    assert result.fault.message == ("The compute service was restarted while it built the server.")
    assert compute.driver.list_files() == set()
    assert compute.network.present == set()


def test_build_that_was_never_begun_is_simply_done(compute):
    compute.bus.drop_next("run_operation")
    work = compute.build()
    compute.start()
    compute.bus.run_until_idle()
    assert compute.ledger.results[0].succeeded
    assert compute.driver.list_guests() == {work.operation.instance_uuid: PowerState.RUNNING}


def test_build_whose_password_for_the_config_drive_is_lost_is_handed_back(compute):
    compute.bus.drop_next("run_operation")
    compute.build(config_drive=True)
    compute.manager.pull_operations(CONTEXT)
    compute.bus.run_until_idle()
    (result,) = compute.ledger.results
    assert (result.succeeded, result.retry, result.admin_password) == (False, True, None)
    assert "password" in result.fault.message
    assert compute.driver.list_files() == set()


@pytest.mark.parametrize(
    ("action", "operation", "after"),
    [
        ("delete", "destroy", PowerState.NOSTATE),
        ("stop", "power_off", PowerState.SHUTDOWN),
        ("start", "power_on", PowerState.RUNNING),
        ("soft_reboot", "reboot_soft", PowerState.RUNNING),
        ("hard_reboot", "reboot_hard", PowerState.RUNNING),
    ],
)
def test_other_interrupted_operations_are_repeated(compute, action, operation, after):
    server = compute.build().detail.instance
    work = compute.work(action, instance=server)
    die_in(compute, operation, work)
    compute.start()
    compute.bus.run_until_idle()
    assert compute.state(work) is OperationState.DONE
    assert compute.driver.get_power_state(server) is after


def test_recovery_waits_for_a_conductor_that_is_away(compute):
    work = compute.work()
    die_in(compute, "spawn", work)
    compute.bus.drop_next("unfinished", 10)
    compute.start()
    assert compute.ledger.results == []
    compute.bus.forget_faults()
    compute.manager.pull_operations(CONTEXT)
    compute.bus.run_until_idle()
    assert compute.ledger.results[0].event == "compute_recover_create"


# --- Guests of deleted servers


def test_guests_and_files_of_deleted_servers_are_removed_at_start(compute):
    kept, gone = compute.build(), compute.build()
    compute.ledger.gone = {gone.operation.instance_uuid}
    compute.start()
    assert compute.driver.list_files() == {kept.operation.instance_uuid}


@pytest.mark.parametrize(("action", "left"), [("noop", 1), ("log", 1), ("reap", 0)])
def test_option_says_what_happens_to_guests_of_deleted_servers(action, left, caplog):
    compute = LoneCompute(running_deleted_action=action)
    uuid = compute.build().operation.instance_uuid
    compute.ledger.gone = {uuid}
    compute.manager.reap_deleted()
    assert len(compute.driver.list_files()) == left
    assert (uuid in caplog.text) is (action != "noop")


def test_guest_with_an_operation_in_progress_is_not_removed(compute):
    work = compute.work()
    compute.ledger.gone = {work.operation.instance_uuid}
    compute.driver.during_next("spawn", compute.manager.reap_deleted)
    compute.send(work)
    assert compute.driver.list_guests() == {work.operation.instance_uuid: PowerState.RUNNING}


@pytest.mark.logs_errors
def test_guest_that_a_failed_build_left_is_removed_with_the_next_pull(compute):
    error = DriverError(operation="start", reason="no")
    compute.driver.fail_next("spawn", error)
    compute.driver.fail_next("destroy", error)
    uuid = compute.build().operation.instance_uuid
    assert compute.driver.list_files() == {uuid}
    compute.ledger.gone = {uuid}
    compute.manager.pull_operations(CONTEXT)
    assert compute.driver.list_files() == set()


# --- After a restart of the host


def server_that_ran(compute, **changes):
    server = compute.build(vm_state=VmState.ACTIVE, **changes).detail.instance
    compute.driver.power_off(server, 0, 1)
    compute.ledger.placed = (*compute.ledger.placed, server)
    return server


def test_guests_that_ran_are_started_again_when_wanted():
    compute = LoneCompute(resume_guests=True)
    ran = server_that_ran(compute, power_state=PowerState.RUNNING)
    was_off = server_that_ran(compute, power_state=PowerState.SHUTDOWN)
    compute.start()
    assert compute.driver.list_guests() == {
        ran.uuid: PowerState.RUNNING,
        was_off.uuid: PowerState.SHUTDOWN,
    }


def test_guests_are_no_stopped_servers_while_the_conductor_keeps_recovery_waiting():
    compute = LoneCompute(resume_guests=True)
    server = server_that_ran(compute, power_state=PowerState.RUNNING)
    compute.bus.drop_next("unfinished", 10)
    compute.start()
    compute.bus.forget_faults()
    compute.manager.report()
    assert compute.reports.received[-1].power_states is None
    compute.bus.run_until_idle()
    compute.manager.report()
    assert compute.reports.received[-1].power_states == {server.uuid: PowerState.RUNNING}


def test_guest_is_started_again_only_when_its_network_is_there():
    compute = LoneCompute(resume_guests=True)
    server_that_ran(compute, power_state=PowerState.RUNNING, vifs=(make_vif(),))
    compute.bus.drop_next("setup_instance", 10)
    compute.start()
    compute.bus.forget_faults()
    assert set(compute.driver.list_guests().values()) == {PowerState.SHUTDOWN}
    compute.manager.pull_operations(CONTEXT)
    assert set(compute.driver.list_guests().values()) == {PowerState.RUNNING}
    assert compute.network.log[-1][0] == "setup"


def test_server_with_an_operation_under_way_does_not_hold_up_the_start():
    compute = LoneCompute(resume_guests=True)
    ran = server_that_ran(compute, power_state=PowerState.RUNNING)
    busy = server_that_ran(
        compute, power_state=PowerState.RUNNING, task_state=TaskState.RESIZE_PREP
    )
    recovery, operations = compute.manager._recovery, compute.manager._operations
    with operations.exclusively(busy.uuid):
        start = threading.Thread(target=recovery.resume_guests, args=(CONTEXT,))
        start.start()
        start.join(10)
        assert not start.is_alive()
    assert compute.driver.list_guests() == {
        ran.uuid: PowerState.RUNNING,
        busy.uuid: PowerState.SHUTDOWN,
    }


def test_guests_stay_off_by_default(compute):
    server_that_ran(compute, power_state=PowerState.RUNNING)
    compute.start()
    assert set(compute.driver.list_guests().values()) == {PowerState.SHUTDOWN}


@pytest.mark.logs_errors
def test_guest_that_can_not_be_started_does_not_stop_the_others(caplog):
    compute = LoneCompute(resume_guests=True)
    for _ in range(2):
        server_that_ran(compute, power_state=PowerState.RUNNING)
    compute.driver.fail_next("reboot_hard", DriverError(operation="start", reason="no"))
    compute.start()
    states = sorted(compute.driver.list_guests().values())
    assert states == [PowerState.RUNNING, PowerState.SHUTDOWN]
    assert "can not be started" in caplog.text
