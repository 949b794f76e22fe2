"""NUMA cells of hosts and guests, and which host processors a guest is pinned to."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostCell:
    """One cell of a host.

    cpus: those that servers share; dedicated: those that are given to one server each;
    pinned: dedicated ones that are taken.  shared_used: VCPUs of servers with cells that
    share.  siblings: groups of hardware threads of one core.  pages: number, in all and in
    use, by size in KiB.
    """

    id: int
    cpus: tuple[int, ...]
    memory_mb: int
    dedicated: tuple[int, ...] = ()
    memory_used_mb: int = 0
    shared_used: int = 0
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

    cpus: all virtual processors; dedicated: those that want a host processor each.
    pinning: host processor by virtual processor.  reserved: further host processors that
    nobody else may have: of the emulator, or idle threads of the guest's cores.
    siblings: virtual processors on threads of one core.  page_size_kb None: ordinary memory.
    """

    id: int
    cpus: tuple[int, ...]
    memory_mb: int
    dedicated: tuple[int, ...] = ()
    host_cell: int | None = None
    pinning: dict[int, int] = dataclasses.field(default_factory=dict)
    reserved: tuple[int, ...] = ()
    siblings: tuple[tuple[int, ...], ...] = ()
    page_size_kb: int | None = None

    @property
    def host_cpus(self) -> tuple[int, ...]:
        """Host processors that belong to this cell alone."""
        return tuple(sorted({*self.pinning.values(), *self.reserved}))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestNuma:
    """The cells of a guest, in order of their ids, wanted or placed.

    pages: what pages the memory shall have: "" for ordinary memory, small, large, any or a
    size in KiB.  thread_policy: prefer, isolate or require.  emulator_policy: isolate, share
    or None.  emulator_cpus: host processors that the emulator has for itself.
    """

    cells: tuple[GuestCell, ...] = ()
    pages: str = ""
    thread_policy: str = "prefer"
    emulator_policy: str | None = None
    emulator_cpus: tuple[int, ...] = ()
