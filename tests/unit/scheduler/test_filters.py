import json

import pytest

from nova.scheduler.filters.all_hosts import AllHostsFilter
from nova.scheduler.filters.availability_zone import AvailabilityZoneFilter
from nova.scheduler.filters.base import FilterSettings
from nova.scheduler.filters.compute import ComputeFilter
from nova.scheduler.filters.compute_capabilities import ComputeCapabilitiesFilter
from nova.scheduler.filters.core import CoreFilter
from nova.scheduler.filters.different_host import DifferentHostFilter
from nova.scheduler.filters.disk import DiskFilter
from nova.scheduler.filters.image_properties import ImagePropertiesFilter
from nova.scheduler.filters.io_ops import IoOpsFilter
from nova.scheduler.filters.num_instances import NumInstancesFilter
from nova.scheduler.filters.ram import RamFilter
from nova.scheduler.filters.same_host import SameHostFilter
from tests.fixtures.hosts import make_host_state, make_spec


def refusal(filter_class, host, spec, **settings):
    return filter_class(FilterSettings(**settings)).refuses(host, spec)


def test_all_hosts_suits_even_a_full_disabled_host():
    host = make_host_state(disabled=True, memory_mb_used=999999)
    assert refusal(AllHostsFilter, host, make_spec()) is None


# --- Memory, disk, VCPUs: the last that fits, and one more


def test_ram_takes_the_last_free_megabyte_and_tells_numbers_for_one_more():
    host = make_host_state(memory_mb=4096, memory_mb_used=3072)
    assert refusal(RamFilter, host, make_spec(memory_mb=1024)) is None
    assert (
        refusal(RamFilter, host, make_spec(memory_mb=1025))
        == "1025 MB wanted, 1024 MB of 4096 MB free"
    )


def test_ram_ratio_oversells_but_not_for_one_server_alone():
    host = make_host_state(memory_mb=4096, ram_allocation_ratio=1.5)
    crowded = make_host_state(memory_mb=4096, ram_allocation_ratio=1.5, memory_mb_used=4096)
    assert refusal(RamFilter, crowded, make_spec(memory_mb=2048)) is None
    assert refusal(RamFilter, crowded, make_spec(memory_mb=2049)) is not None
    assert (
        refusal(RamFilter, host, make_spec(memory_mb=4097))
        == "4097 MB wanted, the host has 4096 MB in all"
    )


def test_reserved_memory_is_not_given_away():
    host = make_host_state(memory_mb=4096, reserved_memory_mb=512)
    assert refusal(RamFilter, host, make_spec(memory_mb=3584)) is None
    assert refusal(RamFilter, host, make_spec(memory_mb=3585)) is not None


def test_disk_counts_root_ephemeral_and_swap():
    host = make_host_state(local_gb=20, local_gb_used=9, reserved_disk_gb=1)
    fitting = make_spec(root_gb=5, ephemeral_gb=4, swap_mb=1024)
    assert refusal(DiskFilter, host, fitting) is None
    larger = make_spec(root_gb=5, ephemeral_gb=4, swap_mb=1025)
    assert refusal(DiskFilter, host, larger) == "11 GB wanted, 10 GB of 19 GB free"


def test_core_ratio_oversells_but_not_for_one_server_alone():
    host = make_host_state(vcpus=4, vcpus_used=6, cpu_allocation_ratio=2.0)
    assert refusal(CoreFilter, host, make_spec(vcpus=2)) is None
    assert refusal(CoreFilter, host, make_spec(vcpus=3)) == "3 VCPUs wanted, 2 of 8 free"
    empty = make_host_state(vcpus=4, cpu_allocation_ratio=2.0)
    assert (
        refusal(CoreFilter, empty, make_spec(vcpus=5))
        == "5 VCPUs wanted, the host has 4 CPUs in all"
    )


def test_core_lets_a_host_without_cpu_count_pass():
    assert refusal(CoreFilter, make_host_state(vcpus=0), make_spec(vcpus=5)) is None


# --- Service and zone


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"disabled": True}, "nova-compute is disabled"),
        ({"disabled": True, "disabled_reason": "disk"}, "nova-compute is disabled: disk"),
        ({"forced_down": True}, "nova-compute is forced down"),
        ({"is_up": False}, "nova-compute is down"),
        ({}, None),
    ],
)
def test_compute_wants_an_enabled_live_service(changes, reason):
    assert refusal(ComputeFilter, make_host_state(**changes), make_spec()) == reason


