"""Counters that libvirt 9.0 told of a guest of QEMU 7.2."""

import datetime

import pytest

from nova.objects.diagnostics import CpuDiagnostics, DiskDiagnostics, NicDiagnostics
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt.diagnostics import diagnostics
from tests.fixtures.guests import NOON, make_instance
from tests.fixtures.lively_host import STATISTICS

NOW = NOON + datetime.timedelta(seconds=90)
XML = """<domain><devices><interface type='bridge'><mac address='fa:16:3e:00:00:01'/>
<target dev='tap0765a625-1e'/></interface></devices></domain>"""


def found(state=PowerState.RUNNING, statistics=STATISTICS, **changes):
    instance = make_instance(**({"launched_at": NOON} | changes))
    return diagnostics(instance, state, statistics, XML, "qemu", NOW)


def test_counters_have_our_names():
    answer = found(config_drive=True)
    assert answer.cpus == (CpuDiagnostics(id=0, time_ns=9040000000),)
    assert answer.nics == (
        NicDiagnostics(
            mac_address="fa:16:3e:00:00:01",
            device="tap0765a625-1e",
            rx_octets=710,
            rx_packets=9,
            rx_errors=1,
            rx_drop=2,
            tx_octets=4006,
            tx_packets=17,
            tx_errors=3,
            tx_drop=4,
        ),
    )
    assert answer.disks == (
        DiskDiagnostics(
            device="vda",
            read_bytes=28901888,
            read_requests=1209,
            write_bytes=397312,
            write_requests=43,
        ),
        DiskDiagnostics(device="hda"),
    )
    assert (answer.maximum_memory_mb, answer.used_memory_mb) == (128, 128)
    assert (answer.hypervisor, answer.hypervisor_os, answer.config_drive) == ("qemu", "linux", True)


def test_memory_has_amounts_only():
    assert found().memory == {
        "actual": 131072,
        "swap_in": 0,
        "unused": 56020,
        "available": 94780,
        "rss": 253868,
    }


def test_interface_that_is_being_removed_is_left_out():
    gone = STATISTICS | {"net.count": 2, "net.1.name": "tap-gone"}
    assert len(found(statistics=gone).nics) == 1


@pytest.mark.parametrize(
    ("state", "launched_at", "expected"),
    [
        (PowerState.RUNNING, NOON, 90),
        (PowerState.PAUSED, NOON, 90),
        (PowerState.SHUTDOWN, NOON, None),
        (PowerState.RUNNING, None, None),
        (PowerState.RUNNING, NOW + datetime.timedelta(seconds=5), 0),
    ],
)
def test_uptime_counts_from_the_launch_while_the_guest_is_on(state, launched_at, expected):
    assert found(state, launched_at=launched_at).uptime_s == expected


def test_guest_of_which_little_is_known_has_few_counters():
    answer = found(PowerState.SHUTDOWN, {"state.state": 5, "vcpu.maximum": 1})
    assert (answer.cpus, answer.disks, answer.memory) == ((), (), {})
    assert answer.maximum_memory_mb is None
