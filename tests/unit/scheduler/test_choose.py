import collections
import dataclasses
import random

from nova.scheduler.choose import choose
from tests.fixtures.hosts import make_host_state, make_spec
from tests.fixtures.scheduling import MULTIPLIERS, make_rules


def run(spec, hosts, seed=1, **changes):
    return choose(spec, hosts, make_rules(**changes), random.Random(seed))


def chosen(choice):
    return [options[0].host if options else None for options in choice.report.destinations]


def test_the_host_with_most_room_wins_and_the_next_best_are_alternates():
    hosts = [
        make_host_state("small", memory_mb=4096),
        make_host_state("large", memory_mb=65536),
        make_host_state("middle", memory_mb=16384),
    ]
    report = run(make_spec(alternates=1), hosts).report
    assert [d.host for d in report.destinations[0]] == ["large", "middle"]
    assert report.destinations[0][0].node == "large.example"
    assert [w.host for w in report.weighed] == ["large", "middle", "small"]
    assert report.weighed[0].parts["RAMWeigher"] == 1.0
    assert report.weighed[0].weight == sum(report.weighed[0].parts.values())


def test_a_host_where_builds_failed_comes_last():
    hosts = [make_host_state("roomy", memory_mb=65536, failed_builds=1), make_host_state("host2")]
    assert chosen(run(make_spec(), hosts)) == ["host2"]


def test_servers_of_one_request_spread_over_equal_hosts():
    hosts = [make_host_state(f"host{n}") for n in range(4)]
    placed = collections.Counter(chosen(run(make_spec(8), hosts)))
    assert placed == {f"host{n}": 2 for n in range(4)}


def test_each_pick_takes_its_share_until_nothing_fits():
    hosts = [make_host_state("host1", memory_mb=2048), make_host_state("host2", memory_mb=1024)]
    choice = run(make_spec(4, memory_mb=1024), hosts)
    assert collections.Counter(chosen(choice)) == {"host1": 2, "host2": 1, None: 1}
    assert len(choice.picks) == 3
    assert choice.report.summary == "Of 2 hosts, RamFilter removed 2 (not enough free memory)."


def test_filters_that_say_the_same_for_all_servers_are_asked_once():
    hosts = [make_host_state("host1"), make_host_state("host2", is_up=False)]
    results = {r.name: r for r in run(make_spec(3), hosts).report.filters}
    assert (results["ComputeFilter"].before, results["ComputeFilter"].after) == (2, 1)
    assert results["RamFilter"].before == 1


def test_report_tells_numbers_to_the_admin_and_counts_to_the_tenant():
    hosts = [
        make_host_state("full1", memory_mb_used=16000),
        make_host_state("full2", memory_mb_used=16000),
        make_host_state("off", disabled=True),
    ]
    report = run(make_spec(), hosts).report
    assert report.considered == 3
    ram = next(result for result in report.filters if result.name == "RamFilter")
    assert [(r.host, r.reason) for r in ram.rejected] == [
        ("full1", "1024 MB wanted, 384 MB of 16384 MB free"),
        ("full2", "1024 MB wanted, 384 MB of 16384 MB free"),
    ]
    assert report.summary == (
        "Of 3 hosts, ComputeFilter removed 1 (compute service disabled or down) "
        "and RamFilter removed 2 (not enough free memory)."
    )
    assert report.destinations == ((),)
    assert not any(host in report.summary for host in ("full1", "full2", "off"))


def test_no_hosts_at_all_is_said_so():
    assert run(make_spec(), []).report.summary == "There are no compute hosts."


def test_forced_host_skips_every_check():
    hosts = [make_host_state("host1"), make_host_state("full", memory_mb_used=99999, is_up=False)]
    report = run(make_spec(2, force_host="full"), hosts).report
    assert [[d.host for d in options] for options in report.destinations] == [["full"], ["full"]]
    assert report.filters == ()


def test_unknown_forced_host_or_node_fits_nowhere():
    hosts = [make_host_state("host1")]
    for wrong in ({"force_host": "nobody"}, {"force_host": "host1", "force_node": "other"}):
        report = run(make_spec(**wrong), hosts).report
        assert report.destinations == ((),)
        assert report.summary == "The host that was asked for does not exist."


def test_requested_host_is_still_filtered():
    hosts = [
        make_host_state("host1"),
        make_host_state("host2"),
        make_host_state("off", is_up=False),
    ]
    assert chosen(run(make_spec(requested_host="host2"), hosts)) == ["host2"]
    report = run(make_spec(requested_host="off"), hosts).report
    assert report.destinations == ((),)
    assert "RequestedHost removed 2 (not the host that was asked for)" in report.summary


def test_ignored_hosts_are_left_out_and_told():
    hosts = [make_host_state("host1"), make_host_state("host2")]
    assert chosen(run(make_spec(ignore_hosts=("host1",)), hosts)) == ["host2"]
    report = run(make_spec(ignore_hosts=("host1", "host2")), hosts).report
    assert report.summary == "Of 2 hosts, IgnoredHosts removed 2 (an earlier attempt failed there)."


def test_one_candidate_alone_is_not_weighed():
    report = run(make_spec(), [make_host_state("host1")]).report
    assert report.weighed[0].weight == 0.0
    assert report.weighed[0].parts == {}


def test_subset_size_picks_among_the_best_only():
    hosts = [make_host_state(f"host{n}", memory_mb=10000 + 1000 * n) for n in range(5)]
    picked = {
        chosen(run(make_spec(), hosts, seed=seed, host_subset_size=2))[0] for seed in range(40)
    }
    assert picked == {"host3", "host4"}


def test_shuffle_picks_among_equals_only():
    hosts = [
        make_host_state("host1"),
        make_host_state("host2"),
        make_host_state("worse", memory_mb=8192),
    ]
    picked = {chosen(run(make_spec(), hosts, seed=seed, shuffle=True))[0] for seed in range(40)}
    assert picked == {"host1", "host2"}


def test_among_equals_the_host_with_fewest_servers_wins():
    hosts = [make_host_state("host1", num_instances=2), make_host_state("host2", num_instances=1)]
    assert chosen(run(make_spec(), hosts)) == ["host2"]


def test_negative_multiplier_packs():
    hosts = [make_host_state("empty"), make_host_state("used", memory_mb_used=8192)]
    packing = dict.fromkeys(MULTIPLIERS, 0.0) | {"ram_weight_multiplier": -1.0}
    assert chosen(run(make_spec(), hosts, multipliers=packing)) == ["used"]


def test_choice_leaves_the_given_states_alone():
    host = make_host_state("host1")
    before = dataclasses.replace(host)
    run(make_spec(3), [host])
    assert host == before
