"""Server groups, aggregates and zones with every daemon at work."""

import dataclasses
import random

import pytest

from nova.context import RequestContext
from nova.objects.image import Image
from nova.objects.image_isolation import ImageIsolation
from nova.objects.request_spec import PlacementReport, RequestSpec
from nova.scheduler.manager import SchedulerManager
from nova.scheduler.rpcapi import SchedulerAPI
from tests.fixtures.cloud import CONTROLLER, FLAVORS, IMAGE_ID, Server, make_cloud
from tests.fixtures.scheduling import make_rules


@pytest.fixture
def cloud(frozen_clock):
    found = make_cloud(frozen_clock, hosts=3)
    yield found
    found.close()


def make_group(cloud, policy, **rules):
    body = {"name": "web", "policy": policy} | ({"rules": rules} if rules else {})
    answer = cloud.rest.at("2.64").post("/os-server-groups", {"server_group": body})
    assert answer.status_int == 200, answer.text
    return answer.json["server_group"]["id"]


def request(cloud, hints=None, rest=None, **server):
    body = {
        "name": "web",
        "flavorRef": FLAVORS["tiny"].flavorid,
        "imageRef": IMAGE_ID,
        "networks": "auto",
    }
    rest = rest or cloud.rest
    answer = rest.at("2.37").post(
        "/servers", {"server": body | server, "os:scheduler_hints": hints or {}}
    )
    assert answer.status_int == 202, answer.text
    return answer.json


def boot(cloud, hints=None, rest=None, **server):
    made = request(cloud, hints, rest, **server)
    cloud.run_until_idle()
    return Server(cloud, made["server"]["id"]).instance()


def boot_many(cloud, count, hints):
    number = {"min_count": count, "max_count": count, "return_reservation_id": True}
    made = request(cloud, hints, **number)
    cloud.run_until_idle()
    return [server.instance() for server in cloud.servers_of(made["reservation_id"])]


def make_aggregate(cloud, name, *hosts, **metadata):
    admin = cloud.rest.as_admin()
    made = admin.post("/os-aggregates", {"aggregate": {"name": name}}).json["aggregate"]
    path = f"/os-aggregates/{made['id']}/action"
    for host in hosts:
        assert admin.post(path, {"add_host": {"host": host}}).status_int == 200
    answer = admin.post(path, {"set_metadata": {"metadata": metadata}})
    assert answer.status_int == 200, answer.text
    return made["id"]


# --- Groups


def test_anti_affinity_over_single_and_multiple_boots(cloud):
    hints = {"group": make_group(cloud, "anti-affinity")}
    first = boot(cloud, hints)
    rest = boot_many(cloud, 2, hints)
    assert {first.host, *(server.host for server in rest)} == {"host1", "host2", "host3"}
    refused = boot(cloud, hints)
    assert refused.host is None
    assert "with as many servers of the group as allowed" in refused.fault.message


def test_a_deleted_member_makes_room(cloud):
    hints = {"group": make_group(cloud, "anti-affinity")}
    servers = boot_many(cloud, 3, hints)
    Server(cloud, servers[1].uuid).delete()
    assert boot(cloud, hints).host == servers[1].host


def test_anti_affinity_with_two_on_a_host(cloud):
    hints = {"group": make_group(cloud, "anti-affinity", max_server_per_host=2)}
    hosts = sorted(server.host or "" for server in boot_many(cloud, 7, hints))
    assert hosts == ["", "host1", "host1", "host2", "host2", "host3", "host3"]


def test_affinity_over_single_and_multiple_boots(cloud):
    hints = {"group": make_group(cloud, "affinity")}
    servers = [boot(cloud, hints), *boot_many(cloud, 3, hints), boot(cloud, hints)]
    assert len({server.host for server in servers}) == 1
    assert servers[0].host is not None


def test_soft_anti_affinity_spreads_and_never_fails(cloud):
    hints = {"group": make_group(cloud, "soft-anti-affinity")}
    servers = boot_many(cloud, 4, hints)
    assert {server.host for server in servers} == {"host1", "host2", "host3"}


