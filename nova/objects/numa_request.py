"""Which NUMA cells, processors and pages a server asks for.  Pure.

Source: virt-driver, sections 2 and 3.
"""

import dataclasses
import re
from collections.abc import Mapping

from nova.objects.flavor import Flavor
from nova.objects.flavor_wishes import MAX_CPUS, Wishes, cpu_mask, cpu_set, number, refuse
from nova.objects.numa import GuestCell, GuestNuma

_POLICIES = ("shared", "dedicated", "mixed")
_THREAD_POLICIES = ("prefer", "isolate", "require")
_PAGE_WORDS = ("small", "large", "any")
_UNITS_KB = {"": 1, "k": 1, "m": 1024, "g": 1024**2, "t": 1024**3}


def numa_request(flavor: Flavor, image_properties: Mapping[str, str]) -> GuestNuma | None:
    """Return the cells that are asked for, None for a server that may run anywhere.

    Dedicated processors and a choice of pages make a server one cell unless more are asked
    for.  Raises: Invalid.
    """
    wishes = Wishes(flavor, image_properties)
    policy = _policy(wishes)
    if policy != "shared" and flavor.vcpus > MAX_CPUS:
        refuse(f"No server can have {flavor.vcpus} dedicated VCPUs.")
    thread_policy = _thread_policy(wishes, policy)
    realtime = _realtime(wishes, policy)
    dedicated = _dedicated(wishes, policy, realtime)
    emulator = _emulator_policy(wishes, policy)
    if realtime is not None and len(realtime) == flavor.vcpus and emulator is None:
        refuse("Real-time needs an ordinary VCPU (hw:cpu_realtime_mask) or an emulator policy.")
    pages = _pages(wishes)
    nodes = wishes.count("numa_nodes")
    if policy == "shared" and not pages and not any(nodes):
        return None
    cells = _cells(wishes, nodes[0] or nodes[1] or 1)
    return GuestNuma(
        cells=tuple(
            dataclasses.replace(cell, dedicated=tuple(cpu for cpu in cell.cpus if cpu in dedicated))
            for cell in cells
        ),
        pages=pages,
        thread_policy=thread_policy,
        emulator_policy=emulator,
    )


def realtime_cpus(flavor: Flavor, image_properties: Mapping[str, str]) -> frozenset[int]:
    """Return the virtual processors that are scheduled in real time.  Raises: Invalid."""
    wishes = Wishes(flavor, image_properties)
    return _realtime(wishes, _policy(wishes)) or frozenset()


def _policy(wishes: Wishes) -> str:
    flavor, image = wishes.choice("cpu_policy", _POLICIES)
    if flavor and image and flavor != image:
        refuse(f"The flavor's hw:cpu_policy {flavor} does not allow the image's {image}.")
    return flavor or image or "shared"


def _thread_policy(wishes: Wishes, policy: str) -> str:
    flavor, image = wishes.choice("cpu_thread_policy", _THREAD_POLICIES)
    if flavor in (None, "prefer"):
        chosen = image or flavor
    elif image not in (None, flavor):
        refuse(f"The flavor's hw:cpu_thread_policy {flavor} does not allow the image's {image}.")
    else:
        chosen = flavor
    if chosen is not None and policy == "shared":
        refuse("hw:cpu_thread_policy needs hw:cpu_policy dedicated or mixed.")
    return chosen or "prefer"


def _realtime(wishes: Wishes, policy: str) -> frozenset[int] | None:
    """Return the real-time processors, None without real time."""
    if not wishes.flag("cpu_realtime"):
        return None
    if policy == "shared":
        refuse("hw:cpu_realtime needs hw:cpu_policy dedicated or mixed.")
    mask = wishes.of_image("cpu_realtime_mask") or wishes.of_flavor("cpu_realtime_mask")
    found = cpu_mask("hw:cpu_realtime_mask", mask or "", wishes.flavor.vcpus)
    if mask and not found:
        refuse("hw:cpu_realtime_mask leaves no real-time VCPU.")
    return found


def _dedicated(wishes: Wishes, policy: str, realtime: frozenset[int] | None) -> frozenset[int]:
    vcpus = wishes.flavor.vcpus
    mask = wishes.of_flavor("cpu_dedicated_mask")
    if policy != "mixed":
        if mask is not None:
            refuse("hw:cpu_dedicated_mask needs hw:cpu_policy mixed.")
        return frozenset(range(vcpus) if policy == "dedicated" else ())
    if mask is None and realtime is None:
        refuse("hw:cpu_policy mixed needs hw:cpu_dedicated_mask or hw:cpu_realtime.")
    if mask is not None and realtime is not None:
        refuse("hw:cpu_dedicated_mask and hw:cpu_realtime exclude each other.")
    found = realtime or cpu_mask("hw:cpu_dedicated_mask", mask or "", vcpus)
    if not 0 < len(found) < vcpus:
        refuse("hw:cpu_policy mixed needs at least one dedicated and one shared VCPU.")
    return found


