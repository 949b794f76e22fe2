"""Aggregates, and the zones that they make."""

import pytest

from nova.conductor.rpcapi.aggregates import ConductorAggregates
from nova.context import get_admin_context
from nova.exception import (
    AggregateHostExists,
    AggregateHostNotFound,
    AggregateInUse,
    AggregateNameExists,
    AggregateNotFound,
    AggregateZoneConflict,
    AvailabilityZoneNotFound,
    ComputeHostNotFound,
    InvalidAggregateAction,
    InvalidInput,
)
from nova.objects.aggregate import AggregateChange
from nova.objects.service import ServiceChange
from tests.fixtures.conductor import ANYBODY, finish_build, make_site, seed_host, user_context

ADMIN = get_admin_context()


@pytest.fixture
def site(frozen_clock):
    return make_site()


def client(site):
    return site.conductor.bus.client(ConductorAggregates).anyone()


def make_aggregate(site, name="rack1", zone=None, hosts=()):
    aggregates = client(site)
    aggregate = aggregates.create(ADMIN, name, zone)
    for host in hosts:
        aggregate = aggregates.add_host(ADMIN, aggregate.id, host)
    return aggregate


def zones(site):
    services = site.conductor.hosts.list_services(ADMIN, binary="nova-compute")
    return {service.host: service.availability_zone for service in services}


def test_an_aggregate_keeps_hosts_and_metadata(site):
    made = make_aggregate(site, zone="east", hosts=("host2", "host1"))
    changed = client(site).set_metadata(ADMIN, made.id, {"ssd": "true", "gpu": "no"})
    assert changed.hosts == ("host1", "host2")
    assert changed.metadata == {"availability_zone": "east", "gpu": "no", "ssd": "true"}
    changed = client(site).set_metadata(ADMIN, made.id, {"gpu": None, "ssd": "false"})
    assert changed.metadata == {"availability_zone": "east", "ssd": "false"}
    assert client(site).list_all(ADMIN) == (changed,)
    renamed = client(site).update(ADMIN, made.id, AggregateChange(name="rack2"))
    assert (renamed.name, renamed.availability_zone) == ("rack2", "east")


def test_lists_take_three_statements_however_many_aggregates(site):
    for number in range(4):
        make_aggregate(site, f"rack{number}", hosts=("host1", "host2"))
    site.conductor.counter.take()
    assert len(client(site).list_all(ADMIN)) == 4
    assert len(site.conductor.counter.take()) == 3


def test_what_is_not_there_is_told(site):
    aggregates = client(site)
    for call in (aggregates.get, aggregates.delete):
        with pytest.raises(AggregateNotFound):
            call(ADMIN, 99)
    for change in (aggregates.add_host, aggregates.remove_host):
        with pytest.raises(AggregateNotFound):
            change(ADMIN, 99, "host1")
    with pytest.raises(AggregateNotFound):
        aggregates.set_metadata(ADMIN, 99, {"a": "b"})
    with pytest.raises(AggregateNotFound):
        aggregates.update(ADMIN, 99, AggregateChange(name="x"))
    with pytest.raises(AggregateNotFound):
        aggregates.cache_images(ADMIN, 99, ("image",))
    made = make_aggregate(site)
    with pytest.raises(ComputeHostNotFound):
        aggregates.add_host(ADMIN, made.id, "nowhere")
    with pytest.raises(AggregateHostNotFound):
        aggregates.remove_host(ADMIN, made.id, "host1")


def test_what_is_there_already_is_refused(site):
    made = make_aggregate(site, hosts=("host1",))
    other = make_aggregate(site, "rack2")
    with pytest.raises(AggregateNameExists):
        make_aggregate(site)
    with pytest.raises(AggregateNameExists):
        client(site).update(ADMIN, other.id, AggregateChange(name="rack1"))
    client(site).update(ADMIN, made.id, AggregateChange(name="rack1"))
    with pytest.raises(AggregateHostExists):
        client(site).add_host(ADMIN, made.id, "host1")
    with pytest.raises(AggregateInUse):
        client(site).delete(ADMIN, made.id)
    client(site).remove_host(ADMIN, made.id, "host1")
    client(site).delete(ADMIN, made.id)
    assert [found.id for found in client(site).list_all(ADMIN)] == [other.id]