def test_hints_keep_servers_together_and_apart(frozen_clock):
    filters = ("ComputeFilter", "SameHostFilter", "DifferentHostFilter")
    cloud = make_cloud(frozen_clock, hosts=3)
    cloud.scheduler.stop()
    serve_scheduler(cloud, SchedulerManager(cloud.bus, make_rules(filters), random.Random(1)))
    first = boot(cloud)
    assert boot(cloud, {"same_host": first.uuid}).host == first.host
    assert boot(cloud, {"different_host": [first.uuid]}).host != first.host
    bob = cloud.api("bob", "b" * 32)
    foreign = boot(cloud, {"same_host": [first.uuid]}, rest=bob)
    unknown = boot(cloud, {"same_host": ["00000000-0000-4000-8000-000000000000"]}, rest=bob)
    assert (foreign.host, unknown.host) == (None, None)
    assert foreign.fault.message == unknown.fault.message
    cloud.close()


class TwoSchedulers(SchedulerAPI):
    """Two schedulers that know nothing of each other's picks.

    The first is slow to answer its first request: everything else happens meanwhile.
    """

    def __init__(self, cloud):
        self._cloud = cloud
        self._managers = [
            SchedulerManager(cloud.bus, make_rules(), random.Random(1)) for _ in range(2)
        ]
        self.chosen = []

    def select_destinations(self, context: RequestContext, spec: RequestSpec) -> PlacementReport:
        number = len(self.chosen)
        report = self._managers[min(number, 1)].select_destinations(context, spec)
        self.chosen.append(report.destinations[0][0].host)
        if number == 0:
            self._cloud.bus.run_until_idle()
        return report


def serve_scheduler(cloud, manager):
    cloud.bus.serve("scheduler", CONTROLLER, [manager]).start()


def test_of_two_schedulers_at_once_the_second_one_to_claim_gives_way(frozen_clock):
    cloud = make_cloud(frozen_clock, hosts=3)
    hints = {"group": make_group(cloud, "anti-affinity")}
    cloud.scheduler.stop()
    schedulers = TwoSchedulers(cloud)
    serve_scheduler(cloud, schedulers)
    made = [request(cloud, hints)["server"]["id"] for _ in range(2)]
    cloud.run_until_idle()
    first, second = (cloud.instance(uuid) for uuid in made)
    assert schedulers.chosen[:2] == ["host1", "host1"]
    assert None not in (first.host, second.host)
    assert first.host != second.host
    cloud.close()


# --- Aggregates and zones


def test_servers_go_to_the_zone_they_ask_for(cloud):
    make_aggregate(cloud, "east", "host2", availability_zone="east")
    for _ in range(2):
        server = boot(cloud, availability_zone="east")
        assert (server.host, server.availability_zone) == ("host2", "east")
    other = boot(cloud, availability_zone="nova")
    assert other.host in ("host1", "host3")
    assert other.availability_zone == "nova"


def test_a_host_named_within_a_zone_is_taken(cloud):
    make_aggregate(cloud, "east", "host2", availability_zone="east")
    admin = cloud.rest.as_admin()
    node = next(
        entry["hypervisor_hostname"]
        for entry in admin.get("/os-hypervisors/detail").json["hypervisors"]
        if entry["service"]["host"] == "host2"
    )
    for zone in ("east:host2", f"east:host2:{node}"):
        server = boot(cloud, rest=admin, availability_zone=zone)
        assert (server.host, server.availability_zone) == ("host2", "east")


def test_a_scheduler_learns_of_a_new_zone_at_once(cloud, frozen_clock):
    assert boot(cloud).availability_zone == "nova"
    busy = {server["OS-EXT-SRV-ATTR:host"] for server in _details(cloud)}
    free = next(host for host in ("host1", "host2", "host3") if host not in busy)
    make_aggregate(cloud, "east", free, availability_zone="east")
    assert boot(cloud, availability_zone="east").host == free