def _emulator_policy(wishes: Wishes, policy: str) -> str | None:
    flavor, _image = wishes.choice("emulator_threads_policy", ("isolate", "share"))
    if flavor == "isolate" and policy == "shared":
        refuse("hw:emulator_threads_policy isolate needs hw:cpu_policy dedicated or mixed.")
    return flavor


def _pages(wishes: Wishes) -> str:
    flavor = _page_size("hw:mem_page_size", wishes.of_flavor("mem_page_size"))
    image = _page_size("hw_mem_page_size", wishes.of_image("mem_page_size"))
    if image and flavor not in ("large", "any", image):
        refuse("The image's hw_mem_page_size needs a flavor with hw:mem_page_size large or any.")
    return image or flavor


def _page_size(name: str, value: str | None) -> str:
    """Return small, large, any or a size in KiB; nothing for nothing."""
    if value is None or value in _PAGE_WORDS:
        return value or ""
    match = re.fullmatch(r"([0-9]{1,9})\s*([kKmMgGtT]?)i?[bB]?", value)
    if match is None or not int(match[1]):
        refuse(f"{name} must be small, large, any or a size such as 2MB.")
    return str(int(match[1]) * _UNITS_KB[match[2].lower()])


# --- Cells ----------------------------------------------------------------------------------


def _cells(wishes: Wishes, nodes: int) -> list[GuestCell]:
    flavor = wishes.flavor
    if nodes > min(flavor.vcpus, MAX_CPUS):
        refuse(f"{nodes} NUMA nodes are more than the {flavor.vcpus} VCPUs of the flavor.")
    cpus = [_part(wishes, f"numa_cpus.{node}") for node in range(nodes)]
    memory = [_part(wishes, f"numa_mem.{node}") for node in range(nodes)]
    _refuse_others(wishes, nodes)
    if not any(cpus) and not any(memory):
        return _even(flavor, nodes)
    if not all(cpus) or not all(memory):
        refuse("hw:numa_cpus.N and hw:numa_mem.N must be given for all NUMA nodes or for none.")
    cells = [
        GuestCell(
            id=node,
            cpus=tuple(sorted(cpu_set(f"hw:numa_cpus.{node}", cpus[node] or ""))),
            memory_mb=number(f"hw:numa_mem.{node}", memory[node]) or 0,
        )
        for node in range(nodes)
    ]
    _check_whole(flavor, cells)
    return cells


def _part(wishes: Wishes, name: str) -> str | None:
    flavor, image = wishes.of_flavor(name), wishes.of_image(name)
    if image and (flavor or wishes.of_flavor("numa_nodes")):
        refuse(f"The flavor's NUMA nodes do not allow the image's hw_{name}.")
    return flavor or image


def _refuse_others(wishes: Wishes, nodes: int) -> None:
    for name in wishes.flavor.extra_specs:
        match = re.fullmatch(r"hw:numa_(?:cpus|mem)\.([0-9]{1,9})", name)
        if match and int(match[1]) >= nodes:
            refuse(f"{name} names a NUMA node beyond the {nodes} that there are.")


def _even(flavor: Flavor, nodes: int) -> list[GuestCell]:
    if flavor.vcpus % nodes or flavor.memory_mb % nodes:
        refuse(
            f"{flavor.vcpus} VCPUs and {flavor.memory_mb} MB can not be spread evenly over "
            f"{nodes} NUMA nodes: give hw:numa_cpus.N and hw:numa_mem.N."
        )
    each, memory_mb = flavor.vcpus // nodes, flavor.memory_mb // nodes
    return [
        GuestCell(id=n, cpus=tuple(range(n * each, (n + 1) * each)), memory_mb=memory_mb)
        for n in range(nodes)
    ]


def _check_whole(flavor: Flavor, cells: list[GuestCell]) -> None:
    """Check that each VCPU is in one cell, and that the memory adds up."""
    listed = sorted(cpu for cell in cells for cpu in cell.cpus)
    if listed != list(range(flavor.vcpus)) or not all(cell.cpus for cell in cells):
        refuse(f"hw:numa_cpus.N must name each of the {flavor.vcpus} VCPUs exactly once.")
    total_mb = sum(cell.memory_mb for cell in cells)
    if total_mb != flavor.memory_mb:
        refuse(f"hw:numa_mem.N add up to {total_mb} MB, the flavor has {flavor.memory_mb} MB.")
