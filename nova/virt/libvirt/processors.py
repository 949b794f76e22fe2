"""Decide how a guest's processors and memory lie on the host.  Pure."""

import dataclasses

from nova.objects import guest_rules
from nova.objects.flavor_wishes import Wishes
from nova.objects.guest_topology import CpuTopology, cpu_topology
from nova.objects.instance import Instance
from nova.objects.numa import GuestNuma, HostNuma
from nova.objects.numa_request import realtime_cpus
from nova.virt.libvirt.guest import GuestProcessors


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostProcessors:
    """What servers may use; cells are without what servers have of them.

    limited: not all of the host's processors are for all servers.
    """

    cells: HostNuma = dataclasses.field(default_factory=HostNuma)
    limited: bool = False

    @property
    def shared(self) -> tuple[int, ...]:
        """Processors that servers share."""
        return tuple(sorted(cpu for cell in self.cells.cells for cpu in cell.cpus))

    @property
    def count(self) -> int:
        """Number of processors that servers may use."""
        return sum(len(cell.cpus) + len(cell.dedicated) for cell in self.cells.cells)

    def shared_of(self, cell_id: int | None) -> tuple[int, ...]:
        """Processors that servers share in one cell."""
        found = (cell.cpus for cell in self.cells.cells if cell.id == cell_id)
        return tuple(sorted(next(found, ())))


def guest_processors(instance: Instance, host: HostProcessors) -> GuestProcessors:
    """Return arrangement, cells and pins of a guest.  Raises: Invalid."""
    flavor, properties = instance.flavor, instance.image_properties
    placed = instance.numa_topology
    realtime = tuple(sorted(realtime_cpus(flavor, properties)))
    wishes = Wishes(flavor, properties)
    pmu = wishes.agreed("pmu")
    locked = bool(realtime) or guest_rules.locked_memory(flavor, properties)
    topology = cpu_topology(flavor, properties)
    common = GuestProcessors(
        topology=topology, pmu=None if pmu is None else wishes.flag("pmu"), locked=locked
    )
    if placed is None:
        return dataclasses.replace(common, cpus=host.shared if host.limited else ())
    return dataclasses.replace(
        common,
        topology=topology or _of_siblings(placed),
        cells=placed.cells,
        pins=_pins(placed, host),
        emulator=_emulator(placed, host),
        realtime=realtime,
    )


def _pins(placed: GuestNuma, host: HostProcessors) -> dict[int, tuple[int, ...]]:
    pins = {}
    for cell in placed.cells:
        shared = host.shared_of(cell.host_cell)
        for cpu in cell.cpus:
            chosen = (cell.pinning[cpu],) if cpu in cell.pinning else shared
            if chosen:
                pins[cpu] = chosen
    return dict(sorted(pins.items()))


def _emulator(placed: GuestNuma, host: HostProcessors) -> tuple[int, ...]:
    """Return where the emulator runs: for itself, among the shared, or beside the guest."""
    if placed.emulator_cpus:
        return placed.emulator_cpus
    if placed.emulator_policy == "share" and host.shared:
        return host.shared
    return tuple(sorted({cpu for chosen in _pins(placed, host).values() for cpu in chosen}))


def _of_siblings(placed: GuestNuma) -> CpuTopology | None:
    """Show the guest the threads that its processors run on, where all cores are alike."""
    sizes = {len(group) for cell in placed.cells for group in cell.siblings}
    count = sum(len(cell.cpus) for cell in placed.cells)
    threads = sizes.pop() if len(sizes) == 1 else 1
    pinned = sum(len(group) for cell in placed.cells for group in cell.siblings)
    if threads < 2 or pinned != count:
        return None
    return CpuTopology(sockets=1, cores=count // threads, threads=threads)
