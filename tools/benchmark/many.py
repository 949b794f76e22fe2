"""Phases with very many servers: pages of lists, single servers at a fixed rate, churn."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count as numbers

from benchmark.api_client import Answer, at_once
from benchmark.cloud import Cloud
from benchmark.figures import spread
from benchmark.meter import Meter
from benchmark.options import Options
from benchmark.process_figures import Memory
from benchmark.results import Churn, Pages, Reads, Shows
from benchmark.servers import Servers

SMALL_PAGE = 50
LARGE_PAGE = 1000


class Many:
    """Measures against a cloud; memory returns that of every program."""

    def __init__(
        self, options: Options, cloud: Cloud, meter: Meter, memory: Callable[[], dict[str, Memory]]
    ) -> None:
        self._options = options
        self._cloud = cloud
        self._meter = meter
        self._memory = memory
        self._servers = Servers(cloud)

    def pages(self) -> Pages:
        """Read the first and the last page of lists, and single servers at a fixed rate."""
        count = self._options.sizes.pages
        original, _ = self._servers.post("original")
        self._servers.wait_active(original)
        before = self._memory()
        self._cloud.daemons.script("copy_servers", "make", original, str(count - 1))
        try:
            ids = self._servers.ids()
            reads = tuple(
                self._read(f"{path}?limit={limit}", marker)
                for path in ("/servers", "/servers/detail")
                for limit in (SMALL_PAGE, LARGE_PAGE)
                for marker in ("", ids[-limit - 1])
            )
            shows = self._shows(ids)
        finally:
            self._cloud.daemons.script("copy_servers", "remove")
        return Pages(len(ids), reads, shows, before, self._memory())

    def _read(self, path: str, marker: str) -> Reads:
        """Read a page a number of times; the deep one is the last."""
        get = self._cloud.user.call
        full = f"{path}&marker={marker}" if marker else path
        size = len(get("GET", full).body)
        self._meter.begin()
        times = [get("GET", full).ms for _ in range(self._options.sizes.reads)]
        cost = self._meter.end_of_round().per(len(times))
        return Reads(f"{path}, last page" if marker else path, spread(times), size, cost)

    def _shows(self, ids: list[str]) -> Shows:
        """Ask for single servers at a fixed rate; a client that is late asks at once."""
        sizes = self._options.sizes
        total = round(sizes.shows_per_s * sizes.shows_s)
        self._meter.begin()
        began = time.perf_counter()

        def show(number: int) -> float:
            due = began + number / sizes.shows_per_s
            time.sleep(max(0.0, due - time.perf_counter()))
            answer: Answer = self._cloud.user.call("GET", f"/servers/{ids[number % len(ids)]}")
            return answer.ms

        times = at_once(self._options.parallel, total, show)
        wall_s = time.perf_counter() - began
        cost = self._meter.end_of_round().per(total)
        return Shows(sizes.shows_per_s, round(total / wall_s, 1), spread(times), cost)

    def churn(self) -> Churn:
        """Make and delete servers again and again, some at once."""
        parallel, cycles = self._options.parallel, self._options.sizes.cycles
        before = self._memory()
        self._meter.begin()
        began = time.perf_counter()
        names = numbers()
        done = 0
        while done < cycles:
            count = min(parallel, cycles - done)
            name = f"churn-{next(names)}-"
            self._cycle(name, count)
            done += count
        wall_s = time.perf_counter() - began
        cost = self._meter.end_of_round().per(cycles)
        return Churn(cycles, round(wall_s, 2), cost, before, self._memory())

    def _cycle(self, name: str, count: int) -> None:
        made = [""] * count

        def post(number: int) -> float:
            made[number], ms = self._servers.post(f"{name}{number}")
            return ms

        def delete(number: int) -> float:
            return self._cloud.user.call("DELETE", f"/servers/{made[number]}").ms

        at_once(count, count, post)
        self._servers.wait_built(name, count)
        at_once(count, count, delete)
        self._servers.wait_all_gone(name)
