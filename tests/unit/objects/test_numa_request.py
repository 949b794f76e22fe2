"""Which cells, processors and pages a server asks for."""

import pytest

from nova import exception
from nova.objects.numa_request import numa_request, realtime_cpus
from tests.fixtures.guests import make_flavor


def request(specs=None, properties=None, vcpus=4, memory_mb=4096):
    specs = {f"hw:{name}": value for name, value in (specs or {}).items()}
    flavor = make_flavor(vcpus=vcpus, memory_mb=memory_mb, extra_specs=specs)
    properties = {f"hw_{name}": value for name, value in (properties or {}).items()}
    return numa_request(flavor, properties)


def cells(*arguments, **changes):
    found = request(*arguments, **changes)
    return [(cell.cpus, cell.memory_mb, cell.dedicated) for cell in found.cells]


def test_server_without_wishes_may_run_anywhere():
    assert request() is None
    assert request({"cpu_policy": "shared"}) is None


def test_dedicated_processors_make_one_cell():
    expected = [((0, 1, 2, 3), 4096, (0, 1, 2, 3))]
    assert cells({"cpu_policy": "dedicated"}) == expected
    assert cells({}, {"cpu_policy": "dedicated"}) == expected


def test_nodes_share_processors_and_memory_evenly():
    assert cells({"numa_nodes": "2"}) == [((0, 1), 2048, ()), ((2, 3), 2048, ())]
    assert cells({}, {"numa_nodes": "2"}) == cells({"numa_nodes": "2"})


def test_nodes_are_as_uneven_as_they_are_told_to_be():
    specs = {
        "numa_nodes": "2",
        "numa_cpus.0": "0-2",
        "numa_mem.0": "3072",
        "numa_cpus.1": "3",
        "numa_mem.1": "1024",
    }
    assert cells(specs) == [((0, 1, 2), 3072, ()), ((3,), 1024, ())]


def test_mixed_server_has_dedicated_and_shared_processors():
    specs = {"cpu_policy": "mixed", "cpu_dedicated_mask": "^0-1"}
    assert cells(specs) == [((0, 1, 2, 3), 4096, (2, 3))]


def test_realtime_mask_of_a_mixed_server_names_its_dedicated_processors():
    specs = {"cpu_policy": "mixed", "cpu_realtime": "yes", "cpu_realtime_mask": "2-3"}
    assert cells(specs) == [((0, 1, 2, 3), 4096, (2, 3))]
    extra_specs = {f"hw:{name}": value for name, value in specs.items()}
    assert realtime_cpus(make_flavor(vcpus=4, extra_specs=extra_specs), {}) == {2, 3}


@pytest.mark.parametrize(
    ("value", "pages"),
    [("small", "small"), ("2MB", "2048"), ("1GiB", "1048576"), ("2048", "2048"), ("4kb", "4")],
)
def test_sizes_of_pages_are_understood(value, pages):
    assert request({"mem_page_size": value}).pages == pages


def test_image_chooses_pages_where_the_flavor_lets_it():
    assert request({"mem_page_size": "large"}, {"mem_page_size": "2MB"}).pages == "2048"
    with pytest.raises(exception.Invalid, match="hw_mem_page_size"):
        request({}, {"mem_page_size": "2MB"})
    with pytest.raises(exception.Invalid, match="hw_mem_page_size"):
        request({"mem_page_size": "small"}, {"mem_page_size": "2MB"})


def test_thread_policy_of_the_image_counts_where_the_flavor_has_no_strong_one():
    specs = {"cpu_policy": "dedicated"}
    assert request(specs, {"cpu_thread_policy": "isolate"}).thread_policy == "isolate"
    with pytest.raises(exception.Invalid, match="cpu_thread_policy"):
        request({**specs, "cpu_thread_policy": "require"}, {"cpu_thread_policy": "isolate"})


@pytest.mark.parametrize(
    ("specs", "properties", "reason"),
    [
        ({"cpu_policy": "always"}, {}, "cpu_policy"),
        ({"cpu_policy": "shared"}, {"cpu_policy": "dedicated"}, "does not allow"),
        ({"cpu_thread_policy": "isolate"}, {}, "needs hw:cpu_policy"),
        ({"emulator_threads_policy": "isolate"}, {}, "needs hw:cpu_policy"),
        ({"cpu_realtime": "yes"}, {}, "cpu_realtime"),
        ({"cpu_policy": "dedicated", "cpu_realtime": "yes"}, {}, "ordinary VCPU"),
        ({"cpu_policy": "mixed"}, {}, "cpu_dedicated_mask"),
        ({"cpu_policy": "mixed", "cpu_dedicated_mask": "0-3"}, {}, "at least one"),
        ({"cpu_policy": "mixed", "cpu_dedicated_mask": "9"}, {}, "does not have"),
        ({"cpu_dedicated_mask": "0"}, {}, "mixed"),
        ({"numa_nodes": "3"}, {}, "evenly"),
        ({"numa_nodes": "5"}, {}, "more than"),
        ({"numa_nodes": "many"}, {}, "whole number"),
        ({"numa_nodes": "2", "numa_cpus.0": "0-1"}, {}, "for all"),
        ({"numa_nodes": "2", "numa_cpus.7": "0-1"}, {}, "beyond"),
        ({"numa_nodes": "1", "numa_cpus.0": "0-1", "numa_mem.0": "4096"}, {}, "exactly once"),
        ({"numa_nodes": "1", "numa_cpus.0": "0-3", "numa_mem.0": "1"}, {}, "add up"),
        ({"numa_nodes": "2"}, {"numa_cpus.0": "0"}, "do not allow"),
        ({"mem_page_size": "huge"}, {}, "mem_page_size"),
    ],
)
def test_contradictions_are_refused_with_their_names(specs, properties, reason):
    with pytest.raises(exception.Invalid, match=reason):
        request(specs, properties)


def test_dos_huge_flavor_is_refused_instead_of_listing_its_processors():
    with pytest.raises(exception.Invalid):
        request({"cpu_policy": "dedicated"}, vcpus=2**31 - 1)
    with pytest.raises(exception.Invalid):
        request({"numa_nodes": str(10**9 - 1)}, vcpus=2**31 - 1)
