"""Server groups in the scheduler."""

import random

import pytest

from nova.objects.server_group import GroupPolicy, PlacedGroup
from nova.scheduler.choose import choose
from tests.fixtures.hosts import make_host_state, make_spec
from tests.fixtures.scheduling import FILTERS, MULTIPLIERS, make_rules

HOSTS = tuple(make_host_state(f"host{number}") for number in range(1, 4))
EAGER = MULTIPLIERS | {
    "soft_affinity_weight_multiplier": 100.0,
    "soft_anti_affinity_weight_multiplier": 100.0,
}


def group(policy, on_hosts=None, **changes):
    on_hosts = {host: tuple(uuids) for host, uuids in (on_hosts or {}).items()}
    members = tuple(uuid for uuids in on_hosts.values() for uuid in uuids)
    values = {"uuid": "g", "policy": policy, "on_hosts": on_hosts, "members": members}
    return PlacedGroup(**(values | changes))


def place(count, wanted, hosts=HOSTS, rules=None, **changes):
    spec = make_spec(count, group=wanted, **changes)
    choice = choose(spec, hosts, rules or make_rules(multipliers=EAGER), random.Random(1))
    chosen = [options[0].host if options else None for options in choice.report.destinations]
    return chosen, choice.report


def test_anti_affinity_gives_each_server_of_one_request_its_own_host():
    chosen, report = place(4, group(GroupPolicy.ANTI_AFFINITY))
    assert sorted(chosen[:3]) == ["host1", "host2", "host3"]
    assert chosen[3] is None
    assert "ServerGroupAntiAffinityFilter removed 3" in report.summary


def test_anti_affinity_allows_as_many_on_a_host_as_its_rule_says():
    wanted = group(GroupPolicy.ANTI_AFFINITY, {"host1": ["a"]}, max_server_per_host=2)
    chosen, _ = place(6, wanted)
    assert sorted(host for host in chosen if host) == ["host1", "host2", "host2", "host3", "host3"]
    assert chosen.count(None) == 1


def test_affinity_keeps_one_request_together_wherever_its_first_server_goes():
    chosen, _ = place(3, group(GroupPolicy.AFFINITY))
    assert len(set(chosen)) == 1
    assert None not in chosen


def test_affinity_follows_members_and_fits_nowhere_when_their_host_is_gone():
    assert place(1, group(GroupPolicy.AFFINITY, {"host2": ["a"]}))[0] == ["host2"]
    chosen, report = place(1, group(GroupPolicy.AFFINITY, {"gone": ["a"]}))
    assert chosen == [None]
    assert "without the other servers of the group" in report.summary


def test_a_member_that_was_chosen_a_host_a_moment_ago_counts_before_its_claim():
    hosts = (make_host_state("host1", instance_uuids=("a",)), make_host_state("host2"))
    wanted = group(GroupPolicy.ANTI_AFFINITY, members=("a",))
    assert place(1, wanted, hosts)[0] == ["host2"]
    assert place(1, group(GroupPolicy.AFFINITY, members=("a",)), hosts)[0] == ["host1"]


def test_a_member_known_from_both_sides_counts_once():
    hosts = (make_host_state("host1", instance_uuids=("a",)),)
    wanted = group(GroupPolicy.ANTI_AFFINITY, {"host1": ["a"]}, max_server_per_host=2)
    assert place(1, wanted, hosts)[0] == ["host1"]


def test_a_server_that_moves_is_not_its_own_neighbour():
    (uuid,) = make_spec().instance_uuids
    wanted = group(GroupPolicy.ANTI_AFFINITY, {"host1": [uuid]})
    assert place(1, wanted, HOSTS[:1])[0] == ["host1"]


def test_alternates_obey_the_group_too():
    _, report = place(1, group(GroupPolicy.ANTI_AFFINITY, {"host1": ["a"]}))
    assert [option.host for option in report.destinations[0]] == ["host2", "host3"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(GroupPolicy.SOFT_AFFINITY, {"host2"}), (GroupPolicy.SOFT_ANTI_AFFINITY, {"host1", "host3"})],
)
def test_soft_policies_are_wishes(policy, expected):
    assert place(1, group(policy, {"host2": ["a", "b"]}))[0][0] in expected
    assert place(1, group(policy, {"host2": ["a"]}), HOSTS[1:2])[0] == ["host2"]


def test_soft_anti_affinity_spreads_one_request_and_then_goes_round():
    chosen, _ = place(6, group(GroupPolicy.SOFT_ANTI_AFFINITY))
    assert sorted(chosen) == ["host1", "host1", "host2", "host2", "host3", "host3"]


def test_a_policy_that_nothing_looks_after_fits_nowhere():
    filters = tuple(name for name in FILTERS if not name.startswith("ServerGroup"))
    chosen, report = place(1, group(GroupPolicy.ANTI_AFFINITY), rules=make_rules(filters))
    assert chosen == [None]
    assert "the policy of the server group is not supported" in report.summary
    off = MULTIPLIERS | {"soft_affinity_weight_multiplier": 0.0}
    rules = make_rules(multipliers=off)
    assert place(1, group(GroupPolicy.SOFT_AFFINITY), rules=rules)[0] == [None]
    assert place(1, group(GroupPolicy.AFFINITY), rules=rules)[0] != [None]


def test_a_forced_host_is_left_to_the_claim():
    chosen, _ = place(1, group(GroupPolicy.ANTI_AFFINITY, {"host1": ["a"]}), force_host="host1")
    assert chosen == ["host1"]
