"""Counters of a guest, from libvirt's names to ours.  Pure."""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from nova.objects.diagnostics import (
    CpuDiagnostics,
    Diagnostics,
    DiskDiagnostics,
    NicDiagnostics,
)
from nova.objects.instance import Instance
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt import definition
from nova.virt.libvirt.power import ON

Statistics = Mapping[str, Any]

_KIB = 1024
_MEMORY_PREFIX = "balloon."
_CURRENT_MEMORY, _MAXIMUM_MEMORY = "balloon.current", "balloon.maximum"

# Figures under that prefix that are no amounts of memory.
_NOT_MEMORY = frozenset({_CURRENT_MEMORY, _MAXIMUM_MEMORY, "balloon.last-update"})


def diagnostics(
    instance: Instance,
    power_state: PowerState,
    statistics: Statistics,
    text: str,
    hypervisor: str,
    now: datetime.datetime,
) -> Diagnostics:
    """Return what the statistics of a guest tell.

    text: its live definition.  now: in UTC; the uptime counts from the server's launch.
    Source: libvirt, virConnectGetAllDomainStats; virt-driver, sections 1 and 14.
    """
    devices = {device: mac for mac, device in definition.interface_devices(text).items()}
    launched = instance.launched_at
    running = power_state in ON and launched is not None
    return Diagnostics(
        state=power_state,
        hypervisor=hypervisor,
        hypervisor_os="linux",
        uptime_s=max(0, int((now - launched).total_seconds())) if running and launched else None,
        config_drive=instance.config_drive,
        cpus=tuple(_cpus(statistics)),
        nics=tuple(
            _nic(statistics, number, devices[device])
            for number, device in _named(statistics, "net")
            if device in devices
        ),
        disks=tuple(
            _disk(statistics, number, device) for number, device in _named(statistics, "block")
        ),
        maximum_memory_mb=_mib(statistics.get(_MAXIMUM_MEMORY)),
        used_memory_mb=_mib(statistics.get(_CURRENT_MEMORY)),
        memory=_memory(statistics),
    )


def _cpus(statistics: Statistics) -> Iterator[CpuDiagnostics]:
    for number in range(statistics.get("vcpu.maximum", 0)):
        time_ns = statistics.get(f"vcpu.{number}.time")
        if time_ns is not None:
            yield CpuDiagnostics(id=number, time_ns=time_ns)


def _named(statistics: Statistics, kind: str) -> Iterator[tuple[int, str]]:
    """Return number and name of each device; layers below the top of a disk are left out."""
    for number in range(statistics.get(f"{kind}.count", 0)):
        name = statistics.get(f"{kind}.{number}.name")
        if name is not None:
            yield number, name


def _nic(statistics: Statistics, number: int, mac: str) -> NicDiagnostics:
    def value(name: str) -> int | None:
        return statistics.get(f"net.{number}.{name}")

    return NicDiagnostics(
        mac_address=mac,
        device=statistics[f"net.{number}.name"],
        rx_octets=value("rx.bytes"),
        rx_errors=value("rx.errs"),
        rx_drop=value("rx.drop"),
        rx_packets=value("rx.pkts"),
        tx_octets=value("tx.bytes"),
        tx_errors=value("tx.errs"),
        tx_drop=value("tx.drop"),
        tx_packets=value("tx.pkts"),
    )


def _disk(statistics: Statistics, number: int, device: str) -> DiskDiagnostics:
    def value(name: str) -> int | None:
        return statistics.get(f"block.{number}.{name}")

    return DiskDiagnostics(
        device=device,
        read_bytes=value("rd.bytes"),
        read_requests=value("rd.reqs"),
        write_bytes=value("wr.bytes"),
        write_requests=value("wr.reqs"),
        errors_count=value("errors"),
    )


def _memory(statistics: Statistics) -> dict[str, int]:
    figures = {
        name.removeprefix(_MEMORY_PREFIX).replace("-", "_"): value
        for name, value in statistics.items()
        if name.startswith(_MEMORY_PREFIX) and name not in _NOT_MEMORY
    }
    if _CURRENT_MEMORY in statistics:
        figures["actual"] = statistics[_CURRENT_MEMORY]
    return figures


def _mib(kib: int | None) -> int | None:
    return None if kib is None else kib // _KIB
