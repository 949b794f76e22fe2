import collections
import concurrent.futures
import random

import pytest

from nova.exception import DriverError

REFUSED = DriverError(operation="start", reason="no")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_creations_and_deletions_in_any_order_leave_nothing(new_cloud, seed):
    cloud = new_cloud(hosts=4, threads=8, cidr="10.0.0.0/23")
    rng = random.Random(seed)
    for host in cloud.hosts.values():
        host.driver.fail_next("spawn", REFUSED, count=2)
        host.driver.fail_next("destroy", REFUSED, count=1)
    deleted_early = {number for number in range(60) if rng.random() < 0.5}

    def live(number):
        (server,) = cloud.request_boot("tiny")
        if number in deleted_early:
            server.request_delete()
        return server

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        servers = list(pool.map(live, range(60)))
    cloud.run_until_idle()
    cloud.advance(120)
    left = [server for number, server in enumerate(servers) if number not in deleted_early]
    listed = {found["id"] for found in cloud.rest.get("/servers").json["servers"]}
    assert listed == {server.uuid for server in left}
    statuses = collections.Counter(server.status for server in left)
    assert statuses["ACTIVE"] + statuses["ERROR"] == len(left)
    guests = [uuid for host in cloud.hosts.values() for uuid in host.driver.list_files()]
    assert sorted(guests) == sorted(s.uuid for s in left if s.status == "ACTIVE")
    for server in left:
        server.request_delete()
    cloud.run_until_idle()
    cloud.advance(120)
    cloud.assert_nothing_left()


def test_parallel_storm_spreads_evenly(new_cloud):
    cloud = new_cloud(hosts=8, threads=8, cidr="10.0.0.0/23")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        servers = [found[0] for found in pool.map(cloud.request_boot, ["tiny"] * 80)]
    cloud.run_until_idle()
    hosts = collections.Counter(server.instance().host for server in servers)
    assert set(hosts.values()) == {10}
    addresses = [vif.fixed_ip for server in servers for vif in server.instance().vifs]
    assert len(set(addresses)) == 80
