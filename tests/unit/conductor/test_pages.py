"""Lists of servers: filters, order, pages."""

import datetime

import pytest

from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.context import get_admin_context
from nova.exception import InvalidInput, InvalidSortKey, MarkerNotFound
from nova.objects.instance import InstanceChange, InstanceQuery, Scope
from nova.objects.lifecycle import VmState
from tests.fixtures.conductor import ANYBODY, PROJECT, make_site, user_context

ADMIN = get_admin_context()


@pytest.fixture
def site():
    site = make_site()
    unlimited = {"instances": -1, "cores": -1, "ram": -1}
    site.conductor.bus.client(ConductorQuotas).anyone().update(ADMIN, PROJECT, unlimited)
    return site


def _names(site, **query):
    values = {"scope": Scope()} | query
    page = site.conductor.instances.page(ADMIN, InstanceQuery(**values))
    summaries = site.conductor.instances.page_summaries(ADMIN, InstanceQuery(**values))
    assert [server.uuid for server in page] == [summary.uuid for summary in summaries]
    return [server.display_name for server in page]


def test_the_newest_servers_come_first_and_pages_follow_each_other(site):
    for name in "abcde":
        site.conductor.create(display_name=name)
    assert _names(site) == ["e", "d", "c", "b", "a"]
    page = site.conductor.instances.page(ADMIN, InstanceQuery(scope=Scope(), limit=2))
    assert _names(site, marker=page[-1].uuid, limit=2) == ["c", "b"]
    assert _names(site, limit=0) == []


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", ["host", "display_name", "launched_at", "task_state", "locked"])
def test_pages_of_any_order_hold_each_server_once(site, key, direction):
    for name in ("b", "a", "b", "c"):
        site.conductor.create(display_name=name)
    site.conductor.boot(site.compute)
    site.scheduler.hosts = []
    site.conductor.create(display_name="a")
    seen, marker = [], None
    while True:
        query = InstanceQuery(scope=Scope(), sort=((key, direction),), limit=2, marker=marker)
        page = site.conductor.instances.page(ADMIN, query)
        if not page:
            break
        seen += [server.uuid for server in page]
        marker = page[-1].uuid
    assert len(seen) == len(set(seen)) == 6


def test_bus_06_search_texts_stand_for_themselves(site):
    for name in ("web_1", "webX1", "100%", "a.*b", "Web-2", "back\\slash", "it's"):
        site.conductor.create(display_name=name)
    assert _names(site, patterns={"display_name": "web_"}) == ["web_1"]
    assert _names(site, patterns={"display_name": "100%"}) == ["100%"]
    assert _names(site, patterns={"display_name": "k\\s"}) == ["back\\slash"]
    assert _names(site, patterns={"display_name": "it's"}) == ["it's"]
    assert _names(site, patterns={"display_name": "^web.*1$"}) == ["webX1", "web_1"]
    assert _names(site, patterns={"display_name": "(a+)+$"}) == []
    assert _names(site, patterns={"display_name": "web-2"}) == ["Web-2"]


def test_in_08_only_known_columns_are_sorted_and_filtered_by(site):
    for key in ("user_data", "key_data", "flavor", "nonsense", "fault"):
        with pytest.raises(InvalidSortKey):
            _names(site, sort=((key, "asc"),))
        with pytest.raises(InvalidInput):
            _names(site, exact={key: ("x",)})
        with pytest.raises(InvalidInput):
            _names(site, patterns={key: "x"})


def test_in_07_a_foreign_or_unknown_marker_looks_the_same(site):
    (foreign,) = site.conductor.create(project_id="other")
    mine = Scope(project_id=PROJECT)
    for marker in (foreign, "no-such-server"):
        with pytest.raises(MarkerNotFound):
            _names(site, scope=mine, marker=marker)


