"""What guests take of a host's NUMA cells, and how a report meets what is taken.  Pure."""

import dataclasses

from nova.objects.numa import GuestCell, GuestNuma, HostCell, HostNuma

_SMALL_KB = 4
_MIB_KB = 1024


def taken(host: HostNuma, guest: GuestNuma) -> HostNuma:
    """Return the host with one more placed guest."""
    return _changed(host, guest, 1)


def given_back(host: HostNuma, guest: GuestNuma) -> HostNuma:
    """Return the host without a placed guest."""
    return _changed(host, guest, -1)


def with_usage_of(reported: HostNuma, known: HostNuma | None) -> HostNuma:
    """Return the cells that a host reports with what is known to be taken of them.

    A cell that is gone for now is kept, empty, as long as servers have something of it.
    """
    before = {cell.id: cell for cell in known.cells} if known is not None else {}
    here = {cell.id: cell for cell in reported.cells}
    gone = [
        HostCell(id=cell.id, cpus=(), memory_mb=0)
        for cell in before.values()
        if cell.id not in here and cell != _unused(cell)
    ]
    return HostNuma(
        cells=tuple(
            cell if (old := before.get(cell.id)) is None else _with_usage(cell, old)
            for cell in (*reported.cells, *gone)
        )
    )


def without_usage(host: HostNuma | None) -> HostNuma | None:
    """Return the cells as their host reports them."""
    if host is None:
        return None
    return HostNuma(cells=tuple(_unused(cell) for cell in host.cells))


def _unused(cell: HostCell) -> HostCell:
    return dataclasses.replace(cell, memory_used_mb=0, shared_used=0, pinned=(), pages_used={})


def _with_usage(cell: HostCell, old: HostCell) -> HostCell:
    return dataclasses.replace(
        cell,
        memory_used_mb=old.memory_used_mb,
        shared_used=old.shared_used,
        pinned=old.pinned,
        pages_used=old.pages_used,
    )


def _changed(host: HostNuma, guest: GuestNuma, sign: int) -> HostNuma:
    cells = {cell.id: cell for cell in host.cells}
    for cell in guest.cells:
        if cell.host_cell in cells:
            cells[cell.host_cell] = _cell_changed(cells[cell.host_cell], cell, sign)
    return HostNuma(cells=tuple(cells[cell.id] for cell in host.cells))


def _cell_changed(host: HostCell, guest: GuestCell, sign: int) -> HostCell:
    pinned, own = set(host.pinned), set(guest.host_cpus)
    pages = dict(host.pages_used)
    memory_mb = host.memory_used_mb
    if guest.page_size_kb is None or guest.page_size_kb == _SMALL_KB:
        memory_mb = max(0, memory_mb + sign * guest.memory_mb)
    else:
        size = guest.page_size_kb
        pages[size] = max(0, pages.get(size, 0) + sign * guest.memory_mb * _MIB_KB // size)
    shared = len(guest.cpus) - len(guest.dedicated)
    return dataclasses.replace(
        host,
        pinned=tuple(sorted(pinned | own if sign > 0 else pinned - own)),
        memory_used_mb=memory_mb,
        shared_used=max(0, host.shared_used + sign * shared),
        pages_used={size: count for size, count in pages.items() if count},
    )
