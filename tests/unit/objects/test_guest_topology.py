"""Sockets, cores and threads."""

import pytest

from nova import exception
from nova.objects.guest_topology import cpu_topology
from tests.fixtures.guests import make_flavor


def arranged(specs=None, properties=None, vcpus=4):
    specs = {f"hw:cpu_{name}": str(value) for name, value in (specs or {}).items()}
    properties = {f"hw_cpu_{name}": str(value) for name, value in (properties or {}).items()}
    found = cpu_topology(make_flavor(vcpus=vcpus, extra_specs=specs), properties)
    return found and (found.sockets, found.cores, found.threads)


def test_nobody_wishing_leaves_it_to_the_hypervisor():
    assert arranged() is None


@pytest.mark.parametrize(
    ("specs", "properties", "expected"),
    [
        ({"sockets": 2}, {}, (2, 2, 1)),
        ({"cores": 4}, {}, (1, 4, 1)),
        ({"threads": 2}, {}, (2, 1, 2)),
        ({"sockets": 1, "cores": 2}, {}, (1, 2, 2)),
        ({"sockets": 1}, {"cores": 2}, (1, 2, 2)),
        ({"sockets": 1}, {"sockets": 4}, (1, 4, 1)),
        ({}, {"threads": 4}, (1, 1, 4)),
        ({"max_sockets": 1}, {}, (1, 4, 1)),
        ({"max_sockets": 2, "max_cores": 1}, {}, (2, 1, 2)),
        ({"max_sockets": 4}, {"max_sockets": 1}, (1, 4, 1)),
        ({"sockets": 3}, {}, (4, 1, 1)),
    ],
)
def test_wishes_are_met_as_well_as_the_processors_allow(specs, properties, expected):
    assert arranged(specs, properties) == expected


@pytest.mark.parametrize(
    ("specs", "properties", "reason"),
    [
        ({"sockets": 2, "cores": 2, "threads": 2}, {}, "do not make up the 4 VCPUs"),
        ({"max_sockets": 1, "max_cores": 1, "max_threads": 2}, {}, "limits"),
        ({"max_sockets": 2}, {"max_sockets": 4}, "hw_cpu_max_sockets"),
        ({"max_cores": 1}, {"cores": 2}, "hw:cpu_max_cores"),
        ({"sockets": 0}, {}, "hw:cpu_sockets"),
        ({}, {"threads": "two"}, "hw_cpu_threads"),
    ],
)
def test_impossible_wishes_are_refused_with_a_reason(specs, properties, reason):
    with pytest.raises(exception.Invalid, match=reason):
        arranged(specs, properties)


def test_dos_number_of_processors_does_not_make_the_choice_slow():
    assert arranged({"sockets": 1}, vcpus=2**31 - 1) == (1, 2**31 - 1, 1)
