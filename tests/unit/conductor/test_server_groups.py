"""Server groups: rows, membership, and the claim that holds to the policy."""

import pytest

from nova.conductor.rpcapi.server_groups import ConductorServerGroups
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.exception import InvalidInput, QuotaExceeded, ServerGroupNotFound
from nova.objects.instance import Scope
from nova.objects.lifecycle import VmState
from nova.objects.server_group import GroupPolicy, NewServerGroup
from tests.fixtures.conductor import (
    ANYBODY,
    PROJECT,
    USER,
    finish_build,
    make_site,
    user_context,
)

OWN = Scope(project_id=PROJECT)


@pytest.fixture
def site():
    return make_site(("host1", "host2", "host3"))


def client(site):
    return site.conductor.bus.client(ConductorServerGroups).anyone()


def make_group(site, policy=GroupPolicy.ANTI_AFFINITY, **changes):
    values = {"name": "web", "project_id": PROJECT, "user_id": USER, "policy": policy}
    return client(site).create(user_context(), NewServerGroup(**(values | changes)))


def boot_into(site, group, **changes):
    return site.conductor.create(hints={"group": (group.uuid,)}, **changes)


def hosts_of(site, uuids):
    return [site.conductor.get(uuid).host for uuid in uuids]


def test_a_group_is_seen_by_its_project_only(site):
    group = make_group(site)
    groups = client(site)
    assert groups.get(user_context(), OWN, group.uuid) == group
    assert groups.page(user_context(), Scope(project_id="other")) == ()
    for call in (groups.get, groups.delete):
        with pytest.raises(ServerGroupNotFound):
            call(user_context(), Scope(project_id="other"), group.uuid)
    assert groups.page(user_context(), Scope()) == (group,)


def test_pages_of_groups_take_two_statements_however_many_members(site):
    made = [make_group(site, name=f"g{number}") for number in range(5)]
    boot_into(site, made[0], min_count=3, max_count=3)
    counter = site.conductor.counter
    counter.take()
    found = client(site).page(user_context(), OWN, limit=3, offset=1)
    assert [group.name for group in found] == ["g1", "g2", "g3"]
    assert len(counter.take()) == 2
    (first,) = client(site).page(user_context(), OWN, limit=1)
    assert len(first.members) == 3


def test_in_09_groups_are_counted_and_given_back():
    site = make_site(settings=ConductorSettings(quotas=_quotas(server_groups=2)))
    first = make_group(site)
    make_group(site)
    with pytest.raises(QuotaExceeded, match="too many server groups: the limit is 2"):
        make_group(site)
    client(site).delete(user_context(), OWN, first.uuid)
    make_group(site)


def _quotas(**changes):
    return ConductorSettings().quotas | {"instances": 100, "cores": 100} | changes


def test_in_09_members_are_counted_for_single_and_multiple_boots():
    site = make_site(settings=ConductorSettings(quotas=_quotas(server_group_members=3)))
    group = make_group(site, GroupPolicy.SOFT_AFFINITY)
    boot_into(site, group, min_count=2, max_count=2)
    with pytest.raises(QuotaExceeded, match="too many servers in group: the limit is 3"):
        boot_into(site, group, min_count=2, max_count=2)
    boot_into(site, group)
    with pytest.raises(QuotaExceeded):
        boot_into(site, group)
    assert len(client(site).get(user_context(), OWN, group.uuid).members) == 3


def test_az_06_a_foreign_group_is_as_unknown_as_none(site):
    foreign = make_group(site, project_id="other")
    unknown = "99999999-9999-4999-8999-999999999999"
    told = []
    for uuid in (foreign.uuid, unknown):
        with pytest.raises(InvalidInput) as caught:
            site.conductor.create(hints={"group": (uuid,)})
        told.append(str(caught.value).replace(uuid, "ID"))
    assert told[0] == told[1]
    with pytest.raises(InvalidInput):
        site.conductor.create(hints={"group": (foreign.uuid, unknown)})
    assert client(site).get(user_context(), Scope(), foreign.uuid).members == ()


def test_a_server_is_a_member_from_its_creation_to_its_end(site):
    group = make_group(site)
    (uuid,) = site.conductor.create(hints={"group": (group.uuid.upper(),)})
    assert site.conductor.get(uuid).server_groups == (group.uuid,)
    assert client(site).get(user_context(), OWN, group.uuid).members == (uuid,)
    finish_build(site.conductor, site.compute.works[-1])
    site.conductor.instances.begin_action(user_context(), ANYBODY, uuid, "delete")
    site.conductor.bus.run_until_idle()
    finish_build(site.conductor, site.compute.works[-1])
    assert client(site).get(user_context(), OWN, group.uuid).members == ()


