import pytest

from nova.compute.rpcapi import ComputeAPI
from nova.exception import ConsoleNotAvailable, Unavailable
from nova.objects.lifecycle import PowerState
from nova.objects.operation import OperationState
from tests.fixtures.compute import CONTEXT, HOST, LoneCompute


@pytest.fixture
def compute(frozen_clock):
    return LoneCompute(power_state_interval_s=600)


def test_report_tells_resources_with_reserves(compute):
    compute.manager.report()
    (report,) = compute.reports.received
    assert (report.host, report.node.hypervisor_hostname) == (HOST, HOST)
    assert report.node.reserved_memory_mb == 512


def test_power_states_go_with_the_first_report_and_then_at_their_interval(compute, frozen_clock):
    uuid = compute.build().operation.instance_uuid
    compute.manager.report()
    frozen_clock.advance(599)
    compute.manager.report()
    frozen_clock.advance(1)
    compute.manager.report()
    states = [report.power_states for report in compute.reports.received]
    assert states == [{uuid: PowerState.RUNNING}, None, {uuid: PowerState.RUNNING}]


def test_power_states_that_did_not_arrive_go_with_the_next_report(compute):
    uuid = compute.build().operation.instance_uuid
    compute.bus.drop_next("report", 10)
    with pytest.raises(Unavailable):
        compute.manager.report()
    compute.bus.forget_faults()
    compute.manager.report()
    assert [report.power_states for report in compute.reports.received] == [
        {uuid: PowerState.RUNNING}
    ]


def test_power_states_are_sent_again_when_an_operation_ended_while_they_were_on_the_way(compute):
    server = compute.build().detail.instance
    pause = compute.work("pause", instance=server)
    compute.bus.before_next("report", lambda: compute.send(pause))
    compute.manager.report()
    compute.bus.run_until_idle()
    states = [report.power_states for report in compute.reports.received]
    assert states == [{server.uuid: PowerState.RUNNING}, {server.uuid: PowerState.PAUSED}]


def test_power_states_are_sent_once_when_an_operation_changed_none_of_them(compute):
    server = compute.build().detail.instance
    reboot = compute.work("hard_reboot", instance=server)
    compute.bus.before_next("report", lambda: compute.send(reboot))
    compute.manager.report()
    compute.bus.run_until_idle()
    assert len(compute.reports.received) == 1


def test_event_of_a_guest_is_reported_at_once_and_several_together(compute):
    uuids = [compute.build().operation.instance_uuid for _ in range(2)]
    compute.manager.report()
    compute.reports.received.clear()
    for uuid in uuids:
        compute.driver.emit(uuid, PowerState.SHUTDOWN)
    compute.bus.run_until_idle()
    (report,) = compute.reports.received
    assert report.power_states == dict.fromkeys(uuids, PowerState.SHUTDOWN)


def test_event_that_an_operation_causes_is_left_to_its_result(compute):
    compute.manager.report()
    compute.reports.received.clear()
    work = compute.work()
    uuid = work.operation.instance_uuid
    compute.driver.during_next("spawn", lambda: compute.driver.emit(uuid, PowerState.RUNNING))
    compute.send(work)
    assert compute.reports.received == []


def test_answer_with_pending_operations_makes_the_host_pull(compute):
    compute.bus.drop_next("run_operation")
    work = compute.build()
    compute.reports.pending = 1
    compute.manager.report()
    compute.bus.run_until_idle()
    assert compute.state(work) is OperationState.DONE


def test_console_output_comes_over_the_bus(compute):
    server = compute.build().detail.instance
    client = compute.bus.client(ComputeAPI).on(HOST)
    assert client.get_console_output(CONTEXT, server, 1).endswith("boots with 128 MB\n")
    compute.driver.destroy(server)
    with pytest.raises(ConsoleNotAvailable):
        client.get_console_output(CONTEXT, server)