def test_hosts_are_in_the_zone_of_their_aggregate_and_else_in_the_default_one(site):
    made = make_aggregate(site, zone="east", hosts=("host1",))
    make_aggregate(site, "plain", hosts=("host1", "host2"))
    assert zones(site) == {"host1": "east", "host2": "nova"}
    found = {zone.name: set(zone.hosts) for zone in site.conductor.hosts.list_zones(ADMIN)}
    assert found == {"east": {"host1"}, "nova": {"host2"}}
    client(site).update(ADMIN, made.id, AggregateChange(availability_zone=None))
    assert zones(site) == {"host1": "nova", "host2": "nova"}


def test_a_host_is_in_one_zone_only(site):
    make_aggregate(site, zone="east", hosts=("host1",))
    west = make_aggregate(site, "west", zone="west")
    with pytest.raises(AggregateZoneConflict, match="more than one availability zone"):
        client(site).add_host(ADMIN, west.id, "host1")
    plain = make_aggregate(site, "plain", hosts=("host1",))
    with pytest.raises(InvalidAggregateAction):
        client(site).set_metadata(ADMIN, plain.id, {"availability_zone": "west"})
    with pytest.raises(InvalidAggregateAction):
        client(site).update(ADMIN, plain.id, AggregateChange(availability_zone="west"))
    same = client(site).set_metadata(ADMIN, plain.id, {"availability_zone": "east"})
    assert same.availability_zone == "east"


@pytest.mark.parametrize("zone", ["", " ", "a:b", "x" * 256])
def test_names_of_zones_are_checked_in_metadata_too(site, zone):
    made = make_aggregate(site)
    with pytest.raises(InvalidInput):
        client(site).set_metadata(ADMIN, made.id, {"availability_zone": zone})


def test_the_zone_of_a_host_with_servers_stays(site):
    made = make_aggregate(site, zone="east", hosts=("host1",))
    west = make_aggregate(site, "west", zone="west")
    nowhere = make_aggregate(site, "plain", hosts=("host1",))
    server = site.conductor.boot(site.compute)
    assert (server.host, server.availability_zone) == ("host1", "east")
    aggregates = client(site)
    with pytest.raises(InvalidAggregateAction, match="with servers on it"):
        aggregates.update(ADMIN, made.id, AggregateChange(availability_zone="north"))
    with pytest.raises(InvalidAggregateAction):
        aggregates.set_metadata(ADMIN, made.id, {"availability_zone": None})
    with pytest.raises(AggregateZoneConflict):
        aggregates.remove_host(ADMIN, made.id, "host1")
    with pytest.raises(AggregateZoneConflict):
        aggregates.add_host(ADMIN, west.id, "host1")
    aggregates.update(ADMIN, made.id, AggregateChange(name="x", availability_zone="east"))
    aggregates.set_metadata(ADMIN, made.id, {"ssd": "true"})
    aggregates.remove_host(ADMIN, nowhere.id, "host1")
    aggregates.add_host(ADMIN, west.id, "host2")
    _delete(site, server.uuid)
    aggregates.remove_host(ADMIN, made.id, "host1")
    assert zones(site) == {"host1": "nova", "host2": "west"}


def _delete(site, uuid):
    site.conductor.instances.begin_action(user_context(), ANYBODY, uuid, "delete")
    site.conductor.bus.run_until_idle()
    finish_build(site.conductor, site.compute.works[-1])


def test_a_zone_may_be_given_by_a_second_aggregate_while_servers_run(site):
    made = make_aggregate(site, zone="east", hosts=("host1",))
    site.conductor.boot(site.compute)
    again = make_aggregate(site, "again", zone="east", hosts=("host1",))
    client(site).remove_host(ADMIN, made.id, "host1")
    assert zones(site)["host1"] == again.availability_zone


