"""When a server's metadata and tags may be changed, over the real conductor."""

import pytest
import sqlalchemy as sa

from nova.db.tables import instances
from nova.objects.lifecycle import TaskState, VmState
from tests.fixtures.rest_site import RestSite

OPEN = {VmState.ACTIVE, VmState.PAUSED, VmState.SUSPENDED, VmState.STOPPED}
CLOSED = [
    VmState.BUILDING,
    VmState.ERROR,
    VmState.RESCUED,
    VmState.RESIZED,
    VmState.SHELVED,
    VmState.SHELVED_OFFLOADED,
    VmState.SOFT_DELETED,
]
METADATA = [
    ("POST", "metadata", {"metadata": {"k": "v"}}),
    ("PUT", "metadata", {"metadata": {"k": "v"}}),
    ("PUT", "metadata/k", {"meta": {"k": "v"}}),
    ("DELETE", "metadata/k", None),
]
TAGS = [
    ("PUT", "tags", {"tags": ["t"]}),
    ("PUT", "tags/t", None),
    ("DELETE", "tags/t", None),
    ("DELETE", "tags", None),
]


@pytest.fixture
def server(cloud: RestSite) -> str:
    """Return a running server with a tag and metadata."""
    return cloud.boot(version="2.52", networks=[], metadata={"k": "old"}, tags=["t"])


def _force(cloud: RestSite, server: str, **values: object) -> None:
    """Put a server into a state that no action of this API leads to."""
    with cloud.conductor.db.transaction() as tx:
        tx.execute(sa.update(instances).where(instances.c.uuid == server).values(**values))


def _statuses(cloud: RestSite, server: str, writes, admin: bool = False) -> set[int]:
    rest = (cloud.admin if admin else cloud.rest).at("2.26")
    return {
        rest.request(method, f"/servers/{server}/{path}", body).status_int
        for method, path, body in writes
    }


@pytest.mark.parametrize("state", sorted(OPEN))
def test_writes_in_these_states(cloud: RestSite, server: str, state: VmState) -> None:
    _force(cloud, server, vm_state=state, task_state=TaskState.POWERING_OFF)
    assert _statuses(cloud, server, METADATA + TAGS) <= {200, 201, 204}


@pytest.mark.parametrize("state", CLOSED)
def test_no_writes_in_other_states(cloud: RestSite, server: str, state: VmState) -> None:
    _force(cloud, server, vm_state=state)
    assert _statuses(cloud, server, METADATA + TAGS) == {409}
    answer = cloud.rest.post(f"/servers/{server}/metadata", {"metadata": {}})
    message = answer.json["conflictingRequest"]["message"]
    assert message == f"Cannot 'update metadata' instance {server} while it is in vm_state {state}."
    shown = cloud.rest.at("2.26").get(f"/servers/{server}").json["server"]
    assert (shown["metadata"], shown["tags"]) == ({"k": "old"}, ["t"])


def test_a_locked_server_keeps_its_metadata_but_not_its_tags(cloud: RestSite, server: str) -> None:
    _force(cloud, server, locked_by="owner")
    assert _statuses(cloud, server, METADATA) == {409}
    assert _statuses(cloud, server, METADATA, admin=True) <= {200, 204}
    assert _statuses(cloud, server, TAGS) <= {200, 201, 204}


def test_a_locked_server_is_not_deleted_by_its_owner(cloud: RestSite, server: str) -> None:
    _force(cloud, server, locked_by="admin")
    assert cloud.rest.delete(f"/servers/{server}").status_int == 409
    for body in ({"os-stop": None}, {"reboot": {"type": "HARD"}}):
        assert cloud.rest.post(f"/servers/{server}/action", body).status_int == 409
    assert cloud.admin.delete(f"/servers/{server}").status_int == 204


def test_in_09_metadata_stays_within_the_quota(cloud: RestSite, server: str) -> None:
    body = {"metadata": {f"k{number}": "v" for number in range(128)}}
    assert cloud.rest.post(f"/servers/{server}/metadata", body).status_int == 403
    assert cloud.rest.put(f"/servers/{server}/metadata", body).status_int == 200
    assert cloud.rest.put(f"/servers/{server}/metadata/x", {"meta": {"x": "y"}}).status_int == 403


def test_tags_are_limited(cloud: RestSite, server: str) -> None:
    rest = cloud.rest.at("2.26")
    tags = [f"t{number}" for number in range(50)]
    assert rest.put(f"/servers/{server}/tags", {"tags": tags}).status_int == 200
    assert rest.put(f"/servers/{server}/tags/more").status_int == 400
    assert rest.put(f"/servers/{server}/tags/t1").status_int == 204
    assert rest.put(f"/servers/{server}/tags", {"tags": [*tags, "x"]}).status_int == 400
