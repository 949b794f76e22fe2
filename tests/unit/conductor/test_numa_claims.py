"""Cells of hosts in the database: claims, reports and what both do at the same time."""

import datetime

import pytest

from nova.conductor import numa_claims
from nova.db import compute_nodes
from nova.exception import HostClaimFailed
from nova.objects.numa import HostCell, HostNuma
from tests.fixtures.conductor import make_conductor, seed_host
from tests.fixtures.guests import make_flavor

HOST, NODE = "host1", "host1.example"
NOW = datetime.datetime(2026, 1, 2, 12, 0, 0)
CELLS = HostNuma(cells=(HostCell(id=0, cpus=(0,), dedicated=(1, 2), memory_mb=4096),))
PINNED = make_flavor(vcpus=1, memory_mb=512, extra_specs={"hw:cpu_policy": "dedicated"})


@pytest.fixture
def conductor(frozen_clock):
    conductor = make_conductor()
    seed_host(conductor, numa_topology=CELLS)
    yield conductor
    conductor.stop()


def claim(conductor, flavor=PINNED):
    with conductor.db.transaction() as tx:
        return numa_claims.take(tx, HOST, NODE, flavor, {}, NOW)


def node(conductor):
    with conductor.db.reading() as tx:
        return compute_nodes.find(tx, HOST, NODE)


def test_claims_take_processors_one_after_another_until_none_is_left(conductor):
    placed = [claim(conductor) for _ in range(2)]
    assert [one.cells[0].pinning for one in placed] == [{0: 1}, {0: 2}]
    with pytest.raises(HostClaimFailed):
        claim(conductor)
    with conductor.db.transaction() as tx:
        numa_claims.give_back(tx, HOST, NODE, placed[0], NOW)
    assert node(conductor).numa_topology.cells[0].pinned == (2,)
    assert claim(conductor).cells[0].pinning == {0: 1}


def test_server_without_cells_takes_nothing(conductor):
    before = node(conductor)
    assert claim(conductor, make_flavor()) is None
    assert node(conductor) == before


def test_host_without_cells_can_not_be_claimed(frozen_clock):
    plain = make_conductor()
    seed_host(plain)
    with pytest.raises(HostClaimFailed):
        claim(plain)
    plain.stop()


def test_cells_that_are_not_reported_for_a_while_stay_taken(conductor):
    claim(conductor)
    seed_host(conductor, numa_topology=None)
    other = HostNuma(cells=(HostCell(id=1, cpus=(8,), memory_mb=4096),))
    seed_host(conductor, numa_topology=other)
    assert [cell.id for cell in node(conductor).numa_topology.cells] == [1, 0]
    seed_host(conductor, numa_topology=CELLS)
    assert node(conductor).numa_topology.cells[0].pinned == (1,)
    claim(conductor)
    with pytest.raises(HostClaimFailed):
        claim(conductor)


def test_each_claim_gives_the_node_a_new_generation_for_the_scheduler(conductor):
    before = node(conductor).generation
    claim(conductor)
    assert node(conductor).generation > before


def test_what_was_read_before_another_claim_is_not_written(conductor):
    stale = node(conductor)
    claim(conductor)
    with conductor.db.transaction() as tx:
        assert not compute_nodes.set_numa(tx, stale, CELLS, NOW)
    assert node(conductor).numa_topology.cells[0].pinned == (1,)


def test_reports_keep_what_is_taken_and_change_what_the_host_has(conductor):
    claim(conductor)
    seed_host(conductor, numa_topology=CELLS)
    assert node(conductor).numa_topology.cells[0].pinned == (1,)
    grown = HostNuma(cells=(HostCell(id=0, cpus=(0,), dedicated=(1, 2, 3), memory_mb=4096),))
    seed_host(conductor, numa_topology=grown)
    (cell,) = node(conductor).numa_topology.cells
    assert (cell.dedicated, cell.pinned) == ((1, 2, 3), (1,))


def test_traits_of_a_host_are_kept(conductor):
    seed_host(conductor, numa_topology=CELLS, traits=("COMPUTE_FIRMWARE_UEFI",))
    assert node(conductor).traits == ("COMPUTE_FIRMWARE_UEFI",)
