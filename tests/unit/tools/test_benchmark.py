"""Figures of the benchmark."""

import os
import re

import pytest
from benchmark import counters, process_figures, report
from benchmark.figures import spread
from benchmark.meter import Cost
from benchmark.options import PHASES, parse
from benchmark.process_figures import Memory
from benchmark.results import Crowd, GroupChanges, Pages, Reads, Results, Shows


def make_cost(**values):
    known = {
        "wall_s": 10.0,
        "cpu_ms": {"nova-api": 100.0, "nova-conductor": 300.0, "rabbitmq": 50.0},
        "foreign_ms": 0.0,
        "messages": 120.0,
        "reads": 40.0,
        "writes": 20.0,
        "commits": 10.0,
    }
    return Cost(**(known | values))


def test_spread_tells_median_and_tail():
    found = spread([float(number) for number in range(100, 0, -1)])
    assert (found.n, found.p50, found.p95, found.least, found.most) == (100, 50.5, 95.0, 1.0, 100.0)
    assert spread([7.0]).p95 == 7.0


def test_cost_counts_daemons_only_as_daemons():
    cost = make_cost()
    assert cost.daemons_ms == 400.0
    assert cost.statements == 60.0


def test_cost_of_idling_is_taken_off_by_time():
    idle = make_cost(wall_s=20.0, cpu_ms={"nova-api": 100.0, "nova-conductor": 900.0})
    left = make_cost().without(idle)
    assert left.cpu_ms == {"nova-api": 50.0, "nova-conductor": 0.0, "rabbitmq": 50.0}
    assert (left.messages, left.reads, left.writes, left.commits) == (60.0, 20.0, 10.0, 5.0)
    assert make_cost().without(None) == make_cost()


def test_cost_per_part_without_a_database_server():
    part = make_cost(reads=None, writes=None, commits=None).per(10)
    assert part.messages == 12.0
    assert part.cpu_ms["nova-conductor"] == 30.0
    assert part.statements is None


def test_counters_of_all_protocols_are_added_up(monkeypatch):
    text = (
        "#{[{protocol,amqp091}] =>\n #{messages_received_confirm_total => 5,"
        "messages_received_total => 17,\n messages_routed_total => 3},\n"
        " [{protocol,amqp10}] => #{messages_received_total => 4}}\n"
    )
    monkeypatch.setattr(counters, "control", lambda node, *arguments: text)
    assert counters.messages(None) == 21


def test_own_process_uses_cpu_and_memory():
    usage = process_figures.usage({"self": os.getpid(), "nobody": 2**22 + 1})
    assert usage.programs_s["self"] > 0
    assert usage.programs_s["nobody"] == 0
    assert usage.machine_s > usage.programs_s["self"] - 1
    memory = process_figures.memory(os.getpid())
    assert memory.processes >= 1
    assert memory.all_mb >= memory.largest_mb > 1


def test_phases_keep_their_order():
    assert parse(["--phases", "delete,boot"]).phases == ("boot", "delete")
    assert parse([]).phases == PHASES
    with pytest.raises(SystemExit):
        parse(["--phases", "boot,nonsense"])


def test_results_become_json():
    crowd = Crowd(
        count=50,
        active=50,
        wall_s=2.5,
        post_ms=spread([1.0]),
        cost=make_cost(),
        least_on_host=1,
        most_on_host=2,
    )
    results = Results("a", "now", {"cpus": 2}, (), storms=[crowd])
    assert crowd.servers_per_s == 20.0
    assert results.to_json()["storms"][0]["cost"]["messages"] == 120.0


def test_report_tells_pages_beside_their_budget_and_growth_of_memory():
    read = Reads("/servers/detail?limit=1000", spread([200.0]), 1024, make_cost())
    shows = Shows(200.0, 180.5, spread([20.0]), make_cost())
    at_rest, later = (Memory(1, size, size) for size in (50.0, 58.4))
    pages = Pages(10000, (read,), shows, {"nova-api": at_rest}, {"nova-api": later})
    machine = {"cpus": 2, "load": 1.0}
    lines = report.text(Results("a", "now", machine, (), pages=pages)).splitlines()
    (line,) = [line for line in lines if line.startswith("GET /servers/detail?limit=1000 of 10000")]
    assert "400.0 ms CPU  < 300 ms" in line
    assert any("200 /s" in line and " 180 /s" in line for line in lines)
    assert any("nova-api +8 MB" in line for line in lines)


def test_report_tells_of_addresses_and_networks():
    results = Results(label="x", when="now", machine={"cpus": 2, "load": 1.0}, starts=())
    results.addresses = {
        "count": 100,
        "allocate_s": 1.5,
        "allocate_statements": 4.0,
        "release_s": 1.0,
        "release_statements": 2.0,
    }
    results.networks = [
        {
            "servers": 100,
            "networks": 4,
            "rules": 60,
            "first_start_ms": 500.0,
            "restart_ms": 200.0,
            "no_change_heal_ms": 50.0,
            "flushed_heal_ms": 80.0,
            "memory_ms": 10.0,
            "plan_ms": 1.5,
        }
    ]
    text = report.text(results)
    assert "allocate 100 addresses" in text
    assert "4.0 statements each" in text
    assert "100 servers in 4 networks" in text
    assert "60 rules" in text


def test_report_tells_of_changes_of_groups():
    results = Results(label="x", when="now", machine={"cpus": 2, "load": 1.0}, starts=())
    results.groups = GroupChanges(
        200, 40, 20, make_cost(messages=42.0), make_cost(messages=4.0), spread([700, 800, 900])
    )
    results.firewall = {
        "servers": 200,
        "rules": 1853,
        "rules_per_server": 9.27,
        "render_ms": 20.0,
        "first_ms": 104.0,
        "change_ms": 107.0,
        "no_change_ms": 88.0,
    }
    text = report.text(results)
    assert "1.05 for each host" in text
    assert re.search(r"until all hosts follow +800 ms +< 2 s +p95 900 ms, n 3", text)
    assert "9.27" in text


def test_report_tells_of_the_ec2_api():
    results = Results(label="x", when="now", machine={"cpus": 2, "load": 1.0}, starts=())
    request = {"what": "DescribeInstances", "ms": 312.4, "cpu_ms": 200.0, "size_bytes": 2**20}
    results.ec2 = {"servers": 1000, "requests": [{**request, "calls": 1, "statements": 9}]}
    text = report.text(results)
    line = r"DescribeInstances of 1000 +312 ms +1024 KiB, 200 ms of CPU, 1 calls, 9 statements"
    assert re.search(line, text)


def test_report_tells_of_consoles():
    results = Results("", "now", {"cpus": 2, "load": 0.5}, ())
    results.consoles = {
        "sessions": 200,
        "to_browser_mb_s": 214,
        "to_browser_direct_mb_s": 1300,
        "to_console_mb_s": 386,
        "to_console_direct_mb_s": 3189,
        "proxy_p50_us": 104,
        "direct_p50_us": 9,
        "crowd_p50_us": 116,
        "memory_before_mb": 45.1,
        "memory_resting_mb": 50.6,
        "memory_after_burst_mb": 51.7,
        "burst_mb_s": 262,
    }
    lines = report.text(results).splitlines()
    assert any("memory of 200 sessions" in line and "5.5 MB" in line for line in lines)