def test_zone_is_compared_only_when_asked_for():
    host = make_host_state(availability_zone="east")
    assert refusal(AvailabilityZoneFilter, host, make_spec()) is None
    assert refusal(AvailabilityZoneFilter, host, make_spec(availability_zone="east")) is None
    assert (
        refusal(AvailabilityZoneFilter, host, make_spec(availability_zone="west"))
        == "zone west wanted, the host is in east"
    )


# --- Counts and hints


def test_io_ops_refuses_at_the_limit():
    assert refusal(IoOpsFilter, make_host_state(num_io_ops=7), make_spec()) is None
    assert refusal(IoOpsFilter, make_host_state(num_io_ops=8), make_spec()) is not None
    busy = make_host_state(num_io_ops=8)
    assert refusal(IoOpsFilter, busy, make_spec(), max_io_ops_per_host=9) is None


def test_num_instances_refuses_at_the_limit():
    assert refusal(NumInstancesFilter, make_host_state(num_instances=49), make_spec()) is None
    assert refusal(NumInstancesFilter, make_host_state(num_instances=50), make_spec()) is not None


def test_same_and_different_host_are_opposites():
    host = make_host_state(instance_uuids=("a", "b"))
    for hinted, beside, apart in ((("a", "z"), True, False), (("z",), False, True)):
        spec = make_spec(hints={"same_host": hinted, "different_host": hinted})
        assert (refusal(SameHostFilter, host, spec) is None) is beside
        assert (refusal(DifferentHostFilter, host, spec) is None) is apart
    assert refusal(SameHostFilter, host, make_spec()) is None
    assert refusal(DifferentHostFilter, host, make_spec()) is None


# --- Image properties


@pytest.mark.parametrize(
    ("properties", "suits"),
    [
        ({}, True),
        ({"hw_architecture": "x86_64"}, True),
        ({"architecture": "amd64"}, True),
        ({"architecture": "aarch64"}, False),
        ({"img_hv_type": "QEMU", "hw_vm_mode": "hvm"}, True),
        ({"img_hv_type": "xapi"}, False),
        ({"vm_mode": "hv"}, True),
        ({"vm_mode": "exe"}, False),
        ({"img_hv_requested_version": ">=7.0, <8"}, True),
        ({"hw_architecture": "x86_64", "img_hv_requested_version": ">=7.0, <8"}, True),
        ({"hw_architecture": "x86_64", "img_hv_requested_version": ">=8.0"}, False),
        ({"img_hv_requested_version": ">=8.0"}, False),
    ],
)
def test_image_properties_need_a_matching_hypervisor(properties, suits):
    spec = make_spec(image_properties=properties)
    assert (refusal(ImagePropertiesFilter, make_host_state(), spec) is None) is suits


def test_default_architecture_applies_to_images_that_name_none():
    settings = {"image_properties_default_architecture": "ppc64"}
    host = make_host_state()
    assert refusal(ImagePropertiesFilter, host, make_spec(), **settings) is not None
    named = make_spec(image_properties={"hw_architecture": "x86_64"})
    assert refusal(ImagePropertiesFilter, host, named, **settings) is None


# --- Extra specs


@pytest.mark.parametrize(
    ("extra_specs", "suits"),
    [
        ({}, True),
        ({"hypervisor_type": "qemu"}, True),
        ({"hypervisor_type": "s!= qemu"}, False),
        ({"capabilities:hypervisor_type": "<or> kvm <or> qemu"}, True),
        ({"capabilities:cpu_info:features": "<all-in> avx sse"}, True),
        ({"capabilities:cpu_info:features": "<in> vmx"}, False),
        ({"capabilities:cpu_info:topology:cores": ">= 4"}, True),
        ({"capabilities:no_such_thing": "1"}, False),
        ({"no_such_thing": "1"}, True),
        ({"hw:cpu_policy": "dedicated"}, True),
        ({"capabilities:cpu_info": "x"}, False),
    ],
)
def test_capabilities_are_compared_by_scope(extra_specs, suits):
    cpu_info = json.dumps({"features": ["sse", "avx"], "topology": {"cores": 4}})
    host = make_host_state(cpu_info=cpu_info)
    spec = make_spec(extra_specs=extra_specs)
    assert (refusal(ComputeCapabilitiesFilter, host, spec) is None) is suits


def test_broken_cpu_info_is_no_capability():
    host = make_host_state(cpu_info="{")
    spec = make_spec(extra_specs={"capabilities:cpu_info:arch": "x86_64"})
    assert refusal(ComputeCapabilitiesFilter, host, spec) is not None
