"""NUMA cells of hosts and guests, and which host processors a guest is pinned to."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostCell:
    """One cell of a host.

    cpus: those that servers may use; pinned: those taken by dedicated guests.
    siblings: groups of hardware threads of one core.  pages: total and used by size in KiB.
    """

    id: int
    cpus: tuple[int, ...]
    memory_mb: int
    memory_used_mb: int = 0
    pinned: tuple[int, ...] = ()
    siblings: tuple[tuple[int, ...], ...] = ()
    pages_total: dict[int, int] = dataclasses.field(default_factory=dict)
    pages_used: dict[int, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostNuma:
    """The cells of a host, in order of their ids."""

    cells: tuple[HostCell, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestCell:
    """One cell of a guest, and once it is placed the host cell and processors it has.

    pinning: host processor by virtual processor.  page_size_kb None: ordinary memory.
    """

    id: int
    cpus: tuple[int, ...]
    memory_mb: int
    host_cell: int | None = None
    pinning: dict[int, int] = dataclasses.field(default_factory=dict)
    siblings: tuple[tuple[int, ...], ...] = ()
    page_size_kb: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestNuma:
    """The cells of a guest, in order of their ids."""

    cells: tuple[GuestCell, ...] = ()
