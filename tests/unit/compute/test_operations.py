import pytest

from nova import exception
from nova.compute.rpcapi import ComputeAPI
from nova.exception import DriverError
from nova.objects.lifecycle import PowerState, VmState
from nova.objects.operation import OperationState
from tests.fixtures.compute import CONTEXT, HOST, LoneCompute

REFUSED = DriverError(operation="start", reason="no")


@pytest.fixture
def compute():
    return LoneCompute()


@pytest.fixture
def server(compute):
    """Return a server that runs."""
    return compute.build().detail.instance


def power_state(compute, server):
    return compute.driver.get_power_state(server)


# --- Power actions


def test_stop_and_start(compute, server):
    compute.send(compute.work("stop", instance=server))
    assert power_state(compute, server) is PowerState.SHUTDOWN
    compute.send(compute.work("start", instance=server))
    assert power_state(compute, server) is PowerState.RUNNING
    stopped, started = compute.ledger.results[1:]
    assert (stopped.event, stopped.power_state) == ("compute_stop_instance", PowerState.SHUTDOWN)
    assert (started.event, started.power_state) == ("compute_start_instance", PowerState.RUNNING)
    assert compute.ledger.steps[2:] == ["powering-off", "powering-on"]


@pytest.mark.parametrize(
    ("own", "expected"),
    [(None, 60), ("5", 5), ("0", 0), ("soon", 60), ("9999", 480), ("9" * 5000, 480)],
)
def test_guest_gets_the_time_that_its_image_names(own, expected):
    slept = []
    compute = LoneCompute()
    compute.driver._sleep = slept.append
    properties = {} if own is None else {"os_shutdown_timeout": own}
    server = compute.build(image_properties=properties).detail.instance
    compute.driver.guests[server.uuid].obeys_acpi = False
    compute.send(compute.work("stop", instance=server))
    assert slept == [expected]
    assert power_state(compute, server) is PowerState.SHUTDOWN


@pytest.mark.parametrize(
    ("action", "steps", "calls"),
    [
        ("soft_reboot", ["reboot_pending", "reboot_started"], ["reboot_soft"]),
        ("hard_reboot", ["reboot_pending_hard", "reboot_started_hard"], ["reboot_hard"]),
    ],
)
def test_reboot(compute, server, action, steps, calls):
    compute.driver.calls.clear()
    compute.send(compute.work(action, instance=server))
    assert compute.ledger.steps[2:] == steps
    assert [name for name, _ in compute.driver.calls] == calls
    assert compute.ledger.results[-1].succeeded


def test_soft_reboot_turns_hard_when_the_guest_does_not_obey(compute, server):
    compute.driver.guests[server.uuid].obeys_acpi = False
    compute.driver.calls.clear()
    compute.send(compute.work("soft_reboot", instance=server))
    assert [name for name, _ in compute.driver.calls] == ["reboot_soft", "reboot_hard"]


def test_soft_reboot_of_a_guest_that_is_off_is_hard_at_once(compute, server):
    compute.driver.power_off(server, 0, 1)
    compute.driver.calls.clear()
    compute.send(compute.work("soft_reboot", instance=server))
    assert [name for name, _ in compute.driver.calls] == ["reboot_hard"]
    assert power_state(compute, server) is PowerState.RUNNING


@pytest.mark.parametrize(
    ("action", "operation", "message"),
    [
        ("start", "power_on", "The server could not be started."),
        ("stop", "power_off", "The server could not be stopped."),
        ("hard_reboot", "reboot_hard", "The server could not be rebooted."),
    ],
)
def test_failed_power_action_is_told_without_the_hypervisors_words(
    compute, server, action, operation, message
):
    compute.driver.fail_next(operation, REFUSED)
    compute.send(compute.work(action, instance=server))
    result = compute.ledger.results[-1]
    assert (result.succeeded, result.fault.message) == (False, message)
    assert (result.power_state, result.vm_state) == (PowerState.RUNNING, None)
    assert "DriverError" in result.traceback


def test_failed_reboot_that_left_the_guest_off_is_an_error(compute, server):
    compute.driver.power_off(server, 0, 1)
    compute.driver.fail_next("reboot_hard", REFUSED)
    compute.send(compute.work("hard_reboot", instance=server))
    assert compute.ledger.results[-1].vm_state is VmState.ERROR


# --- Deletion


def test_terminate_removes_guest_and_network(compute, server):
    work = compute.work("delete", instance=server)
    compute.send(work)
    assert compute.driver.list_files() == set()
    assert compute.network.present == set()
    assert compute.state(work) is OperationState.DONE


def test_terminate_without_guest_is_fine(compute):
    work = compute.work("delete")
    compute.send(work)
    assert compute.state(work) is OperationState.DONE


@pytest.mark.parametrize("broken", ["hypervisor", "network"])
def test_terminate_is_repeated_until_it_succeeds(compute, server, broken):
    work = compute.work("delete", instance=server)
    if broken == "hypervisor":
        compute.driver.fail_next("destroy", REFUSED)
    else:
        compute.network.fail_next("teardown_instance")
    compute.send(work)
    assert compute.state(work) is OperationState.RUNNING
    compute.manager.pull_operations(CONTEXT)
    compute.bus.run_until_idle()
    assert compute.state(work) is OperationState.DONE
    assert compute.driver.list_files() == set()
    assert compute.network.present == set()


