"""Servers with processors and cells of their own, through the whole cloud."""

import pytest

from nova.conductor.rpcapi.flavors import ConductorFlavors
from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.context import get_admin_context
from nova.exception import DriverError
from nova.objects.flavor import NewFlavor
from nova.objects.instance import Scope
from nova.objects.numa import HostCell, HostNuma
from nova.virt.fake import FakeSize
from tests.fixtures.cloud import FLAVORS

HOST = HostNuma(cells=(HostCell(id=0, cpus=(0,), dedicated=(1, 2, 3, 4), memory_mb=8192),))
PINNED = {"hw:cpu_policy": "dedicated"}


@pytest.fixture
def cloud(new_cloud):
    """Return a cloud of one host with four dedicated processors."""
    size = FakeSize(vcpus=8, memory_mb=16384, local_gb=200, numa=HOST)
    return new_cloud(hosts=1, size=size)


def make_flavor(cloud, name, specs, vcpus=2):
    client = cloud.bus.client(ConductorFlavors).anyone()
    new = NewFlavor(flavorid=name, name=name, memory_mb=512, vcpus=vcpus, root_gb=1)
    client.create(get_admin_context(), new)
    client.set_extra_specs(get_admin_context(), name, specs)
    FLAVORS[name] = new


@pytest.fixture(autouse=True)
def flavors_as_before():
    before = dict(FLAVORS)
    yield
    FLAVORS.clear()
    FLAVORS.update(before)


def cells(cloud):
    hosts = cloud.bus.client(ConductorHosts).anyone()
    (entry,) = hosts.hosts_changed_since(get_admin_context(), 0).changed
    return entry.node.numa_topology


def pins(server):
    placed = server.instance().numa_topology
    return {cpu for cell in placed.cells for cpu in cell.pinning.values()}


def test_two_dedicated_servers_share_no_processor_and_a_third_is_told_why_not(cloud):
    make_flavor(cloud, "pinned", PINNED)
    first, second, third = (cloud.boot("pinned") for _ in range(3))
    assert (first.status, second.status) == ("ACTIVE", "ACTIVE")
    assert pins(first) | pins(second) == {1, 2, 3, 4}
    assert third.status == "ERROR"
    fault = third.show()["fault"]["message"]
    assert "No valid host" in fault and "NUMA" in fault
    client = cloud.bus.client(ConductorInstances).anyone()
    (report,) = client.explain(get_admin_context(), Scope(), third.uuid)
    (rejected,) = [one for found in report.filters for one in found.rejected]
    assert rejected.reason == "2 dedicated CPUs wanted in one cell, cell 0 has 0 free"
    first.delete()
    assert set(cells(cloud).cells[0].pinned) == pins(second)
    fourth = cloud.boot("pinned")
    assert fourth.status == "ACTIVE" and not pins(fourth) & pins(second)
    for server in (second, third, fourth):
        server.delete()
    cloud.assert_nothing_left()
    assert cells(cloud) == HOST


def test_dedicated_servers_of_one_request_share_no_processor(cloud):
    make_flavor(cloud, "pinned", PINNED)
    servers = cloud.request_boot("pinned", count=2)
    cloud.run_until_idle()
    assert [server.status for server in servers] == ["ACTIVE", "ACTIVE"]
    assert len(pins(servers[0]) | pins(servers[1])) == 4


def test_failed_build_gives_its_processors_back(cloud):
    make_flavor(cloud, "pinned", PINNED)
    failure = DriverError(operation="start", reason="broken")
    cloud.driver(next(iter(cloud.hosts))).fail_next("spawn", failure, count=5)
    server = cloud.boot("pinned")
    assert server.status == "ERROR"
    assert server.instance().numa_topology is None
    assert cells(cloud) == HOST


def test_processors_stay_taken_through_reports_and_restarts(cloud):
    make_flavor(cloud, "pinned", PINNED)
    server = cloud.boot("pinned")
    cloud.restart_compute(next(iter(cloud.hosts)))
    cloud.advance(60)
    assert set(cells(cloud).cells[0].pinned) == pins(server)


