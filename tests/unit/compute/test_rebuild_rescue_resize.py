"""Plans of rebuild, rescue and resize on a host of their own: steps and what drivers are told."""

import dataclasses

import pytest

from nova.exception import DriverError
from nova.objects.action_request import (
    ActionRequest,
    ImageChoice,
    RebuildRequest,
    RescueRequest,
)
from nova.objects.flavor import Flavor
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState, VmState
from nova.objects.migration import Migration, MigrationStatus, MigrationType
from nova.objects.operation import OperationState
from tests.fixtures.compute import LoneCompute

IMAGE = ImageChoice(image_ref="22222222-2222-4333-8444-555555555555")
BIG = Flavor(id=9, flavorid="9", name="big", memory_mb=1024, vcpus=2, root_gb=9)


@pytest.fixture
def compute(frozen_clock):
    return LoneCompute()


def prepared(compute, action, *, power_on=True, request=None, migration=False, **instance):
    """Return work on a server that was built before."""
    built = compute.build(vm_state=VmState.ACTIVE).detail.instance
    compute.ledger.steps.clear()
    compute.ledger.results.clear()
    if not power_on:
        compute.driver.power_off(built, 0, 1)
    server = dataclasses.replace(
        built, vm_state=VmState.ACTIVE if power_on else VmState.STOPPED, **instance
    )
    work = compute.work(action, instance=server)
    record = None
    if migration:
        record = Migration(
            id=1,
            uuid="m",
            instance_uuid=server.uuid,
            migration_type=MigrationType.RESIZE,
            status=MigrationStatus.PRE_MIGRATING,
            old_vm_state=server.vm_state,
            old_flavor=built.flavor,
            new_flavor=BIG,
        )
    work = dataclasses.replace(
        work,
        operation=dataclasses.replace(work.operation, request=request),
        detail=InstanceDetail(instance=server, migration=record, admin_password="secret"),
    )
    compute.ledger.works[work.operation.id] = work
    return work


REBUILD = ActionRequest(rebuild=RebuildRequest(image=IMAGE))
RESCUE = ActionRequest(rescue=RescueRequest(image=IMAGE))


@pytest.mark.parametrize(
    ("action", "request_", "steps"),
    [
        ("rebuild", REBUILD,
         ["rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"]),
        ("resize", None, ["resize_migrating", "resize_migrated", "resize_finish"]),
        ("confirmResize", None, ["resize_confirming"]),
        ("revertResize", None, ["resize_reverting"]),
        ("rescue", RESCUE, ["rescuing"]),
        ("unrescue", None, ["unrescuing"]),
    ],
)  # fmt: skip
def test_each_action_reports_its_steps(compute, action, request_, steps):
    work = prepared(compute, action, request=request_, migration="esize" in action)
    compute.send(work)
    assert compute.ledger.steps == steps
    (result,) = compute.ledger.results
    assert (result.succeeded, result.power_state) == (True, PowerState.RUNNING)


@pytest.mark.parametrize(
    ("action", "power_on", "vm_state"),
    [
        ("rebuild", True, None),
        ("rebuild", False, VmState.STOPPED),
        ("resize", False, None),
        ("confirmResize", True, VmState.ACTIVE),
        ("confirmResize", False, VmState.STOPPED),
        ("revertResize", True, VmState.ACTIVE),
        ("revertResize", False, VmState.STOPPED),
    ],
)
def test_a_server_that_was_off_stays_off(compute, action, power_on, vm_state):
    request = REBUILD if action == "rebuild" else None
    work = prepared(
        compute, action, power_on=power_on, request=request, migration=action != "rebuild"
    )
    compute.send(work)
    (result,) = compute.ledger.results
    assert result.vm_state is vm_state
    state = PowerState.RUNNING if power_on else PowerState.SHUTDOWN
    assert result.power_state is state


def test_a_resize_is_repeated_from_the_middle(compute):
    work = prepared(compute, "resize", migration=True)
    compute.driver.migrate_disk_and_power_off(work.detail.instance, BIG, 0, 1)
    compute.send(work)
    guest = compute.driver.guests[work.detail.instance.uuid]
    assert (guest.memory_mb, guest.power_state) == (1024, PowerState.RUNNING)
    assert guest.aside_gb == work.detail.instance.flavor.disk_gb


@pytest.mark.parametrize("action", ["resize", "confirmResize", "revertResize", "rescue"])
def test_work_without_what_it_needs_to_know_fails(compute, action):
    work = prepared(compute, action)
    compute.send(work)
    assert compute.state(work) is OperationState.FAILED


def test_a_refused_resize_leaves_the_guest_alone(compute):
    work = prepared(compute, "resize", migration=True)
    record = dataclasses.replace(
        work.detail.migration, new_flavor=dataclasses.replace(BIG, root_gb=1)
    )
    server = dataclasses.replace(
        work.detail.instance, flavor=dataclasses.replace(BIG, id=8, root_gb=5)
    )
    record = dataclasses.replace(record, old_flavor=server.flavor)
    work = dataclasses.replace(work, detail=InstanceDetail(instance=server, migration=record))
    compute.ledger.works[work.operation.id] = work
    compute.send(work)
    (result,) = compute.ledger.results
    assert "can not shrink" in result.fault.message
    assert (result.vm_state, result.power_state) == (None, PowerState.RUNNING)
    assert ("finish_revert_migration", server.uuid) not in compute.driver.calls


def test_a_failed_rescue_of_a_stopped_server_does_not_start_it(compute):
    work = prepared(compute, "rescue", power_on=False, request=RESCUE)
    compute.driver.fail_next("rescue", DriverError(operation="start", reason="no"))
    compute.send(work)
    (result,) = compute.ledger.results
    assert (result.succeeded, result.power_state) == (False, PowerState.SHUTDOWN)


def test_the_os_shutdown_timeout_of_the_image_counts_for_resizes(compute):
    asked = []
    original = compute.driver.migrate_disk_and_power_off

    def note(instance, flavor, timeout_s, retry_interval_s):
        asked.append((timeout_s, retry_interval_s))
        original(instance, flavor, timeout_s, retry_interval_s)

    compute.driver.migrate_disk_and_power_off = note
    properties = {"os_shutdown_timeout": "7"}
    compute.send(prepared(compute, "resize", migration=True, image_properties=properties))
    assert asked == [(7, 10)]
