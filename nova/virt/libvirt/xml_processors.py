"""Processors and memory of a guest in libvirt's words.  Pure.

Source: libvirt domain XML format.
"""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement

from nova.virt.libvirt.guest import GuestConfig, GuestProcessors

_REALTIME_PRIORITY = "1"


def add_memory(domain: Element, config: GuestConfig) -> None:
    """Add what kind of pages the memory has."""
    found = config.processors
    pages = {cell.id: cell.page_size_kb for cell in found.cells if (cell.page_size_kb or 4) > 4}
    if not pages and not found.locked:
        return
    backing = SubElement(domain, "memoryBacking")
    if pages:
        huge = SubElement(backing, "hugepages")
        for cell_id, size in pages.items():
            attributes = {"size": str(size), "unit": "KiB", "nodeset": str(cell_id)}
            SubElement(huge, "page", attributes)
    if found.realtime:
        SubElement(backing, "nosharepages")
    if found.locked:
        SubElement(backing, "locked")


def add_processors(domain: Element, config: GuestConfig) -> None:
    """Add number, pins and shares of the processors, and the memory's cells."""
    found = config.processors
    vcpu = SubElement(domain, "vcpu")
    vcpu.text = str(config.vcpus)
    if found.cpus:
        vcpu.set("cpuset", cpu_list(found.cpus))
    _add_tuning(domain, config)
    nodes = {cell.id: cell.host_cell for cell in found.cells if cell.host_cell is not None}
    if nodes:
        numatune = SubElement(domain, "numatune")
        nodeset = cpu_list(nodes.values())
        SubElement(numatune, "memory", mode="strict", nodeset=nodeset)
        for cell_id, node in nodes.items():
            attributes = {"cellid": str(cell_id), "mode": "strict", "nodeset": str(node)}
            SubElement(numatune, "memnode", attributes)


def add_arrangement(domain: Element, config: GuestConfig) -> None:
    """Add the processor's model, and how sockets, cores, threads and cells are arranged."""
    found = config.processors
    if config.cpu is None and found.topology is None and not found.cells:
        return
    cpu = SubElement(domain, "cpu")
    if config.cpu is not None:
        cpu.set("mode", config.cpu.mode)
        if config.cpu.model:
            cpu.set("match", "exact")
            SubElement(cpu, "model").text = config.cpu.model
    if found.topology is not None:
        sizes = {
            "sockets": found.topology.sockets,
            "cores": found.topology.cores,
            "threads": found.topology.threads,
        }
        SubElement(cpu, "topology", {name: str(size) for name, size in sizes.items()})
    if found.cells:
        numa = SubElement(cpu, "numa")
        for cell in found.cells:
            attributes = {
                "id": str(cell.id),
                "cpus": cpu_list(cell.cpus),
                "memory": str(cell.memory_mb * 1024),
                "unit": "KiB",
            }
            SubElement(numa, "cell", attributes)


def cpu_list(cpus: Iterable[int]) -> str:
    """Return a list such as 0-2,5."""
    runs: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if runs and cpu == runs[-1][1] + 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _add_tuning(domain: Element, config: GuestConfig) -> None:
    limits, found = config.tuning, config.processors
    values = {"shares": limits.shares, "period": limits.period, "quota": limits.quota}
    given = {name: value for name, value in values.items() if value is not None}
    if not given and not found.pins:
        return
    cputune = SubElement(domain, "cputune")
    for name, value in given.items():
        SubElement(cputune, name).text = str(value)
    _add_pins(cputune, found)


def _add_pins(cputune: Element, found: GuestProcessors) -> None:
    for cpu, chosen in found.pins.items():
        SubElement(cputune, "vcpupin", vcpu=str(cpu), cpuset=cpu_list(chosen))
    if found.emulator:
        SubElement(cputune, "emulatorpin", cpuset=cpu_list(found.emulator))
    if found.realtime:
        attributes = {
            "vcpus": cpu_list(found.realtime),
            "scheduler": "fifo",
            "priority": _REALTIME_PRIORITY,
        }
        SubElement(cputune, "vcpusched", attributes)