# --- Lost, doubled and late messages

ACTIONS = ["create", "delete", "start", "stop", "soft_reboot", "hard_reboot"]


def work_for(compute, action):
    if action == "create":
        return compute.work()
    return compute.work(action, instance=compute.build().detail.instance)


@pytest.mark.parametrize("action", ACTIONS)
def test_doubled_message_is_carried_out_once(compute, action):
    work = work_for(compute, action)
    compute.bus.double_next("run_operation")
    compute.send(work)
    ended = [r for r in compute.ledger.results if r.operation_id == work.operation.id]
    assert [result.succeeded for result in ended] == [True]


@pytest.mark.parametrize("action", ACTIONS)
def test_message_that_comes_while_the_operation_runs_is_dropped(compute, action):
    work = work_for(compute, action)
    compute.driver.calls.clear()
    again = compute.bus.client(ComputeAPI).on(HOST).run_operation
    driver_calls = {
        "create": "spawn",
        "delete": "destroy",
        "start": "power_on",
        "stop": "power_off",
        "soft_reboot": "reboot_soft",
        "hard_reboot": "reboot_hard",
    }
    compute.driver.during_next(
        driver_calls[action], lambda: compute.manager.run_operation(CONTEXT, work)
    )
    again(CONTEXT, work)
    compute.bus.run_until_idle()
    assert [name for name, _ in compute.driver.calls] == [driver_calls[action]]
    assert compute.state(work) is OperationState.DONE


@pytest.mark.parametrize("action", ACTIONS)
def test_lost_message_is_made_good_by_the_next_pull(compute, action):
    work = work_for(compute, action)
    compute.bus.drop_next("run_operation")
    compute.send(work)
    assert compute.state(work) is OperationState.PENDING
    compute.manager.pull_operations(CONTEXT)
    compute.bus.run_until_idle()
    assert compute.state(work) is OperationState.DONE


@pytest.mark.parametrize("action", ACTIONS)
def test_late_message_of_a_finished_operation_changes_nothing(compute, action):
    work = work_for(compute, action)
    compute.send(work)
    compute.driver.calls.clear()
    compute.send(work)
    assert list(compute.driver.calls) == []


@pytest.mark.parametrize("lost", ["drop_next", "drop_answer_next"])
@pytest.mark.parametrize("message", ["start", "finish", "progress", "setup_instance"])
def test_lost_call_of_a_build_is_made_good(compute, lost, message):
    work = compute.work()
    getattr(compute.bus, lost)(message, 4)
    compute.send(work)
    compute.bus.forget_faults()
    for _ in range(2):
        compute.manager.pull_operations(CONTEXT)
        compute.bus.run_until_idle()
    assert compute.state(work) in (OperationState.DONE, OperationState.FAILED)
    built = compute.state(work) is OperationState.DONE
    assert (compute.driver.list_files() != set()) is built
    assert (compute.network.present != set()) is built


def test_result_that_could_not_be_delivered_is_sent_again_without_working_again(compute):
    work = compute.work()
    compute.bus.drop_next("finish", 10)
    compute.send(work)
    assert compute.state(work) is OperationState.RUNNING
    compute.driver.calls.clear()
    compute.bus.forget_faults()
    compute.send(work)
    compute.manager.pull_operations(CONTEXT)
    compute.bus.run_until_idle()
    assert compute.state(work) is OperationState.DONE
    assert list(compute.driver.calls) == []


def test_guest_whose_undelivered_result_is_not_wanted_any_more_is_removed(compute):
    work = compute.work()
    compute.bus.drop_next("finish", 10)
    compute.send(work)
    compute.bus.forget_faults()
    compute.ledger.set_state(work.operation.id, OperationState.FAILED)
    compute.ledger.gone = {work.operation.instance_uuid}
    compute.manager.pull_operations(CONTEXT)
    compute.bus.run_until_idle()
    assert compute.driver.list_files() == set()


def test_result_survives_a_conductor_without_its_database(compute):
    work = compute.work()
    finish = compute.ledger.finish

    def broken(context, result):
        raise exception.RemoteError(topic="conductor", method="finish", type="OperationalError")

    compute.ledger.finish = broken
    compute.send(work)
    assert compute.state(work) is OperationState.RUNNING
    compute.ledger.finish = finish
    compute.driver.calls.clear()
    compute.manager.pull_operations(CONTEXT)
    compute.bus.run_until_idle()
    assert compute.state(work) is OperationState.DONE
    assert list(compute.driver.calls) == []


def test_operation_of_another_host_is_left_alone(compute):
    work = compute.work()
    operation = compute.ledger.works[work.operation.id].operation
    compute.ledger.works[work.operation.id] = type(work)(
        operation=type(operation)(
            id=operation.id,
            instance_uuid=operation.instance_uuid,
            action="create",
            request_id="req-1",
            owner_host="elsewhere",
        ),
        detail=work.detail,
    )
    compute.send(work)
    assert compute.driver.list_files() == set()
