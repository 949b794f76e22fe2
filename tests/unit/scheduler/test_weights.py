import pytest

from nova.scheduler.weights.base import normalised
from nova.scheduler.weights.build_failure import BuildFailureWeigher
from nova.scheduler.weights.cpu import CPUWeigher
from nova.scheduler.weights.disk import DiskWeigher
from nova.scheduler.weights.io_ops import IoOpsWeigher
from nova.scheduler.weights.num_instances import NumInstancesWeigher
from nova.scheduler.weights.ram import RAMWeigher
from tests.fixtures.hosts import make_host_state, make_spec


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([3.0, 3.0], [0.0, 0.0]),
        ([1.0, 3.0, 2.0], [0.0, 1.0, 0.5]),
        ([-2.0, 0.0], [0.0, 1.0]),
    ],
)
def test_values_are_put_on_a_scale_from_zero_to_one(values, expected):
    assert normalised(values) == expected


@pytest.mark.parametrize(
    ("weigher", "host", "value"),
    [
        (RAMWeigher, {"memory_mb": 100, "memory_mb_used": 30, "ram_allocation_ratio": 1.5}, 120),
        (RAMWeigher, {"memory_mb": 100, "memory_mb_used": 130}, 0),
        (CPUWeigher, {"vcpus": 4, "vcpus_used": 3, "cpu_allocation_ratio": 2.0}, 5),
        (DiskWeigher, {"local_gb": 50, "local_gb_used": 8, "reserved_disk_gb": 2}, 40),
        (IoOpsWeigher, {"num_io_ops": 3}, 3),
        (BuildFailureWeigher, {"failed_builds": 2}, -2),
        (NumInstancesWeigher, {"num_instances": 7}, 7),
    ],
)
def test_weighers_read_the_host(weigher, host, value):
    assert weigher(1.0).value(make_host_state(**host), make_spec()) == value
