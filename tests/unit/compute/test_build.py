import dataclasses
import threading

import pytest

from nova import exception
from nova.objects.lifecycle import PowerState
from nova.objects.operation import OperationState
from tests.fixtures.compute import CONTEXT, LoneCompute, RecordingNetwork
from tests.fixtures.guests import make_network, make_vif


@pytest.fixture
def compute():
    return LoneCompute()


def test_build_sets_up_network_then_guest_and_reports(compute):
    work = compute.build()
    uuid = work.operation.instance_uuid
    assert compute.ledger.steps == ["networking", "spawning"]
    assert compute.network.present == {uuid}
    assert compute.driver.list_guests() == {uuid: PowerState.RUNNING}
    (result,) = compute.ledger.results
    assert (result.succeeded, result.power_state) == (True, PowerState.RUNNING)
    assert result.event == "compute__do_build_and_run_instance"
    assert result.event_started_at is not None


def test_build_takes_five_messages_beside_the_network(compute):
    compute.bus.calls.clear()
    compute.build()
    assert [record.method for record in compute.bus.calls] == [
        "run_operation",
        "start",
        "host_firewall",
        "setup_instance",
        "progress",
        "finish",
    ]


def test_server_without_interfaces_asks_no_network(compute):
    compute.build(vifs=())
    assert compute.network.log == []
    assert compute.ledger.results[0].succeeded


def test_config_drive_is_written_when_asked_for(compute):
    asked = compute.build(config_drive=True).operation.instance_uuid
    plain = compute.build().operation.instance_uuid
    assert "openstack/latest/meta_data.json" in compute.driver.guests[asked].config_drive
    assert compute.driver.guests[plain].config_drive is None


def test_config_drive_may_be_forced():
    compute = LoneCompute(force_config_drive=True)
    uuid = compute.build().operation.instance_uuid
    assert compute.driver.guests[uuid].config_drive is not None


@pytest.mark.parametrize(
    "error",
    [
        exception.DriverError(operation="start the guest", reason="/secret/path: permission"),
        exception.HypervisorUnavailable(reason="socket"),
        exception.HostStorageFull(free_bytes=1, image_id="x", need_bytes=2),
        exception.CommandFailed(command="qemu-img", exit_code=1),
    ],
)
def test_refusal_of_the_hypervisor_is_cleaned_up_and_asks_for_another_host(compute, error):
    compute.driver.fail_next("spawn", error)
    compute.build()
    (result,) = compute.ledger.results
    assert (result.succeeded, result.retry) == (False, True)
    assert result.fault.message == "The hypervisor could not start the server."
    assert type(error).__name__ in result.fault.details
    assert compute.driver.list_files() == set()
    assert compute.network.present == set()


@pytest.mark.parametrize(
    "error",
    [
        exception.ImageNotFound(image_id="cirros"),
        exception.ImageUnacceptable(image_id="cirros", reason="it has a backing file"),
        exception.ImageTooLarge(image_id="cirros", need_bytes=5, allowed_bytes=4),
        exception.ImageCorrupt(image_id="cirros", algorithm="sha512"),
    ],
)
def test_img_faults_are_told_to_the_tenant_and_not_retried(compute, error):
    compute.driver.fail_next("spawn", error)
    work = compute.build()
    (result,) = compute.ledger.results
    assert (result.succeeded, result.retry) == (False, False)
    assert result.fault.message == (
        f"Build of instance {work.operation.instance_uuid} aborted: {error}"
    )
    assert compute.driver.list_files() == set()


def test_password_goes_back_with_a_build_for_another_host_only(compute):
    for error in (
        exception.DriverError(operation="start", reason="no"),
        exception.ImageNotFound(image_id="x"),
    ):
        compute.driver.fail_next("spawn", error)
        work = compute.work()
        detail = dataclasses.replace(work.detail, admin_password="secret")
        compute.send(dataclasses.replace(work, detail=detail))
    assert [result.admin_password for result in compute.ledger.results] == ["secret", None]


def test_unreachable_image_service_asks_for_another_host(compute):
    compute.driver.fail_next("spawn", exception.ImageServiceUnavailable(reason="10.1.2.3"))
    compute.build()
    (result,) = compute.ledger.results
    assert result.retry
    assert "10.1.2.3" not in result.fault.message