def test_each_change_is_in_the_schedulers_next_delta(site, frozen_clock):
    hosts = site.conductor.hosts
    made = make_aggregate(site)
    changes = [
        lambda: client(site).add_host(ADMIN, made.id, "host1"),
        lambda: client(site).set_metadata(ADMIN, made.id, {"ssd": "true"}),
        lambda: client(site).update(ADMIN, made.id, AggregateChange(availability_zone="east")),
        lambda: client(site).remove_host(ADMIN, made.id, "host1"),
    ]
    expected = [
        ({}, "nova"),
        ({"ssd": ("true",)}, "nova"),
        ({"ssd": ("true",), "availability_zone": ("east",)}, "east"),
        ({}, "nova"),
    ]
    for change, (metadata, zone) in zip(changes, expected, strict=True):
        frozen_clock.advance(10)
        seed_host(site.conductor, "host1")
        seed_host(site.conductor, "host2")
        frozen_clock.advance(10)
        generation = hosts.hosts_changed_since(ADMIN, 0).generation
        change()
        (entry,) = hosts.hosts_changed_since(ADMIN, generation).changed
        assert entry.node.host == "host1"
        assert (entry.aggregate_metadata, entry.availability_zone) == (metadata, zone)


def test_values_of_all_aggregates_of_a_host_are_told(site):
    for number in (1, 2):
        made = make_aggregate(site, f"rack{number}", hosts=("host1",))
        client(site).set_metadata(ADMIN, made.id, {"ratio": str(number), "same": "x"})
    entry = site.conductor.hosts.hosts_changed_since(ADMIN, 0).changed[0]
    assert entry.aggregate_metadata == {"ratio": ("1", "2"), "same": ("x",)}


def test_a_forgotten_host_leaves_its_aggregates(site):
    made = make_aggregate(site, hosts=("host1", "host2"))
    site.conductor.hosts.delete_service(ADMIN, "host1/nova-compute")
    assert client(site).get(ADMIN, made.id).hosts == ("host2",)


def test_images_are_fetched_by_the_live_hosts_of_an_aggregate(site, frozen_clock):
    made = make_aggregate(site, hosts=("host1", "host2"))
    client(site).cache_images(ADMIN, made.id, ("one", "two"))
    site.conductor.bus.run_until_idle()
    assert [site.computes[name].cached for name in ("host1", "host2")] == [[("one", "two")]] * 2
    frozen_clock.advance(120)
    seed_host(site.conductor, "host2")
    client(site).cache_images(ADMIN, made.id, ("three",))
    site.conductor.bus.run_until_idle()
    assert site.computes["host1"].cached == [("one", "two")]
    assert site.computes["host2"].cached[1:] == [("three",)]


def test_a_zone_without_usable_hosts_is_refused_at_boot(site):
    make_aggregate(site, zone="east", hosts=("host1",))
    make_aggregate(site, "empty", zone="west")
    for zone in ("west", "nowhere", "internal"):
        with pytest.raises(AvailabilityZoneNotFound):
            site.conductor.create(availability_zone=zone)
    for zone in ("east", "nova"):
        site.conductor.create(availability_zone=zone)
        assert site.scheduler.specs[-1].availability_zone == zone
    site.conductor.hosts.update_service(ADMIN, "host2/nova-compute", ServiceChange(disabled=True))
    with pytest.raises(AvailabilityZoneNotFound):
        site.conductor.create(availability_zone="nova")
    site.conductor.create(availability_zone="west", force_host="host1")


def test_a_boot_takes_the_real_zone_of_its_host(site):
    make_aggregate(site, zone="east", hosts=("host1",))
    (uuid,) = site.conductor.create()
    assert site.conductor.get(uuid).availability_zone == "east"
    assert site.compute.works[-1].detail.instance.availability_zone == "east"