def test_deleting_a_group_keeps_its_servers(site):
    group = make_group(site)
    (uuid,) = boot_into(site, group)
    client(site).delete(user_context(), OWN, group.uuid)
    assert site.conductor.get(uuid).server_groups == ()
    assert site.conductor.get(uuid).vm_state is VmState.BUILDING


def test_the_scheduler_is_told_of_members_and_their_hosts(site):
    group = make_group(site, max_server_per_host=2)
    (first,) = boot_into(site, group)
    (second,) = boot_into(site, group)
    told = site.scheduler.specs[-1].group
    assert (told.policy, told.max_server_per_host) == (GroupPolicy.ANTI_AFFINITY, 2)
    assert told.members == (first, second)
    assert told.on_hosts == {"host1": (first,)}


def test_a_claim_that_breaks_anti_affinity_goes_to_the_next_alternate(site):
    group = make_group(site)
    placed = [boot_into(site, group)[0] for _ in range(3)]
    assert hosts_of(site, placed) == ["host1", "host2", "host3"]
    (fourth,) = boot_into(site, group)
    refused = site.conductor.get(fourth)
    assert (refused.vm_state, refused.host) == (VmState.ERROR, None)
    assert "No valid host was found" in refused.fault.message


def test_a_claim_that_breaks_affinity_is_scheduled_anew_until_it_fits(site):
    group = make_group(site, GroupPolicy.AFFINITY)
    (first,) = boot_into(site, group)
    site.scheduler.hosts = ["host3", "host2", "host1"]
    (second,) = boot_into(site, group)
    assert hosts_of(site, [first, second]) == ["host1", "host1"]


def test_max_server_per_host_counts_at_the_claim(site):
    group = make_group(site, max_server_per_host=2)
    placed = boot_into(site, group, min_count=5, max_count=5)
    assert hosts_of(site, placed) == ["host1", "host1", "host2", "host2", "host3"]


def test_a_forced_host_does_not_break_the_policy(site):
    group = make_group(site)
    boot_into(site, group)
    site.scheduler.hosts = ["host1"]
    (uuid,) = boot_into(site, group, force_host="host1")
    assert site.conductor.get(uuid).vm_state is VmState.ERROR


def test_a_soft_policy_is_no_matter_of_the_claim(site):
    group = make_group(site, GroupPolicy.SOFT_ANTI_AFFINITY)
    placed = [boot_into(site, group)[0] for _ in range(2)]
    assert hosts_of(site, placed) == ["host1", "host1"]


def test_a_boot_into_a_group_takes_few_statements_however_many_members(site):
    conductor = site.conductor
    group = make_group(site, GroupPolicy.SOFT_AFFINITY)

    def statements(**changes):
        conductor.counter.take()
        conductor.create(**changes)
        return len(conductor.counter.take())

    statements()
    plain = statements()
    hints = {"group": (group.uuid,)}
    few = statements(hints=hints)
    conductor.create(hints=hints, min_count=4, max_count=4)
    many = statements(hints=hints)
    assert few == many <= plain + 9


def test_in_05_a_hundred_hinted_servers_cost_one_statement(site):
    own = site.conductor.create()
    foreign = site.conductor.create(project_id="other")
    strangers = tuple(f"00000000-0000-4000-8000-{number:012d}" for number in range(100))

    def statements(uuids):
        site.conductor.counter.take()
        site.conductor.create(hints={"different_host": uuids, "same_host": uuids})
        return len(site.conductor.counter.take())

    assert statements(own) == statements((*own, *foreign, *strangers))
    told = site.scheduler.specs[-1].hints
    assert told == {"different_host": own, "same_host": own}


def test_az_06_hints_at_foreign_servers_reach_no_filter(site):
    foreign = site.conductor.create(project_id="other")
    site.conductor.create(hints={"same_host": foreign})
    assert site.scheduler.specs[-1].hints == {"same_host": ()}


def test_an_unknown_group_is_not_deleted(site):
    with pytest.raises(ServerGroupNotFound):
        client(site).delete(get_admin_context(), Scope(), "no-such-group")
