"""Guests on the cells of a host: what fits, what does not, and that nothing is given twice."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from nova.objects.numa import GuestCell, GuestNuma, HostCell, HostNuma
from nova.objects.numa_fit import Ratios, fit
from nova.objects.numa_usage import given_back, taken, with_usage_of, without_usage


def cell(cell_id=0, **changes):
    """Return 8 dedicated CPUs on 4 cores, 2 shared ones and 8 GiB, 1 GiB of it in 2 MiB pages."""
    first = cell_id * 10
    values = {
        "id": cell_id,
        "cpus": (first + 8, first + 9),
        "dedicated": tuple(range(first, first + 8)),
        "memory_mb": 8192,
        "siblings": tuple((first + n, first + n + 1) for n in (0, 2, 4, 6, 8)),
        "pages_total": {4: 1835008, 2048: 512},
    }
    return HostCell(**(values | changes))


def host(*cells):
    return HostNuma(cells=cells or (cell(0), cell(1)))


def guest(cpus=2, dedicated=None, memory_mb=1024, count=1, **changes):
    dedicated = cpus if dedicated is None else dedicated
    cells = tuple(
        GuestCell(
            id=n,
            cpus=tuple(range(n * cpus, (n + 1) * cpus)),
            dedicated=tuple(range(n * cpus, n * cpus + dedicated)),
            memory_mb=memory_mb,
        )
        for n in range(count)
    )
    return GuestNuma(cells=cells, **changes)


def pins(wanted, on=None):
    placed = fit(wanted, on or host()).guest
    return [(one.host_cell, tuple(one.pinning.values())) for one in placed.cells]


def test_processors_of_one_guest_are_on_threads_of_the_same_core():
    assert pins(guest(2)) == [(0, (0, 1))]
    assert fit(guest(2), host()).guest.cells[0].siblings == ((0, 1),)


def test_isolated_processors_have_cores_for_themselves():
    wanted = guest(2, thread_policy="isolate")
    placed = fit(wanted, host()).guest
    assert pins(wanted) == [(0, (0, 2))]
    assert placed.cells[0].host_cpus == (0, 1, 2, 3)
    left = taken(host(), placed)
    assert pins(guest(2, thread_policy="isolate"), left) == [(0, (4, 6))]


def test_required_threads_are_missing_on_a_host_without_any():
    plain = host(cell(siblings=()))
    assert pins(guest(2), plain) == [(0, (0, 1))]
    assert "threads" in fit(guest(2, thread_policy="require"), plain).reason


def test_preferring_guest_takes_single_threads_when_no_core_is_whole():
    worn = host(cell(pinned=(0, 2, 4, 6)))
    assert pins(guest(2), worn) == [(0, (1, 3))]
    assert fit(guest(2, thread_policy="require"), worn).guest is None


def test_cells_of_a_guest_go_to_different_cells_of_the_host():
    assert [place for place, _ in pins(guest(2, count=2))] == [0, 1]
    assert "3 NUMA cells wanted, the host has 2" in fit(guest(count=3), host()).reason


def test_cell_that_fits_one_place_only_gets_it():
    full = cell(1, pinned=tuple(range(11, 18)))
    uneven = GuestNuma(
        cells=(
            GuestCell(id=0, cpus=(0,), dedicated=(0,), memory_mb=64),
            GuestCell(id=1, cpus=(1, 2), dedicated=(1, 2), memory_mb=64),
        )
    )
    assert [place for place, _ in pins(uneven, host(cell(0), full))] == [1, 0]
    crowded = host(cell(0), cell(1, pinned=tuple(range(10, 18))))
    assert "cell" in fit(guest(1, count=2), crowded).reason


def test_isolated_emulator_has_a_processor_that_no_guest_gets():
    placed = fit(guest(2, emulator_policy="isolate"), host()).guest
    assert placed.emulator_cpus == (2,)
    assert 2 in taken(host(), placed).cells[0].pinned
    tight = host(cell(pinned=tuple(range(6))))
    assert "emulator" in fit(guest(2, emulator_policy="isolate"), tight).reason


def test_ordinary_memory_leaves_out_large_pages_and_is_oversold_by_ratio():
    one = host(cell())
    assert fit(guest(memory_mb=7168), one).guest is not None
    assert "7168 MB free" in fit(guest(memory_mb=7169), one).reason
    assert fit(guest(memory_mb=7169), one, Ratios(memory=1.5)).guest is not None


def test_pages_are_counted_and_never_oversold():
    wanted = guest(memory_mb=1024, pages="large")
    placed = fit(wanted, host(cell())).guest
    assert placed.cells[0].page_size_kb == 2048
    left = taken(host(cell()), placed)
    assert left.cells[0].pages_used == {2048: 512}
    assert fit(wanted, left, Ratios(memory=16)).guest is None
    assert fit(guest(memory_mb=1024, pages="any"), left).guest.cells[0].page_size_kb == 4
    assert fit(guest(memory_mb=1024, pages="1048576"), host()).guest is None


def test_shared_processors_are_oversold_but_not_to_one_guest():
    two = guest(2, dedicated=0)
    once = taken(host(cell()), fit(two, host(cell())).guest)
    assert "shared" in fit(two, once).reason
    assert fit(two, once, Ratios(cpu=2)).guest is not None
    assert fit(guest(3, dedicated=0), host(cell()), Ratios(cpu=16)).guest is None


def test_host_without_cells_is_said_to_have_none():
    assert "no NUMA cells" in fit(guest(), None).reason


def test_report_changes_cells_but_not_what_is_taken():
    used = taken(host(), fit(guest(2), host()).guest)
    assert without_usage(used) == host()
    grown = host(cell(0, memory_mb=16384), cell(1))
    merged = with_usage_of(grown, used)
    assert merged.cells[0].memory_mb == 16384
    assert merged.cells[0].pinned == (0, 1)


GUESTS = st.builds(
    guest,
    cpus=st.integers(1, 4),
    dedicated=st.just(None) | st.integers(0, 1),
    memory_mb=st.sampled_from([256, 512, 2048]),
    count=st.integers(1, 2),
    pages=st.sampled_from(["", "small", "large", "any", "2048"]),
    thread_policy=st.sampled_from(["prefer", "isolate", "require"]),
    emulator_policy=st.sampled_from([None, "isolate"]),
)
HOSTS = st.lists(
    st.builds(
        cell,
        pinned=st.sets(st.integers(0, 7)).map(lambda found: tuple(sorted(found))),
        siblings=st.sampled_from([(), ((0, 1), (2, 3), (4, 5), (6, 7)), ((0, 1, 2, 3), (4, 5))]),
        memory_mb=st.sampled_from([2048, 8192]),
    ),
    min_size=1,
    max_size=3,
).map(
    lambda cells: HostNuma(
        cells=tuple(dataclasses.replace(one, id=n) for n, one in enumerate(cells))
    )
)


@given(start=HOSTS, wanted=st.lists(GUESTS, max_size=8), gone=st.data())
def test_no_processor_page_or_memory_is_ever_given_twice(start, wanted, gone):
    now, placed = start, []
    for one in wanted:
        found = fit(one, now)
        assert (found.guest is None) == bool(found.reason)
        if found.guest is not None:
            now = taken(now, found.guest)
            placed.append(found.guest)
        if placed and gone.draw(st.booleans()):
            now = given_back(now, placed.pop(gone.draw(st.integers(0, len(placed) - 1))))
        check_books(start, now, placed)
    for one in placed:
        now = given_back(now, one)
    assert now == start


def check_books(start, now, placed):
    for before, after in zip(start.cells, now.cells, strict=True):
        here = [part for one in placed for part in one.cells if part.host_cell == before.id]
        own = [cpu for part in here for cpu in part.host_cpus]
        assert len(own) == len(set(own))
        assert set(own) <= set(before.dedicated)
        assert not set(own) & set(before.pinned)
        assert set(after.pinned) == set(before.pinned) | set(own)
        large_mb = before.pages_total[2048] * 2
        pages_mb = sum(part.memory_mb for part in here if part.page_size_kb == 2048)
        small_mb = sum(part.memory_mb for part in here if part.page_size_kb != 2048)
        assert pages_mb <= large_mb
        assert small_mb <= before.memory_mb - large_mb
        shared = sum(len(part.cpus) - len(part.dedicated) for part in here)
        assert shared <= len(before.cpus)
    for one in placed:
        places = [part.host_cell for part in one.cells]
        assert len(places) == len(set(places))
        for part in one.cells:
            assert tuple(part.pinning) == part.dedicated
            assert len(set(part.pinning.values())) == len(part.dedicated)
