import collections
import dataclasses
import random

import pytest

from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.context import RequestContext
from nova.objects.service import HostsChanged
from nova.rpc.local import LocalBus
from nova.scheduler.cache import PICK_LIFETIME_S
from nova.scheduler.manager import PULL_INTERVAL_S, SchedulerManager
from nova.scheduler.rpcapi import SchedulerAPI
from tests.fixtures.doubles import partly_served
from tests.fixtures.hosts import make_snapshot, make_spec
from tests.fixtures.scheduling import make_rules

CONTEXT = RequestContext(user_id="alice", project_id="demo")


@partly_served
class Hosts(ConductorHosts):
    """Hosts that a test changes by hand; every change gets a generation of its own."""

    def __init__(self):
        self.generation = 0
        self.changes = []
        self.asked = []
        self.overlap = 0

    def put(self, snapshot):
        self.generation += 1
        node = dataclasses.replace(snapshot.node, generation=self.generation)
        self.changes.append((self.generation, node.host, dataclasses.replace(snapshot, node=node)))

    def remove(self, host):
        self.generation += 1
        self.changes.append((self.generation, host, None))

    def let_down(self, host):
        """Judge a host to be down; that is no change of the host."""
        self.changes = [
            (at, name, dataclasses.replace(s, service=dataclasses.replace(s.service, is_up=False)))
            for at, name, s in self.changes
            if name == host
        ]

    def hosts_changed_since(self, context, generation):
        self.asked.append(generation)
        generation -= self.overlap
        newest = {host: snapshot for at, host, snapshot in self.changes if at > generation}
        return HostsChanged(
            generation=self.generation,
            changed=tuple(snapshot for snapshot in newest.values() if snapshot is not None),
            removed=tuple(host for host, snapshot in newest.items() if snapshot is None),
        )


@pytest.fixture
def hosts():
    return Hosts()


@pytest.fixture
def scheduler(hosts, frozen_clock):
    bus = LocalBus()
    bus.serve("conductor", "controller", [hosts]).start()
    bus.serve(
        "scheduler", "controller", [SchedulerManager(bus, make_rules(), random.Random(1))]
    ).start()
    return bus.client(SchedulerAPI).anyone()


def place(scheduler, spec):
    report = scheduler.select_destinations(CONTEXT, spec)
    return [options[0].host if options else None for options in report.destinations]


def spec_of(number, **changes):
    uuid = f"00000000-0000-4000-9000-{number:012d}"
    return dataclasses.replace(make_spec(**changes), instance_uuids=(uuid,))


def test_storm_of_200_single_requests_spreads_over_40_hosts(scheduler, hosts):
    for number in range(40):
        hosts.put(make_snapshot(f"host{number}"))
    placed = collections.Counter(place(scheduler, spec_of(number))[0] for number in range(200))
    assert set(placed.values()) == {5}
    assert len(placed) == 40
    assert hosts.asked == [0]


def test_hosts_are_pulled_once_a_second_and_only_what_changed(scheduler, hosts, frozen_clock):
    hosts.put(make_snapshot("host1"))
    for number in range(3):
        place(scheduler, spec_of(number))
    frozen_clock.advance(PULL_INTERVAL_S)
    place(scheduler, spec_of(4))
    assert hosts.asked == [0, 1]


def test_new_host_is_found_at_once_when_nothing_else_fits(scheduler, hosts):
    assert place(scheduler, spec_of(1)) == [None]
    hosts.put(make_snapshot("host1"))
    assert place(scheduler, spec_of(2)) == ["host1"]


def test_removed_host_is_not_chosen_again(scheduler, hosts, frozen_clock):
    hosts.put(make_snapshot("host1"))
    assert place(scheduler, spec_of(1)) == ["host1"]
    hosts.remove("host1")
    frozen_clock.advance(PULL_INTERVAL_S)
    assert place(scheduler, spec_of(2)) == [None]


def test_pick_stays_subtracted_when_a_pull_comes_before_its_claim(scheduler, hosts, frozen_clock):
    hosts.put(make_snapshot("host1", memory_mb=1024))
    assert place(scheduler, spec_of(1)) == ["host1"]
    hosts.put(make_snapshot("host1", memory_mb=1024))
    frozen_clock.advance(PULL_INTERVAL_S)
    assert place(scheduler, spec_of(2)) == [None]


def test_claim_that_a_pull_brings_is_not_subtracted_twice(scheduler, hosts, frozen_clock):
    hosts.put(make_snapshot("host1", memory_mb=2048))
    spec = spec_of(1)
    assert place(scheduler, spec) == ["host1"]
    hosts.put(
        make_snapshot(
            "host1", memory_mb=2048, memory_mb_used=1024, instance_uuids=spec.instance_uuids
        )
    )
    frozen_clock.advance(PULL_INTERVAL_S)
    assert place(scheduler, spec_of(2)) == ["host1"]


def test_pick_without_claim_is_given_back_after_a_time(scheduler, hosts, frozen_clock):
    hosts.put(make_snapshot("host1", memory_mb=1024))
    assert place(scheduler, spec_of(1)) == ["host1"]
    frozen_clock.advance(PICK_LIFETIME_S - 1)
    assert place(scheduler, spec_of(2)) == [None]
    hosts.put(make_snapshot("host1", memory_mb=1024))
    frozen_clock.advance(1)
    assert place(scheduler, spec_of(2)) == ["host1"]


def test_repeated_request_does_not_count_its_own_earlier_pick(scheduler, hosts):
    hosts.put(make_snapshot("host1", memory_mb=1024))
    assert place(scheduler, spec_of(1)) == ["host1"]
    assert place(scheduler, spec_of(1)) == ["host1"]


def test_host_that_is_told_again_as_down_is_refused(scheduler, hosts, frozen_clock):
    hosts.overlap = 10
    hosts.put(make_snapshot("host1"))
    assert place(scheduler, spec_of(1)) == ["host1"]
    hosts.let_down("host1")
    frozen_clock.advance(PULL_INTERVAL_S)
    assert place(scheduler, spec_of(2)) == [None]


def test_report_carries_the_time(scheduler, hosts, frozen_clock):
    report = scheduler.select_destinations(CONTEXT, spec_of(1))
    assert report.created_at == frozen_clock.now
