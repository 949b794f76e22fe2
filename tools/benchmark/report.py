"""The table that a person reads, beside the budgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmark.meter import Cost
from benchmark.process_figures import Memory
from benchmark.results import Crowd, Pages, Results


@dataclass(frozen=True)
class Row:
    """A line; budget empty where there is none."""

    what: str
    value: str
    budget: str = ""
    more: str = ""


def text(results: Results) -> str:
    """Return the whole report."""
    machine = results.machine
    title = f"{results.label} {results.when}, {machine['cpus']} CPUs, load {machine['load']}"
    lines = [title.strip(), ""]
    rows = [*_life(results), *_single(results), *_crowds(results), *_lists(results)]
    if results.pages:
        rows += _pages(results.pages)
    rows += [*_networks(results), *_groups(results), *_consoles(results), *_ec2(results)]
    lines += [f"{row.what:44} {row.value:>12}  {row.budget:12} {row.more}" for row in rows]
    if results.operations:
        lines += ["", *_costs(results)]
    return "\n".join(line.rstrip() for line in lines)


def _life(results: Results) -> Iterator[Row]:
    yield Row("", "measured", "budget")
    for start in results.starts:
        used = f"{start.cpu_s:.2f} s of CPU"
        yield Row(f"cold start of {start.name}", f"{start.wall_s:.2f} s", "< 2 s", used)
    for name, memory in results.memory.items():
        if name.startswith("nova-"):
            after = results.memory_after.get(name)
            more = f"{memory.all_mb:.0f} MB in {memory.processes} processes, " * (
                memory.processes > 1
            )
            more += f"{after.largest_mb:.0f} MB at the end" if after else ""
            value = f"{memory.largest_mb:.0f} MB"
            yield Row(f"memory of {name} at rest", value, "< 100 MB", more)
    if results.idle:
        idle = results.idle
        per_s = idle.daemons_ms / idle.wall_s
        yield Row("idle: CPU of all daemons", f"{per_s:.1f} ms/s", "", f"{_counts(idle)} in all")


def _networks(results: Results) -> Iterator[Row]:
    found = results.addresses
    if found:
        for what in ("allocate", "release"):
            statements = f"{found[f'{what}_statements']:.1f} statements each"
            value = f"{found[f'{what}_s']:.2f} s"
            yield Row(f"{what} {found['count']:.0f} addresses", value, "", statements)
    for one in results.networks:
        where = f"{one['servers']:.0f} servers in {one['networks']:.0f} networks"
        rules = f"{one['rules']:.0f} rules"
        yield Row(f"nova-network, {where}: first start", f"{one['first_start_ms']:.0f} ms")
        yield Row("  restart", f"{one['restart_ms']:.0f} ms", "", rules)
        yield Row("  heal without a change", f"{one['no_change_heal_ms']:.0f} ms")
        yield Row("  heal after all rules were lost", f"{one['flushed_heal_ms']:.0f} ms")
        yield Row("  start without a kernel", f"{one['memory_ms']:.0f} ms")
        yield Row("  computing the wanted state", f"{one['plan_ms']:.1f} ms")


def _groups(results: Results) -> Iterator[Row]:
    changes, found = results.groups, results.firewall
    if changes:
        where = f"{changes.servers} servers on {changes.hosts} hosts"
        for what, cost in (("one rule", changes.one), ("one of many rules", changes.burst)):
            value = f"{cost.messages:.1f} messages"
            each = f"{cost.messages / changes.hosts:.2f} for each host, {_counts(cost)}"
            yield Row(f"change of {what}, {where}", value, "", each)
        times = changes.in_force_ms
        value, more = f"{times.p50:.0f} ms", f"p95 {times.p95:.0f} ms, n {times.n}"
        yield Row("  from the request until all hosts follow", value, "< 2 s", more)
    if found:
        value = f"{found['rules_per_server']:.2f}"
        rules = f"{found['rules']:.0f} for {found['servers']:.0f} servers"
        yield Row("iptables rules of a server", value, "", rules)
        yield Row("  computing the rules of the host", f"{found['render_ms']:.1f} ms")
        yield Row("  all of them applied for the first time", f"{found['first_ms']:.0f} ms")
        yield Row("  one rule of a group changed", f"{found['change_ms']:.0f} ms", "< 2 s")
        yield Row("  compared without a change", f"{found['no_change_ms']:.0f} ms")


def _consoles(results: Results) -> Iterator[Row]:
    found = results.consoles
    if not found:
        return
    for where in ("browser", "console"):
        value = f"{found[f'to_{where}_mb_s']:.0f} MB/s"
        direct = f"directly {found[f'to_{where}_direct_mb_s']:.0f} MB/s"
        yield Row(f"one session, to the {where}", value, "", direct)
    direct = f"directly {found['direct_p50_us']:.0f} us"
    yield Row("  a byte and its echo", f"{found['proxy_p50_us']:.0f} us", "", direct)
    sessions = found["sessions"]
    grown = found["memory_resting_mb"] - found["memory_before_mb"]
    more = f"of {found['memory_before_mb']:.0f} MB, {found['memory_after_burst_mb']:.0f} MB busy"
    yield Row(f"memory of {sessions} sessions", f"{grown:.1f} MB", "", more)
    yield Row("  a byte and its echo", f"{found['crowd_p50_us']:.0f} us")
    yield Row("  all at once, to browsers", f"{found['burst_mb_s']:.0f} MB/s")


def _ec2(results: Results) -> Iterator[Row]:
    for request in results.ec2.get("requests", ()):
        more = (
            f"{request['size_bytes'] / 1024:.0f} KiB, {request['cpu_ms']:.0f} ms of CPU, "
            f"{request['calls']} calls, {request['statements']} statements"
        )
        what = f"{request['what']} of {results.ec2['servers']}"
        yield Row(what, f"{request['ms']:.0f} ms", "", more)


def _single(results: Results) -> Iterator[Row]:
    for what, figures in (
        ("POST /servers", results.post_ms),
        ("POST to ACTIVE, one at a time", results.to_active_ms),
        ("DELETE /servers", results.delete_ms),
        ("DELETE to 404, one at a time", results.to_gone_ms),
    ):
        if figures:
            yield Row(what, f"{figures.p50:.1f} ms", "", f"p95 {figures.p95:.1f}, n {figures.n}")


def _crowds(results: Results) -> Iterator[Row]:
    if results.multi:
        yield from _crowd("one request for", results.multi, "")
    for storm in results.storms:
        yield from _crowd("storm of", storm, ">= 10 /s")
    if results.churn:
        churn = results.churn
        cost = f"{churn.cost.daemons_ms:.0f} ms of CPU and {_counts(churn.cost)} each"
        value = f"{churn.cycles / churn.wall_s:.1f} /s"
        yield Row(f"made and deleted again, {churn.cycles}", value, "", cost)
        yield Row("  growth of memory", _growth(churn.memory, churn.memory_after), "none")
    if results.removal:
        gone = results.removal
        more = f"{gone.count / gone.wall_s:.1f} /s, DELETE p50 {gone.delete_ms.p50:.1f} ms"
        cost = f", {gone.cost.daemons_ms:.0f} ms of CPU and {_counts(gone.cost)} each"
        yield Row(f"delete of {gone.count} until gone", f"{gone.wall_s:.1f} s", "", more + cost)


def _crowd(what: str, crowd: Crowd, budget: str) -> Iterator[Row]:
    more = f"{crowd.active} ACTIVE in {crowd.wall_s:.1f} s, POST p50 {crowd.post_ms.p50:.1f} ms"
    yield Row(f"{what} {crowd.count}", f"{crowd.servers_per_s:.1f} /s", budget, more)
    spread = f"{crowd.least_on_host} to {crowd.most_on_host}"
    cost = f"{crowd.cost.daemons_ms:.0f} ms of CPU and {_counts(crowd.cost)} each"
    yield Row("  on each host", spread, "even", cost)


def _lists(results: Results) -> Iterator[Row]:
    for lists in results.lists:
        for read in lists.reads:
            path = "/servers/ID" if "-" in read.path else read.path
            budget = "< 500 ms" if path == "/servers/detail" else ""
            more = (
                f"p95 {read.ms.p95:.1f}, {read.size_bytes / 1024:.0f} KiB, "
                f"{read.cost.daemons_ms:.1f} ms of CPU, {_counts(read.cost)}"
            )
            what = f"GET {path} of {lists.servers}"
            yield Row(what, f"{read.ms.p50:.1f} ms", budget, more)
        yield Row(
            f"GET /servers/ID of {lists.servers}, several at once", f"{lists.shows_per_s:.0f} /s"
        )


def _pages(pages: Pages) -> Iterator[Row]:
    for read in pages.reads:
        large = "detail?limit=1000" in read.path
        more = (
            f"p50 {read.ms.p50:.1f} ms, {read.size_bytes / 1024:.0f} KiB, "
            f"{_by_program(read.cost)}, {_counts(read.cost)}"
        )
        value = f"{read.cost.daemons_ms:.1f} ms CPU"
        what = f"GET {read.path} of {pages.servers}"
        yield Row(what, value, "< 300 ms" if large else "", more)
    shows = pages.shows
    more = (
        f"p50 {shows.ms.p50:.1f}, p95 {shows.ms.p95:.1f} ms, {shows.cost.daemons_ms:.1f} ms of CPU "
        f"each: {_by_program(shows.cost)}, {_counts(shows.cost)}"
    )
    what = f"GET /servers/ID of {pages.servers}"
    yield Row(what, f"{shows.reached_per_s:.0f} /s", f"{shows.wanted_per_s:.0f} /s", more)
    yield Row("  growth of memory", _growth(pages.memory, pages.memory_after), "none")


def _by_program(cost: Cost) -> str:
    names = ("nova-api", "nova-conductor", "mariadb", "rabbitmq")
    shown = [f"{name} {cost.cpu_ms[name]:.1f}" for name in names if name in cost.cpu_ms]
    return ", ".join(shown)


def _growth(before: dict[str, Memory], after: dict[str, Memory]) -> str:
    grown = {
        name: round(after[name].largest_mb - memory.largest_mb)
        for name, memory in before.items()
        if name.startswith("nova-") and name in after
    }
    return ", ".join(f"{name} {megabytes:+d} MB" for name, megabytes in grown.items())


def _costs(results: Results) -> Iterator[str]:
    names = list(next(iter(results.operations.values())).cpu_ms)
    shown = [name for name in names if name.startswith("nova-") and "compute" not in name]
    head = "".join(f"{name.removeprefix('nova-'):>11}" for name in [*shown, "compute", "all nova"])
    counts = f"{'messages':>10}{'SELECTs':>9}{'writes':>8}{'commits':>9}"
    yield f"{'cost of one':24}{counts}{head}{'broker':>9}{'db':>9}"
    for what, cost in results.operations.items():
        compute = sum(ms for name, ms in cost.cpu_ms.items() if "compute" in name)
        values = [*(cost.cpu_ms[name] for name in shown), compute, cost.daemons_ms]
        cpu = "".join(f"{value:11.1f}" for value in values)
        others = [cost.cpu_ms.get("rabbitmq", 0.0), cost.cpu_ms.get("mariadb", 0.0)]
        counts = f"{cost.messages:10.1f}{_number(cost.reads):>9}{_number(cost.writes):>8}"
        tail = "".join(f"{value:9.1f}" for value in others)
        yield f"{what:24}{counts}{_number(cost.commits):>9}{cpu}{tail}"
    yield "CPU in ms; budgets for POST to ACTIVE: 12 messages, 20 SELECTs and writes, 100 ms of CPU"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _counts(cost: Cost) -> str:
    statements = "" if cost.statements is None else f", {cost.statements:.1f} SQL"
    return f"{cost.messages:.1f} messages{statements}"
