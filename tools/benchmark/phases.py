"""The phases of a run, in their order; each writes what it found into the results."""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from standup.errors import StandupError

from benchmark import process_figures
from benchmark.api_client import at_once
from benchmark.cloud import Cloud
from benchmark.figures import spread
from benchmark.groups import Followers, Groups
from benchmark.many import Many
from benchmark.meter import SETTLE_S, Meter
from benchmark.options import Options
from benchmark.process_figures import Memory
from benchmark.results import Crowd, GroupChanges, Lists, Reads, Removal, Results
from benchmark.servers import Servers

PAUSE_S = 0.25
SHOWS_S = 5.0
FILL_AT_ONCE = 50


@dataclass
class Run:
    """One run against a cloud that was just put up."""

    options: Options
    cloud: Cloud
    results: Results
    meter: Meter = field(init=False)
    servers: Servers = field(init=False)
    many: Many = field(init=False)

    def __post_init__(self) -> None:
        self.meter = Meter(self.cloud)
        self.servers = Servers(self.cloud)
        self.many = Many(self.options, self.cloud, self.meter, self._memory)

    def carry_out(self) -> None:
        """Do all phases that were asked for."""
        self.results.memory = self._memory()
        work: dict[str, Callable[[], None]] = {
            "boot": self.boot,
            "cost": self.cost,
            "churn": self.churn,
            "multi": self.multi,
            "storm": self.storm,
            "list": self.lists,
            "delete": self.delete,
            "pages": self.pages,
            "networks": self.networks,
            "groups": self.groups,
            "consoles": self.consoles,
            "ec2": self.ec2,
        }
        self._warm_up()
        self.idle()
        for phase in self.options.phases:
            print(f"{phase} ...", file=sys.stderr, flush=True)
            work[phase]()
        self.results.memory_after = self._memory()

    def _memory(self) -> dict[str, Memory]:
        return {name: process_figures.memory(pid) for name, pid in self.cloud.pids().items()}

    def _warm_up(self) -> None:
        """Let every code path run and every connection open before anything is timed."""
        for number in range(3):
            server_id, _ = self.servers.post(f"warm-{number}")
            self.servers.wait_active(server_id)
        self._remove_all()

    def _remove_all(self) -> None:
        for server_id in self.servers.ids():
            self.cloud.user.call("DELETE", f"/servers/{server_id}")
        self.servers.wait_all_gone()

    # --- Nothing, and one server

    def idle(self) -> None:
        """Count what the cloud does when nobody asks for anything; it is taken off all else."""
        self.meter.begin()
        time.sleep(self.options.sizes.idle_s - 2 * SETTLE_S)
        self.results.idle = self.meter.idle = self.meter.end_of_round()

    def boot(self) -> None:
        """Time single servers: request, until ACTIVE, and until gone."""
        posts, actives, deletes, gones, ids = [], [], [], [], []
        for number in range(self.options.sizes.boots):
            began = time.perf_counter()
            server_id, ms = self.servers.post(f"boot-{number}")
            self.servers.wait_active(server_id)
            actives.append((time.perf_counter() - began) * 1000)
            posts.append(ms)
            ids.append(server_id)
            time.sleep(PAUSE_S)
        for server_id in ids:
            began = time.perf_counter()
            deletes.append(self.cloud.user.call("DELETE", f"/servers/{server_id}").ms)
            self.servers.wait_gone(server_id)
            gones.append((time.perf_counter() - began) * 1000)
            time.sleep(PAUSE_S)
        self.results.post_ms, self.results.to_active_ms = spread(posts), spread(actives)
        self.results.delete_ms, self.results.to_gone_ms = spread(deletes), spread(gones)

    def cost(self) -> None:
        """Count messages, statements and CPU of each operation, one at a time, unobserved."""
        ids: list[str] = []
        self._count("POST to ACTIVE", lambda n: ids.append(self.servers.post(f"cost-{n}")[0]))
        if self.servers.wait_built("cost-", len(ids)) != len(ids):
            raise StandupError("not all servers became ACTIVE")
        for action in ("os-stop", "os-start"):
            self._count_calls(
                f"{action} to its end", "POST", "/servers/{}/action", ids, {action: None}
            )
        reads = ("/servers/{}", "/servers", "/servers/detail", "/flavors/detail", "/limits")
        for path in reads:
            self._count_calls(f"GET {path}", "GET", path, ids)
        self._count_calls("DELETE to gone", "DELETE", "/servers/{}", ids)
        self.servers.wait_all_gone()

    def _count_calls(
        self, name: str, method: str, path: str, ids: Sequence[str], body: Any = None
    ) -> None:
        call = self.cloud.user.call
        self._count(name, lambda number: call(method, path.format(ids[number]), body))

    def _count(self, name: str, operation: Callable[[int], object]) -> None:
        count = self.options.sizes.costs
        self.meter.begin()
        for number in range(count):
            operation(number)
            time.sleep(PAUSE_S)
        self.results.operations[name] = self.meter.end_of_round().per(count)

    # --- Crowds

    def churn(self) -> None:
        """Make and delete servers again and again."""
        self.results.churn = self.many.churn()

    def multi(self) -> None:
        """Ask for many servers with one request."""
        count = self.options.sizes.multi
        self.results.multi = self._crowd(
            "multi-", count, lambda: [self.servers.post("multi-", count)[1]]
        )

    def storm(self) -> None:
        """Ask for many servers with as many requests, some at once."""
        for count in self.options.sizes.storms:
            ask = functools.partial(self._posts, f"storm{count}-", count)
            self.results.storms.append(self._crowd(f"storm{count}-", count, ask))

    def _posts(self, name: str, count: int) -> list[float]:
        parallel = self.options.parallel
        return at_once(parallel, count, lambda number: self.servers.post(f"{name}{number}")[1])

    def _crowd(self, name: str, count: int, ask: Callable[[], list[float]]) -> Crowd:
        self.meter.begin()
        began = time.perf_counter()
        posts = ask()
        active = self.servers.wait_built(name, count)
        wall_s = time.perf_counter() - began
        cost = self.meter.end()
        on_hosts = self.servers.per_host(name)
        all_used = len(on_hosts) == self.options.host_count
        return Crowd(
            count=count,
            active=active,
            wall_s=round(wall_s, 2),
            post_ms=spread(posts),
            cost=cost.per(count),
            least_on_host=min(on_hosts.values()) if all_used else 0,
            most_on_host=max(on_hosts.values(), default=0),
        )

    # --- Lists

    def lists(self) -> None:
        """Read lists and single servers while there are many."""
        for wanted in self.options.sizes.lists:
            self._fill(wanted)
            ids = self.servers.ids()
            some = ids[len(ids) // 2]
            paths = (
                "/servers",
                "/servers/detail",
                "/servers/detail?limit=100",
                f"/servers/{some}",
                "/limits",
            )
            reads = tuple(self._read(path) for path in paths)
            self.results.lists.append(Lists(len(ids), reads, round(self._shows_per_s(ids), 1)))

    def _fill(self, wanted: int) -> None:
        """Make servers, or delete some, until there are as many as wanted."""
        ids = self.servers.ids()
        for surplus in ids[wanted:]:
            self.cloud.user.call("DELETE", f"/servers/{surplus}")
            self.servers.wait_gone(surplus)
        missing = wanted - len(ids)
        while missing > 0:
            count = min(FILL_AT_ONCE, missing)
            self.servers.post("fill-", count)
            self.servers.wait_built("fill-", count)
            missing -= count

    def _read(self, path: str) -> Reads:
        get = self.cloud.user.call
        size = len(get("GET", path).body)
        self.meter.begin()
        times = [get("GET", path).ms for _ in range(self.options.sizes.reads)]
        return Reads(path, spread(times), size, self.meter.end_of_round().per(len(times)))

    def _shows_per_s(self, ids: list[str]) -> float:
        end = time.perf_counter() + SHOWS_S

        def show_until_end(start: int) -> float:
            done = 0
            while time.perf_counter() < end:
                self.cloud.user.call("GET", f"/servers/{ids[(start + done) % len(ids)]}")
                done += 1
            return done

        began = time.perf_counter()
        done = at_once(self.options.parallel, self.options.parallel, show_until_end)
        return sum(done) / (time.perf_counter() - began)

    def pages(self) -> None:
        """Read pages of lists and single servers while there are very many."""
        self.results.pages = self.many.pages()

    # --- Networks

    def networks(self) -> None:
        """Give and take back addresses; start nova-network with many servers."""
        sizes, measure = self.options.sizes, self.cloud.daemons.measure
        file, count = str(self.cloud.daemons.site.database), str(sizes.addresses)
        self.results.addresses = measure("network_work", "addresses", file, count)
        if os.geteuid() != 0:
            print("networks: only root can make a namespace", file=sys.stderr)
            return
        for networks in (1, sizes.networks):
            words = (str(sizes.network_servers), str(networks))
            self.results.networks.append(measure("network_work", "convergence", *words))

    # --- Security groups

    def groups(self) -> None:
        """Change the rules of a group that many servers are in; then a real packet filter."""
        sizes = self.options.sizes
        self._fill(sizes.grouped)
        groups, hosts = Groups(self.cloud), len(self.servers.per_host("fill-"))
        followers = Followers(self.cloud.daemons.logs, hosts)
        times = []
        self.meter.begin()
        for number in range(sizes.rules):
            add = functools.partial(groups.add_rule, number)
            times.append(followers.ms_until_in_force(add))
        one = self.meter.end_of_round().per(sizes.rules)
        self.meter.begin()
        at_once(self.options.parallel, sizes.rules, lambda n: groups.add_rule(sizes.rules + n))
        burst = self.meter.end_of_round().per(sizes.rules)
        self.results.groups = GroupChanges(
            sizes.grouped, hosts, sizes.rules, one, burst, spread(times)
        )
        groups.remove_rules()
        if os.geteuid() == 0:
            count = str(sizes.grouped)
            self.results.firewall = self.cloud.daemons.measure("firewall_work", count)

    # --- Consoles

    def consoles(self) -> None:
        """Pass bytes through a proxy of consoles, with one session and with many."""
        self.results.consoles = self.cloud.daemons.measure(
            "console_work", str(self.options.sizes.consoles), self.options.concurrency
        )

    # --- The EC2 API

    def ec2(self) -> None:
        """Ask the EC2 API for many instances, and act on all of them."""
        self.results.ec2 = self.cloud.daemons.measure("ec2_work", str(self.options.sizes.ec2))

    # --- Delete

    def delete(self) -> None:
        """Delete all servers, some at once, and wait until they are gone."""
        ids = self.servers.ids()
        if not ids:
            return
        self.meter.begin()
        began = time.perf_counter()
        times = at_once(
            self.options.parallel,
            len(ids),
            lambda number: self.cloud.user.call("DELETE", f"/servers/{ids[number]}").ms,
        )
        self.servers.wait_all_gone()
        wall_s = time.perf_counter() - began
        cost = self.meter.end().per(len(ids))
        self.results.removal = Removal(len(ids), round(wall_s, 2), spread(times), cost)