@pytest.mark.parametrize("end", ["confirmResize", "revertResize"])
def test_resize_holds_processors_for_both_flavors_until_it_ends(cloud, end):
    make_flavor(cloud, "pinned", PINNED, vcpus=1)
    make_flavor(cloud, "wider", PINNED, vcpus=2)
    server = cloud.boot("pinned")
    old = pins(server)
    server.act({"resize": {"flavorRef": "wider"}})
    new = pins(server)
    assert server.status == "VERIFY_RESIZE"
    assert (len(old), len(new), old & new) == (1, 2, set())
    assert set(cells(cloud).cells[0].pinned) == old | new
    assert cloud.boot("wider").status == "ERROR"
    assert cloud.rest.post(f"/servers/{server.uuid}/action", {end: None}).status_int in (202, 204)
    cloud.run_until_idle()
    assert server.status == "ACTIVE"
    kept = new if end == "confirmResize" else old
    assert pins(server) == kept
    assert set(cells(cloud).cells[0].pinned) == kept
    server.delete()
    assert cells(cloud) == HOST


def test_resize_without_room_changes_nothing(cloud):
    make_flavor(cloud, "pinned", PINNED)
    make_flavor(cloud, "wider", PINNED, vcpus=3)
    server = cloud.boot("pinned")
    before = pins(server)
    answer = cloud.rest.post(f"/servers/{server.uuid}/action", {"resize": {"flavorRef": "wider"}})
    assert answer.status_int == 400, answer.text
    assert (server.status, pins(server)) == ("ACTIVE", before)
    assert set(cells(cloud).cells[0].pinned) == before


def test_shelved_server_leaves_its_processors_to_others(cloud):
    make_flavor(cloud, "pinned", PINNED, vcpus=4)
    server = cloud.boot("pinned")
    server.act({"shelve": None})
    server.act({"shelveOffload": None}) if server.status == "SHELVED" else None
    assert cells(cloud) == HOST
    assert server.instance().numa_topology is None
    # The scheduler remembers a choice for a while that no report has confirmed.
    cloud.advance(70)
    other = cloud.boot("pinned")
    assert other.status == "ACTIVE"


def test_impossible_topology_is_refused_at_once_and_nothing_is_stored(cloud):
    specs = {"hw:cpu_sockets": "2", "hw:cpu_cores": "2", "hw:cpu_threads": "2"}
    make_flavor(cloud, "odd", specs)
    body = {"name": "web", "flavorRef": "odd", "imageRef": cloud.image_id, "networks": "none"}
    answer = cloud.rest.at("2.37").post("/servers", {"server": body})
    assert answer.status_int == 400
    assert "do not make up the 2 VCPUs" in answer.text
    cloud.assert_nothing_left()


def test_server_that_needs_what_no_host_has_is_told_so(new_cloud):
    cloud = new_cloud(hosts=1, size=FakeSize(vcpus=8, memory_mb=16384, local_gb=200, traits=()))
    make_flavor(cloud, "tpm", {"hw:tpm_version": "2.0"})
    server = cloud.boot("tpm")
    assert server.status == "ERROR"
    assert "TPM" in server.show()["fault"]["message"]


def test_topology_is_shown_and_only_administrators_see_the_host(cloud):
    make_flavor(cloud, "pinned", {**PINNED, "hw:mem_page_size": "small"})
    server = cloud.boot("pinned")
    path = f"/servers/{server.uuid}/topology"
    own = cloud.api().at("2.78").get(path)
    assert own.status_int == 200
    node = {"memory_mb": 512, "siblings": [], "vcpu_set": [0, 1]}
    assert own.json == {"nodes": [node], "pagesize_kb": 4}
    admin = cloud.rest.as_admin().at("2.78").get(path)
    pinning = {
        str(cpu): host for cpu, host in server.instance().numa_topology.cells[0].pinning.items()
    }
    assert admin.json["nodes"] == [node | {"host_node": 0, "cpu_pinning": pinning}]
    assert cloud.api().at("2.77").get(path).status_int == 404
    assert cloud.api(project="other").at("2.78").get(path).status_int == 404


def test_server_without_cells_has_an_empty_topology(cloud):
    server = cloud.boot()
    answer = cloud.api().at("2.78").get(f"/servers/{server.uuid}/topology")
    assert answer.json == {"nodes": [], "pagesize_kb": None}