def test_servers_are_found_by_state_address_and_owner(site):
    site.conductor.create(display_name="mine")
    site.conductor.create(display_name="yours", project_id="other")
    server = site.conductor.boot(site.compute, display_name="active")
    assert _names(site, vm_states=(VmState.ACTIVE,)) == ["active"]
    assert _names(site, ip_pattern=server.vifs[0].fixed_ip) == ["active"]
    assert len(_names(site, ip_pattern="^10.0.0.")) == 3
    assert _names(site, ip_pattern="0.0.5$") == []
    assert _names(site, scope=Scope(project_id="other")) == ["yours"]
    assert _names(site, exact={"power_state": ("1",)}) == ["active"]
    assert _names(site, locked=True) == []
    with pytest.raises(InvalidInput):
        _names(site, exact={"power_state": ("x",)})


def test_servers_are_found_by_tags(site):
    site.conductor.create(display_name="ab", tags=("a", "b"))
    site.conductor.create(display_name="a", tags=("a",))
    site.conductor.create(display_name="none")
    assert _names(site, tags=("a", "b")) == ["ab"]
    assert _names(site, tags_any=("b", "c")) == ["ab"]
    assert _names(site, not_tags=("a", "b")) == ["none", "a"]
    assert _names(site, not_tags_any=("a", "b")) == ["none"]


def test_deleted_servers_are_listed_only_when_asked_for(site):
    (uuid,) = site.conductor.create(display_name="gone", metadata={"k": "v"})
    site.conductor.create(display_name="here")
    long_ago = datetime.datetime(2000, 1, 1)
    site.scheduler.hosts = []
    (failed,) = site.conductor.create(display_name="failed", metadata={"k": "v"})
    site.conductor.instances.begin_action(user_context(), ANYBODY, failed, "delete")
    assert _names(site) == ["here", "gone"]
    assert _names(site, deleted=True) == ["failed"]
    both = InstanceQuery(scope=Scope(), deleted=None, changes_since=long_ago)
    page = site.conductor.instances.page(ADMIN, both)
    assert [server.display_name for server in page] == ["failed", "here", "gone"]
    assert page[0].deleted
    assert page[0].vm_state is VmState.DELETED
    assert page[0].metadata == {"k": "v"}
    assert page[0].fault.code == 500
    assert _names(site, deleted=None, marker=page[0].uuid) == ["here", "gone"]
    assert uuid == page[2].uuid


def test_in_06_lists_take_a_fixed_number_of_statements(site):
    counter = site.conductor.counter

    def statements():
        counter.take()
        page = site.conductor.instances.page(ADMIN, InstanceQuery(scope=Scope(), ip_pattern="10.0"))
        return len(page), len(counter.take())

    site.conductor.create(metadata={"a": "b"}, tags=("t",))
    assert statements() == (1, 3)
    for _ in range(8):
        site.conductor.create(metadata={"a": "b"}, tags=("t",))
    assert statements() == (9, 3)


def test_owners_change_names_metadata_and_tags(site):
    client = site.conductor.instances
    uuid = site.conductor.boot(site.compute, metadata={"a": "1"}).uuid
    change = InstanceChange(display_name="new", display_description=None)
    assert client.update(user_context(), ANYBODY, uuid, change).display_name == "new"
    assert client.set_metadata(user_context(), ANYBODY, uuid, {"b": "2"}) == {"a": "1", "b": "2"}
    assert client.set_metadata(user_context(), ANYBODY, uuid, {"c": "3"}, True) == {"c": "3"}
    client.delete_metadata(user_context(), ANYBODY, uuid, "c")
    assert client.add_tag(user_context(), ANYBODY, uuid, "x")
    assert not client.add_tag(user_context(), ANYBODY, uuid, "x")
    assert client.set_tags(user_context(), ANYBODY, uuid, ("z", "y", "z")) == ("y", "z")
    client.delete_tag(user_context(), ANYBODY, uuid, "z")
    server = site.conductor.get(uuid)
    assert (server.display_name, server.metadata, server.tags) == ("new", {}, ("y",))
