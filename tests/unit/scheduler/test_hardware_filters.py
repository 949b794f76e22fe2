"""Filters by cells and traits."""

from nova.objects.numa import HostCell, HostNuma
from nova.scheduler.filters.base import FilterSettings
from nova.scheduler.filters.compute_traits import ComputeTraitsFilter
from nova.scheduler.filters.numa_topology import NUMATopologyFilter
from tests.fixtures.hosts import make_host_state, make_spec

CELLS = HostNuma(cells=(HostCell(id=0, cpus=(0,), dedicated=(1,), memory_mb=4096),))
PINNED = {"hw:cpu_policy": "dedicated"}


def refusal(filter_class, host, spec):
    return filter_class(FilterSettings()).refuses(host, spec)


def test_server_without_cells_goes_anywhere():
    assert refusal(NUMATopologyFilter, make_host_state(), make_spec()) is None


def test_host_with_a_free_processor_suits_until_it_is_taken():
    host, spec = make_host_state(numa_topology=CELLS), make_spec(extra_specs=PINNED)
    assert refusal(NUMATopologyFilter, host, spec) is None
    full = host.consumed(spec.flavor)
    assert "1 dedicated CPUs wanted" in refusal(NUMATopologyFilter, full, spec)
    by_image = host.consumed(make_spec().flavor, None, {"hw_cpu_policy": "dedicated"})
    assert refusal(NUMATopologyFilter, by_image, spec) is not None


def test_host_without_cells_does_not_suit():
    spec = make_spec(extra_specs=PINNED)
    assert "no NUMA cells" in refusal(NUMATopologyFilter, make_host_state(), spec)


def test_wish_that_contradicts_itself_suits_no_host_and_breaks_nothing():
    spec = make_spec(extra_specs={"hw:numa_nodes": "many", "hw:tpm_version": "9"})
    host = make_host_state(numa_topology=CELLS)
    assert "hw:numa_nodes" in refusal(NUMATopologyFilter, host, spec)
    assert "tpm_version" in refusal(ComputeTraitsFilter, host, spec)
    assert host.consumed(spec.flavor).numa_topology == CELLS


def test_traits_are_required_and_forbidden():
    spec = make_spec(
        extra_specs={"hw:tpm_version": "2.0", "trait:CUSTOM_OLD": "forbidden"},
        image_properties={"hw_firmware_type": "uefi"},
    )
    able = ("COMPUTE_SECURITY_TPM_2_0", "COMPUTE_FIRMWARE_UEFI")
    assert refusal(ComputeTraitsFilter, make_host_state(traits=able), spec) is None
    lacking = refusal(ComputeTraitsFilter, make_host_state(traits=able[:1]), spec)
    assert lacking == "traits COMPUTE_FIRMWARE_UEFI wanted, the host lacks them"
    old = make_host_state(traits=(*able, "CUSTOM_OLD"))
    assert "CUSTOM_OLD" in refusal(ComputeTraitsFilter, old, spec)
