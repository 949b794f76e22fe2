"""Puts the cells of a guest onto the cells of a host.  Pure.

Each cell of a guest has a host cell for itself; whether one fits does not depend on where
the others go, so that the assignment is a matching of two sides.
"""

import dataclasses
from collections.abc import Sequence

from nova.objects.numa import GuestCell, GuestNuma, HostCell, HostNuma

_SMALL_KB = 4
_MIB_KB = 1024


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """How far shared processors and ordinary memory are oversold."""

    cpu: float = 1.0
    memory: float = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Where a guest goes, or why it goes nowhere."""

    guest: GuestNuma | None = None
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class _Pinned:
    """Host processors for the virtual ones in order, idle threads besides, threads per core."""

    cpus: tuple[int, ...]
    reserved: tuple[int, ...] = ()
    threads: int = 1


def fit(wanted: GuestNuma, host: HostNuma | None, ratios: Ratios | None = None) -> Fit:
    """Return the guest with host cells, pins and page sizes, or the reason why not."""
    if host is None or not host.cells:
        return Fit(reason="the host reports no NUMA cells")
    if len(wanted.cells) > len(host.cells):
        return Fit(reason=f"{len(wanted.cells)} NUMA cells wanted, the host has {len(host.cells)}")
    places: list[dict[int, GuestCell]] = []
    for index, cell in enumerate(wanted.cells):
        emulator = wanted.emulator_policy == "isolate" and index == 0
        tried = [
            _place(cell, candidate, wanted, ratios or Ratios(), emulator)
            for candidate in host.cells
        ]
        places.append({n: one for n, one in enumerate(tried) if isinstance(one, GuestCell)})
        if not places[-1]:
            return Fit(reason=next(one for one in tried if isinstance(one, str)))
    chosen = _match(places)
    if chosen is None:
        return Fit(reason="there are not enough different NUMA cells with what is wanted")
    cells = tuple(places[index][column] for index, column in enumerate(chosen))
    emulator_cpus: tuple[int, ...] = ()
    if wanted.emulator_policy == "isolate":
        emulator_cpus = cells[0].reserved[-1:]
    return Fit(guest=dataclasses.replace(wanted, cells=cells, emulator_cpus=emulator_cpus))


def _match(places: Sequence[dict[int, GuestCell]]) -> list[int] | None:
    """Return a different column for each row, None if there is no such choice."""
    owner: dict[int, int] = {}

    def assign(row: int, seen: set[int]) -> bool:
        # Free columns first: rows that have one are moved only when it must be.
        for column in sorted(places[row], key=lambda column: (column in owner, column)):
            if column in seen:
                continue
            seen.add(column)
            if column not in owner or assign(owner[column], seen):
                owner[column] = row
                return True
        return False

    if not all(assign(row, set()) for row in range(len(places))):
        return None
    columns = {row: column for column, row in owner.items()}
    return [columns[row] for row in range(len(places))]


def _place(
    cell: GuestCell, host: HostCell, wanted: GuestNuma, ratios: Ratios, emulator: bool
) -> GuestCell | str:
    """Return a guest cell on a host cell, or why it does not fit."""
    shared = len(cell.cpus) - len(cell.dedicated)
    room = len(host.cpus) * ratios.cpu - host.shared_used
    if shared > len(host.cpus) or shared > room:
        return f"{shared} shared VCPUs wanted in one cell, cell {host.id} has {room:.0f} free"
    pages = _pages(cell, host, wanted.pages, ratios)
    if isinstance(pages, str):
        return pages
    pinned = _pin(len(cell.dedicated), host, wanted.thread_policy)
    if isinstance(pinned, str):
        return pinned
    reserved = pinned.reserved
    if emulator:
        left = sorted(_free(host) - {*pinned.cpus, *reserved})
        if not left:
            return f"no dedicated CPU is left for the emulator in cell {host.id}"
        reserved += (left[0],)
    return dataclasses.replace(
        cell,
        host_cell=host.id,
        pinning=dict(zip(cell.dedicated, pinned.cpus, strict=True)),
        reserved=reserved,
        siblings=_groups(cell.dedicated, pinned.threads),
        page_size_kb=pages or None,
    )


# --- Memory ---------------------------------------------------------------------------------


def _pages(cell: GuestCell, host: HostCell, pages: str, ratios: Ratios) -> int | str:
    """Return the size of the pages in KiB, 0 for ordinary memory, or why there are none."""
    ordinary = host.memory_mb - sum(
        size * count // _MIB_KB for size, count in host.pages_total.items() if size > _SMALL_KB
    )
    if not pages:
        free = ordinary * ratios.memory - host.memory_used_mb
        lack = f"{cell.memory_mb} MB wanted in one cell, cell {host.id} has {free:.0f} MB free"
        return 0 if cell.memory_mb <= free else lack
    for size in _sizes(host, pages):
        if size == _SMALL_KB:
            if cell.memory_mb <= ordinary - host.memory_used_mb:
                return size
            continue
        count, rest = divmod(cell.memory_mb * _MIB_KB, size)
        free_pages = host.pages_total.get(size, 0) - host.pages_used.get(size, 0)
        if not rest and count <= free_pages:
            return size
    return f"{cell.memory_mb} MB of {pages} pages wanted in one cell, cell {host.id} lacks them"


def _sizes(host: HostCell, pages: str) -> list[int]:
    """Return sizes of pages that would do, best first."""
    large = sorted((size for size in host.pages_total if size > _SMALL_KB), reverse=True)
    known = {"small": [_SMALL_KB], "large": large, "any": [*large, _SMALL_KB]}
    return known[pages] if pages in known else [int(pages)]


# --- Processors -----------------------------------------------------------------------------


def _free(host: HostCell) -> set[int]:
    return set(host.dedicated) - set(host.pinned)


def _cores(host: HostCell) -> list[tuple[int, ...]]:
    """Return the dedicated threads of each core."""
    allowed = set(host.dedicated)
    grouped = [tuple(cpu for cpu in group if cpu in allowed) for group in host.siblings]
    known = {cpu for group in grouped for cpu in group}
    return [group for group in grouped if group] + [(cpu,) for cpu in sorted(allowed - known)]


def _pin(count: int, host: HostCell, policy: str) -> _Pinned | str:
    """Choose host processors for so many virtual ones, or tell why there are none."""
    if not count:
        return _Pinned(())
    free = _free(host)
    if count > len(free):
        return f"{count} dedicated CPUs wanted in one cell, cell {host.id} has {len(free)} free"
    if policy == "isolate":
        whole = [core for core in _cores(host) if free.issuperset(core)]
        if count > len(whole):
            return f"{count} whole cores wanted in one cell, cell {host.id} has {len(whole)} free"
        chosen = whole[:count]
        idle = tuple(cpu for core in chosen for cpu in core[1:])
        return _Pinned(tuple(core[0] for core in chosen), idle)
    packed = _packed(count, host, free)
    if packed is not None:
        return packed
    if policy == "require":
        return f"{count} CPUs on threads of shared cores wanted, cell {host.id} has them not free"
    cores = sorted(_cores(host), key=lambda core: -len(free.intersection(core)))
    ordered = [cpu for core in cores for cpu in core if cpu in free]
    return _Pinned(tuple(ordered[:count]))


def _packed(count: int, host: HostCell, free: set[int]) -> _Pinned | None:
    """Put virtual processors onto threads of the same cores, as many to a core as possible."""
    cores = [tuple(cpu for cpu in core if cpu in free) for core in _cores(host)]
    most = max(len(core) for core in _cores(host))
    if count == 1 and most > 1:
        fewest = min((core for core in cores if core), key=len)
        return _Pinned(fewest[:1])
    for threads in range(most, 1, -1):
        fitting = [core[:threads] for core in cores if len(core) >= threads]
        if count % threads == 0 and len(fitting) * threads >= count:
            chosen = fitting[: count // threads]
            return _Pinned(tuple(cpu for core in chosen for cpu in core), threads=threads)
    return None


def _groups(cpus: tuple[int, ...], threads: int) -> tuple[tuple[int, ...], ...]:
    if threads < 2:
        return ()
    return tuple(cpus[start : start + threads] for start in range(0, len(cpus), threads))
