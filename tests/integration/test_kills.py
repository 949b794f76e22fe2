"""nova-compute is killed in every task state; afterwards servers are as the table says.

One case for each end of each step of nova.objects.lifecycle.ACTIONS.  Needs RabbitMQ's programs.
"""

import os
import pathlib
import shutil
import tempfile

import pytest
from standup.rabbitmq import SCRIPTS

from nova.objects.lifecycle import ACTIONS, PowerState, Recover, TaskState, VmState
from tests.fixtures.kill_cases import CASES, NOT_OF_REST
from tests.fixtures.kill_cloud import KillCloud
from tests.fixtures.process_cloud import running_cloud

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not (SCRIPTS / "rabbitmq-server").exists(), reason="RabbitMQ is not installed"
    ),
]

_OFF = frozenset({VmState.STOPPED, VmState.SOFT_DELETED, VmState.SHELVED, VmState.SUSPENDED})
_SNAPSHOTS = frozenset({"createImage", "createBackup"})
_SIZES = {VmState.RESIZED: (3, 384)}


@pytest.fixture(scope="module")
def cloud():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nova-kills-", dir="/var/tmp"))
    try:
        with running_cloud(folder, KillCloud) as cloud:
            yield cloud
    finally:
        if "NOVA_TEST_KEEP" not in os.environ:
            shutil.rmtree(folder)


@pytest.fixture(scope="module")
def kills(cloud):
    """What became of all cases."""
    return cloud.run(CASES)


def test_every_task_state_is_killed_in():
    assert {case.task_state for case in CASES} == {*TaskState, None}
    assert {case.action for case in CASES} == ACTIONS.keys() - NOT_OF_REST


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_killed_in(kills, case):
    kill = kills[case]
    assert kill.killed.task_state == case.task_state, "killed in another state"
    assert kill.after.task_state is None and not kill.after.unfinished
    assert not kill.snapshot_file, "the file of a snapshot is left"
    check = {
        Recover.REPEAT: _is_done,
        Recover.ERROR: _is_in_error,
        Recover.ABANDON: _is_as_before,
    }
    check[case.recover](kill)


def _is_done(kill):
    after, case = kill.after, kill.case
    if case.action == "delete":
        assert after.vm_state is None and kill.guest is None
        return
    assert after.vm_state == (case.done or kill.before.vm_state), after
    assert after.fault is None
    if case.action in _SNAPSHOTS:
        assert kill.image == "active"
    if case.done is VmState.SHELVED_OFFLOADED:
        assert kill.guest is None
    elif case.done is not None:
        wanted = PowerState.SHUTDOWN if case.done in _OFF else PowerState.RUNNING
        if case.done is VmState.PAUSED:
            wanted = PowerState.PAUSED
        assert kill.guest.power_state is wanted and after.power_state == wanted


def _is_in_error(kill):
    assert kill.after.vm_state == VmState.ERROR
    assert len(kill.after.fault) > 20
    if kill.case.action == "create":
        assert kill.guest is None


def _is_as_before(kill):
    assert kill.after.vm_state == kill.before.vm_state
    assert kill.after.power_state == kill.before.power_state == kill.guest.power_state
    assert kill.after.fault is None and kill.image is None


def test_images_are_those_of_what_was_done(cloud, kills):
    """Only snapshots that were taken are left, complete, and images of shelved servers."""
    done = [kill for kill in kills.values() if kill.case.recover is Recover.REPEAT]
    snapshots = sum(kill.case.action in _SNAPSHOTS for kill in done)
    shelved = {kill.after.shelved_image_id for kill in kills.values()} - {None}
    statuses = cloud.images_left
    assert set(statuses.values()) == {"active"}
    assert shelved <= statuses.keys()
    assert len(statuses) == 1 + snapshots + len(shelved)


def test_nothing_is_leaked(cloud, kills):
    """Claims are those of the servers there are; without servers nothing is held."""
    placed = [kill for kill in kills.values() if _holds_a_claim(kill)]
    sizes = [_size_of(kill) for kill in placed]
    cpus, memory_mb = (sum(size[part] for size in sizes) for part in (0, 1))
    # The number of guests is what the last report says.
    assert cloud.claims_left[:2] == (cpus, memory_mb)
    for kill in kills.values():
        if kill.after.vm_state is not None:
            kill.server.act({"forceDelete": None})
    cloud.wait_until_clean()
    assert len(cloud.images.statuses()) == 1 + sum(
        kill.case.action in _SNAPSHOTS
        for kill in kills.values()
        if kill.case.recover is Recover.REPEAT
    )


def _holds_a_claim(kill):
    if kill.after.vm_state == VmState.ERROR and kill.case.action == "create":
        return False
    return kill.after.vm_state not in (None, VmState.SHELVED_OFFLOADED)


def _size_of(kill):
    """Return CPUs and memory that a server holds on its host."""
    if kill.case.action == "confirmResize":
        return 2, 256
    return _SIZES.get(kill.after.vm_state, (1, 128))
