"""Locks, state resets and soft deletions, as the conductor stores them."""

import pytest

from nova.conductor.rpcapi.metadata import ConductorMetadata
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.exception import InstanceNotFound, Invalid, PolicyNotAuthorized
from nova.objects.instance import Scope
from nova.objects.lifecycle import TaskState, VmState
from nova.objects.operation import ActionQuery
from tests.fixtures.conductor import (
    ANYBODY,
    PROJECT,
    make_site,
    progress_of,
    result_of,
    user_context,
)

ADMIN = get_admin_context()
OWNER = user_context()
OTHERS = Scope(project_id="other")


@pytest.fixture
def site():
    return make_site(settings=ConductorSettings(reclaim_instance_interval_s=600))


@pytest.fixture
def server(site):
    return site.conductor.boot(site.compute)


def used(site):
    found = site.conductor.bus.client(ConductorQuotas).anyone().get(ADMIN, PROJECT)
    return found.in_use("instances")


def end(site, **changes):
    work = site.compute.works[-1]
    site.conductor.operations.start(ADMIN, progress_of(work, None))
    site.conductor.operations.finish(ADMIN, result_of(work, **changes))


def begin(site, server, action, context=OWNER):
    begun = site.conductor.instances.begin_action(context, ANYBODY, server.uuid, action)
    site.conductor.bus.run_until_idle()
    return begun


def records(site, server):
    found = site.conductor.instances.page_actions(ADMIN, ANYBODY, server.uuid, ActionQuery())
    return [(record.action, record.user_id) for record in found]


def test_lock_and_unlock_are_stored_with_their_records(site, server):
    instances = site.conductor.instances
    site.conductor.counter.take()
    instances.lock(OWNER, ANYBODY, server.uuid, "mine")
    assert len(site.conductor.counter.take()) <= 6
    locked = site.conductor.get(server.uuid)
    assert (locked.locked_by, locked.locked_reason) == ("owner", "mine")
    instances.unlock(OWNER, ANYBODY, server.uuid)
    unlocked = site.conductor.get(server.uuid)
    assert (unlocked.locked_by, unlocked.locked_reason) == (None, None)
    user = OWNER.user_id
    assert records(site, server)[:2] == [("unlock", user), ("lock", user)]
    assert site.conductor.operations.unfinished(ADMIN, server.host) == ()


def test_lock_of_somebody_else_needs_the_override(site, server):
    instances = site.conductor.instances
    instances.lock(ADMIN, ANYBODY, server.uuid)
    with pytest.raises(PolicyNotAuthorized):
        instances.unlock(OWNER, ANYBODY, server.uuid)
    assert site.conductor.get(server.uuid).locked_by == "admin"
    assert [name for name, _user in records(site, server)] == ["lock", "create"]
    instances.unlock(OWNER, ANYBODY, server.uuid, override=True)
    assert site.conductor.get(server.uuid).locked_by is None


@pytest.mark.parametrize(
    "change",
    [
        lambda instances, uuid: instances.lock(OWNER, OTHERS, uuid),
        lambda instances, uuid: instances.unlock(OWNER, OTHERS, uuid),
        lambda instances, uuid: instances.reset_state(OWNER, OTHERS, uuid, VmState.ERROR),
        lambda instances, uuid: instances.get_password(OWNER, OTHERS, uuid),
        lambda instances, uuid: instances.clear_password(OWNER, OTHERS, uuid),
    ],
)
def test_az_02_servers_outside_the_scope_do_not_exist(site, server, change):
    with pytest.raises(InstanceNotFound):
        change(site.conductor.instances, server.uuid)
    assert site.conductor.get(server.uuid) == server


def test_reset_ends_operations_of_the_host(site, server):
    begin(site, server, "stop")
    site.conductor.instances.reset_state(ADMIN, ANYBODY, server.uuid, VmState.ERROR)
    reset = site.conductor.get(server.uuid)
    assert (reset.vm_state, reset.task_state) == (VmState.ERROR, None)
    assert site.conductor.operations.unfinished(ADMIN, server.host) == ()
    assert records(site, server)[0] == ("resetState", None)


def test_servers_are_reset_to_active_or_error_only(site, server):
    with pytest.raises(Invalid):
        site.conductor.instances.reset_state(ADMIN, ANYBODY, server.uuid, VmState.DELETED)


def test_reset_of_a_restore_keeps_the_quota_that_it_had_claimed(site, server):
    begin(site, server, "soft_delete")
    end(site)
    assert used(site) == 0
    begin(site, server, "restore")
    assert used(site) == 1
    site.conductor.instances.reset_state(ADMIN, ANYBODY, server.uuid, VmState.ACTIVE)
    assert used(site) == 1
    assert site.conductor.get(server.uuid).soft_deleted_at is None


# --- Soft deletion


def test_soft_deletion_gives_the_quota_back_once(site, server):
    assert begin(site, server, "soft_delete").task_state is TaskState.SOFT_DELETING
    assert used(site) == 1
    end(site)
    kept = site.conductor.get(server.uuid)
    assert (kept.vm_state, kept.task_state, used(site)) == (VmState.SOFT_DELETED, None, 0)
    begin(site, server, "soft_delete")
    end(site)
    assert used(site) == 0
    assert site.conductor.get(server.uuid).soft_deleted_at == kept.soft_deleted_at
    begin(site, server, "delete")
    end(site)
    assert used(site) == 0
    with pytest.raises(InstanceNotFound):
        site.conductor.get(server.uuid)


def test_deletion_during_a_restore_gives_the_quota_back(site, server):
    begin(site, server, "soft_delete")
    end(site)
    begin(site, server, "restore")
    begin(site, server, "delete")
    end(site)
    assert used(site) == 0


@pytest.mark.parametrize("task_state", [TaskState.DELETING, TaskState.REBUILDING])
def test_server_in_pieces_is_deleted_at_once(site, server, task_state):
    with site.conductor.db.transaction() as tx:
        tx.exec_driver_sql("UPDATE instances SET task_state = ?", (task_state.value,))
    assert begin(site, server, "soft_delete").task_state is TaskState.DELETING
    assert site.compute.works[-1].operation.action == "delete"


def test_without_the_option_the_deletion_is_at_once():
    site = make_site()
    server = site.conductor.boot(site.compute)
    assert begin(site, server, "soft_delete").task_state is TaskState.DELETING


# --- Interruptions


def test_network_info_does_not_end_what_runs(site, server):
    begin(site, server, "stop")
    begin(site, server, "inject_network_info", ADMIN)
    works = site.conductor.operations.unfinished(ADMIN, server.host)
    assert [work.operation.action for work in works] == ["stop", "inject_network_info"]
    assert site.conductor.get(server.uuid).task_state is TaskState.POWERING_OFF


# --- The posted password


def test_cleared_password_is_forgotten_and_may_be_posted_anew(site, server):
    instances = site.conductor.instances
    metadata = site.conductor.bus.client(ConductorMetadata).anyone()
    assert instances.get_password(OWNER, ANYBODY, server.uuid) == ""
    assert metadata.set_password(ADMIN, server.uuid, "x")
    assert instances.get_password(OWNER, ANYBODY, server.uuid) == "x"
    instances.clear_password(OWNER, ANYBODY, server.uuid)
    assert instances.get_password(OWNER, ANYBODY, server.uuid) == ""
    guest = metadata.find_by_instance(ADMIN, server.uuid)
    assert guest.password == ""
    assert metadata.set_password(ADMIN, server.uuid, "y")
