"""Resizes as the conductor keeps them: records, columns, statements."""

import pytest

from nova import clock
from nova.context import get_admin_context
from nova.db import server_migrations
from nova.db.tables import flavors, instances
from nova.exception import InvalidInput, NoMigrationToEnd, NoRoomForServer
from nova.objects.action_request import ActionRequest, ResizeRequest
from nova.objects.lifecycle import TaskState
from nova.objects.migration import MigrationStatus
from nova.objects.unset import UNSET
from tests.fixtures.conductor import (
    ANYBODY,
    make_site,
    progress_of,
    result_of,
    seed_flavor,
    user_context,
)

BIG = {"flavorid": "big", "name": "big", "memory_mb": 1024, "vcpus": 2, "root_gb": 3}


@pytest.fixture
def site(frozen_clock):
    return make_site()


@pytest.fixture
def conductor(site):
    seed_flavor(site.conductor, **BIG)
    return site.conductor


def begin(conductor, uuid, action="resize", flavorid="big", **more):
    request = None
    if action == "resize":
        request = ActionRequest(resize=ResizeRequest(flavorid=flavorid, **more))
    instance = conductor.instances.begin_action(
        user_context(), ANYBODY, uuid, action, request=request
    )
    conductor.bus.run_until_idle()
    return instance


def migration_of(conductor, uuid):
    with conductor.db.reading() as tx:
        return server_migrations.find_unfinished(tx, uuid)


def test_progress_moves_the_record_on(site, conductor):
    server = conductor.boot(site.compute)
    begin(conductor, server.uuid)
    work, seen = site.compute.works[-1], []
    assert work.detail.migration.status is MigrationStatus.PRE_MIGRATING
    conductor.operations.start(get_admin_context(), progress_of(work, TaskState.RESIZE_MIGRATING))
    seen.append(migration_of(conductor, server.uuid).status)
    for task_state in (TaskState.RESIZE_MIGRATED, TaskState.RESIZE_FINISH):
        conductor.operations.progress(get_admin_context(), progress_of(work, task_state))
        conductor.bus.run_until_idle()
        seen.append(migration_of(conductor, server.uuid).status)
    assert seen == [
        MigrationStatus.MIGRATING,
        MigrationStatus.POST_MIGRATING,
        MigrationStatus.POST_MIGRATING,
    ]


@pytest.mark.parametrize(
    ("ahead", "overtaken"),
    [
        (TaskState.RESIZE_FINISH, TaskState.RESIZE_MIGRATED),
        (TaskState.RESIZE_MIGRATED, TaskState.RESIZE_MIGRATING),
    ],
)
def test_overtaken_report_takes_neither_server_nor_record_back(site, conductor, ahead, overtaken):
    server = conductor.boot(site.compute)
    begin(conductor, server.uuid)
    work = site.compute.works[-1]
    conductor.operations.start(get_admin_context(), progress_of(work, TaskState.RESIZE_MIGRATING))
    for task_state in (ahead, overtaken):
        conductor.operations.progress(get_admin_context(), progress_of(work, task_state))
        conductor.bus.run_until_idle()
    assert conductor.get(server.uuid).task_state is ahead
    assert migration_of(conductor, server.uuid).status is MigrationStatus.POST_MIGRATING


def test_late_progress_does_not_move_a_finished_record(site, conductor):
    server = conductor.boot(site.compute)
    begin(conductor, server.uuid)
    work = site.compute.works[-1]
    conductor.operations.start(get_admin_context(), progress_of(work, TaskState.RESIZE_MIGRATING))
    conductor.operations.finish(get_admin_context(), result_of(work, event="compute_resize"))
    late = progress_of(work, TaskState.RESIZE_MIGRATED)
    conductor.operations.progress(get_admin_context(), late)
    conductor.bus.run_until_idle()
    assert migration_of(conductor, server.uuid).status is MigrationStatus.FINISHED
    assert conductor.get(server.uuid).task_state is None


def test_the_operation_carries_the_record_also_when_it_is_pulled(site, conductor):
    server = conductor.boot(site.compute)
    begin(conductor, server.uuid)
    (work,) = conductor.operations.unfinished(get_admin_context(), server.host)
    assert work.detail.migration == site.compute.works[-1].detail.migration
    assert work.detail.migration.new_flavor.name == "big"
    assert work.operation.request.resize.flavorid == "big"


@pytest.mark.parametrize(("given", "stored"), [(UNSET, True), (False, False)])
def test_the_disk_configuration_may_change_with_the_flavor(site, conductor, given, stored):
    server = conductor.boot(site.compute)
    assert begin(conductor, server.uuid, auto_disk_config=given).auto_disk_config is stored


def test_a_disabled_flavor_is_like_an_unknown_one(site, conductor):
    server = conductor.boot(site.compute)
    with conductor.db.transaction() as tx:
        tx.execute(flavors.update().where(flavors.c.flavorid == "big").values(disabled=True))
    with pytest.raises(InvalidInput):
        begin(conductor, server.uuid)


def test_the_columns_that_are_searched_follow_the_flavor(site, conductor):
    server = conductor.boot(site.compute)
    begin(conductor, server.uuid)
    work = site.compute.works[-1]
    conductor.operations.start(get_admin_context(), progress_of(work, TaskState.RESIZE_MIGRATING))
    conductor.operations.finish(get_admin_context(), result_of(work, event="compute_resize"))
    with conductor.db.reading() as tx:
        row = tx.execute(instances.select().where(instances.c.uuid == server.uuid)).mappings().one()
    assert (row["flavorid"], row["vcpus"], row["memory_mb"], row["root_gb"]) == ("big", 2, 1024, 3)


def test_no_room_leaves_nothing_behind(site, conductor):
    seed_flavor(conductor, **(BIG | {"flavorid": "vast", "name": "vast", "memory_mb": 50000}))
    server = conductor.boot(site.compute)
    with pytest.raises(NoRoomForServer):
        begin(conductor, server.uuid, flavorid="vast")
    assert migration_of(conductor, server.uuid) is None
    assert conductor.get(server.uuid).task_state is None


def test_a_resize_takes_a_fixed_number_of_statements(site, conductor):
    server = conductor.boot(site.compute)
    conductor.counter.take()
    begin(conductor, server.uuid)
    assert len(conductor.counter.take()) <= 24


def test_what_was_never_resized_can_not_be_confirmed(site, conductor):
    server = conductor.boot(site.compute)
    begin(conductor, server.uuid)
    work = site.compute.works[-1]
    conductor.operations.start(get_admin_context(), progress_of(work, TaskState.RESIZE_MIGRATING))
    conductor.operations.finish(get_admin_context(), result_of(work, event="compute_resize"))
    with conductor.db.transaction() as tx:
        unfinished = server_migrations.UNFINISHED
        server_migrations.set_status(
            tx, server.uuid, unfinished, MigrationStatus.ERROR, clock.utcnow()
        )
    with pytest.raises(NoMigrationToEnd):
        begin(conductor, server.uuid, "confirmResize")