def test_failed_network_is_cleaned_up_and_asks_for_another_host(compute):
    compute.network.fail_next("setup_instance")
    compute.build()
    (result,) = compute.ledger.results
    assert result.retry
    assert result.fault.message == "The network of the server could not be set up."
    assert compute.network.present == set()
    assert ("spawn", result.fault.message) not in compute.driver.calls


def test_network_that_no_host_serves_fails_the_build(compute):
    network = make_network(multi_host=False, host=None)
    compute.build(vifs=(make_vif(network=network),))
    assert compute.ledger.results[0].fault.message == (
        "The network of the server could not be set up."
    )


def test_interfaces_are_set_up_on_the_host_that_serves_their_network(compute):
    elsewhere = make_vif(network=make_network(multi_host=False, host="gateway"))
    gateway = RecordingNetwork()
    compute.bus.serve("network", "gateway", [gateway]).start()
    work = compute.build(vifs=(elsewhere,))
    assert gateway.present == {work.operation.instance_uuid}
    assert compute.network.present == set()


@pytest.mark.logs_errors
def test_unexpected_error_is_reported_without_its_text(compute, caplog):
    compute.driver.fail_next("spawn", ZeroDivisionError("internal detail"))
    compute.build()
    (result,) = compute.ledger.results
    assert result.fault.message == "The hypervisor could not start the server."
    assert "internal detail" in result.fault.details
    assert compute.driver.list_files() == set()
    assert "internal detail" in caplog.text


@pytest.mark.logs_errors
def test_failing_clean_up_does_not_hide_the_cause(compute, caplog):
    compute.driver.fail_next("spawn", exception.DriverError(operation="start", reason="no"))
    compute.driver.fail_next("destroy", exception.DriverError(operation="destroy", reason="busy"))
    compute.build()
    (result,) = compute.ledger.results
    assert result.fault.message == "The hypervisor could not start the server."
    assert compute.network.present == set()
    assert "can not be undone" in caplog.text


# --- Deletion in between


def test_delete_during_a_build_stops_it_at_its_next_step(compute):
    create = compute.work()
    delete = compute.work("delete", instance=create.detail.instance)
    compute.driver.during_next(
        "spawn", lambda: compute.manager._operations.cancel_others(delete.operation)
    )
    compute.send(create)
    assert compute.ledger.results == []
    assert compute.driver.list_files() == set()
    assert compute.network.present == set()
    compute.send(delete)
    assert compute.state(delete) is OperationState.DONE


def test_build_that_is_not_wanted_any_more_is_removed_after_it(compute):
    work = compute.work()
    compute.driver.during_next(
        "spawn", lambda: compute.ledger.set_state(work.operation.id, OperationState.FAILED)
    )
    compute.send(work)
    assert compute.ledger.results == []
    assert compute.driver.list_files() == set()
    assert compute.network.present == set()


def test_delete_waits_for_the_build_and_removes_its_guest():
    compute = LoneCompute(threads=4)
    create = compute.work()
    delete = compute.work("delete", instance=create.detail.instance)
    compute.driver.during_next(
        "spawn",
        lambda: compute.manager._pool.spawn(compute.manager.run_operation, CONTEXT, delete),
    )
    compute.send(create)
    compute.bus.run_until_idle()
    assert compute.state(delete) is OperationState.DONE
    assert compute.driver.list_files() == set()
    assert compute.network.present == set()
    compute.bus.close()


def test_number_of_builds_at_once_is_limited():
    compute = LoneCompute(threads=4, max_concurrent_builds=2)
    entered, release = threading.Semaphore(0), threading.Event()

    def wait_inside():
        entered.release()
        release.wait(10)

    for _ in range(3):
        compute.driver.during_next("spawn", wait_inside)
        compute.bus.spawn(compute.manager.run_operation, CONTEXT, compute.work())
    assert entered.acquire(timeout=10)
    assert entered.acquire(timeout=10)
    assert not entered.acquire(timeout=0.05)
    release.set()
    compute.bus.run_until_idle()
    assert len(compute.ledger.results) == 3
    compute.bus.close()