def _details(cloud):
    answer = cloud.rest.as_admin().get("/servers/detail?all_tenants=1")
    return answer.json["servers"]


def test_the_default_zone_for_scheduling_holds_when_none_is_named(frozen_clock):
    settings = {"default_schedule_zone": "east"}
    cloud = make_cloud(frozen_clock, hosts=3, conductor_settings=settings)
    make_aggregate(cloud, "east", "host3", availability_zone="east")
    assert [boot(cloud).host for _ in range(2)] == ["host3", "host3"]
    cloud.close()


def test_a_ratio_of_an_aggregate_holds_at_the_claim(frozen_clock):
    cloud = make_cloud(frozen_clock, hosts=1, conductor_settings={"cpu_allocation_ratio": 0.125})
    cloud.scheduler.stop()
    rules = make_rules(("ComputeFilter", "AggregateCoreFilter"))
    serve_scheduler(cloud, SchedulerManager(cloud.bus, rules, random.Random(1)))
    assert boot(cloud).host == "host1"
    assert boot(cloud).host is None
    make_aggregate(cloud, "dense", "host1", cpu_allocation_ratio="0.25")
    assert boot(cloud).host == "host1"
    assert boot(cloud).host is None
    cloud.close()


def test_images_are_fetched_by_the_hosts_of_an_aggregate(cloud):
    aggregate_id = make_aggregate(cloud, "east", "host1", "host3")
    admin = cloud.rest.as_admin().at("2.81")
    body = {"cache": [{"id": IMAGE_ID}]}
    assert admin.post(f"/os-aggregates/{aggregate_id}/images", body).status_int == 202
    cloud.run_until_idle()
    cached = {name: host.driver.cached_images for name, host in cloud.hosts.items()}
    assert cached == {"host1": {IMAGE_ID}, "host2": set(), "host3": {IMAGE_ID}}


# --- Images that are kept apart


def _rebuild(server, image_id):
    body = {"rebuild": {"imageRef": image_id}}
    return server.cloud.rest.post(f"/servers/{server.uuid}/action", body).status_int


def test_in_11_isolated_images_are_refused_at_a_rebuild_elsewhere(frozen_clock):
    secret = "22222222-2222-4333-8444-555555555555"
    isolation = ImageIsolation(hosts=("host2",), images=(secret,), by_host=True)
    settings = {"image_isolation": isolation}
    cloud = make_cloud(frozen_clock, hosts=1, conductor_settings=settings)
    cloud.images.add(Image(id=secret, name="secret", visibility="public"), b"x")
    server = cloud.boot("tiny")
    before = cloud.claims()
    assert _rebuild(server, secret) == 400
    assert server.instance().image_ref == IMAGE_ID
    assert cloud.claims() == before
    off = {"image_isolation": dataclasses.replace(isolation, by_host=False)}
    other = make_cloud(frozen_clock, hosts=1, conductor_settings=off)
    other.images.add(Image(id=secret, name="secret", visibility="public"), b"x")
    assert _rebuild(other.boot("tiny"), secret) == 202
    for one in (cloud, other):
        one.run_until_idle()
        one.close()


def test_in_11_images_that_aggregates_do_not_want_are_refused_at_a_rebuild(frozen_clock):
    windows = "33333333-2222-4333-8444-555555555555"
    settings = {"image_isolation": ImageIsolation(by_aggregate=True)}
    cloud = make_cloud(frozen_clock, hosts=1, conductor_settings=settings)
    image = Image(id=windows, visibility="public", properties={"os_type": "windows"})
    cloud.images.add(image, b"x")
    server = cloud.boot("tiny")
    aggregate_id = make_aggregate(cloud, "linux", "host1", os_type="linux")
    assert _rebuild(server, windows) == 400
    body = {"set_metadata": {"metadata": {"os_type": "windows"}}}
    path = f"/os-aggregates/{aggregate_id}/action"
    assert cloud.rest.as_admin().post(path, body).status_int == 200
    assert _rebuild(server, windows) == 202
    cloud.run_until_idle()
    cloud.close()
