"""Measures the EC2 API beside the Compute API, and prints it as JSON: ec2_work.py SERVERS.

Runs under the interpreter of the tests, in one process: conductor on SQLite in memory, messages
encoded as on the wire, hosts with the fake driver.  Requests are signed by the AWS libraries;
the Keystone that knows the signatures is in the process too.
"""

from __future__ import annotations

import functools
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import webob

from nova.api.openstack.app import make_app
from nova.api.settings import ApiSettings
from nova.virt.fake import FakeSize
from tests.fixtures.budgets import cost_of
from tests.fixtures.cloud import Cloud, make_cloud
from tests.fixtures.ec2 import Ec2, Ec2Site, make_ec2_site
from tests.fixtures.rest import Rest, empty_conf
from tests.fixtures.time import hold_time

AT_ONCE = 100
ROUNDS = 10
HOST = FakeSize(vcpus=10**4, memory_mb=10**7, local_gb=10**6)
TAG = {"Key": "purpose", "Value": "bench"}


def main(arguments: list[str]) -> None:
    """Make servers, ask for them, act on all of them."""
    count = int(arguments[0])
    with pytest.MonkeyPatch.context() as patch:
        cloud = make_cloud(hold_time(patch), size=HOST, cidr="10.0.0.0/16", quotas=_unlimited())
        site = make_ec2_site(cloud)
        _fill(site, count)
        print(json.dumps({"servers": count, "requests": [*_reads(site), *_changes(site)]}))
        cloud.close()


def _unlimited() -> dict[str, int]:
    return dict.fromkeys(("instances", "cores", "ram", "fixed_ips"), -1)


def _fill(site: Ec2Site, count: int) -> None:
    for first in range(0, count, AT_ONCE):
        number = min(AT_ONCE, count - first)
        tags = [{"ResourceType": "instance", "Tag": [TAG]}]
        site.run(MinCount=number, MaxCount=number, InstanceType="tiny", TagSpecification=tags)
        site.cloud.run_until_idle()
        site.cloud.advance(1)
    assert site.states() == ["running"] * count


def _reads(site: Ec2Site) -> list[dict[str, Any]]:
    """Measure reads, each some times; the first one of each is not timed."""
    cloud, ec2 = site.cloud, site.ec2
    rest = Rest(
        make_app(ApiSettings(auth_strategy="noauth2"), cloud.bus, cloud.images, empty_conf())
    )
    stopped = [{"Name": "instance-state-name", "Value": ["stopped"]}]
    asked: dict[str, dict[str, Any]] = {
        "DescribeInstances": {},
        "DescribeInstances, none passes a filter": {"Filter": stopped},
        "DescribeInstances, a page of 100": {"MaxResults": 100},
    }
    requests = {what: ec2.post("DescribeInstances", **more) for what, more in asked.items()}
    return [
        *(
            _measured(cloud, what, ROUNDS, functools.partial(_send_again, ec2, request))
            for what, request in requests.items()
        ),
        _measured(cloud, "GET /servers/detail", ROUNDS, lambda: rest.get("/servers/detail")),
    ]


def _send_again(ec2: Ec2, request: webob.Request) -> webob.Response:
    return ec2.send(request.copy())


def _changes(site: Ec2Site) -> list[dict[str, Any]]:
    """Measure one action on all instances after the other, until it is answered."""
    found = site.ec2.call("DescribeInstances")["Reservations"]
    given = [one["InstanceId"] for each in found for one in each["Instances"]]
    measured = []
    for action, params in (
        ("CreateTags", {"ResourceId": given, "Tag": [{"Key": "more", "Value": "1"}]}),
        ("StopInstances", {"InstanceId": given}),
        ("TerminateInstances", {"InstanceId": given}),
    ):
        request = site.ec2.post(action, **params)
        ask = functools.partial(site.ec2.send, request)
        measured.append(_measured(site.cloud, action, 1, ask))
        site.cloud.run_until_idle()
    return measured


def _measured(cloud: Cloud, what: str, rounds: int, ask: Callable[[], Any]) -> dict[str, Any]:
    """Return what one request took: of several the median, after one that only warms up."""
    if rounds > 1:
        ask()
    times, used = [], []
    for _ in range(rounds):
        cloud.bus.calls.clear()
        cloud.statements.take()
        began, cpu = time.perf_counter(), time.process_time()
        answer = ask()
        times.append((time.perf_counter() - began) * 1000)
        used.append((time.process_time() - cpu) * 1000)
        assert answer.status_int == 200, answer.text
    cost = cost_of(cloud)
    return {
        "what": what,
        "ms": round(statistics.median(times), 1),
        "cpu_ms": round(statistics.median(used), 1),
        "size_bytes": len(answer.body),
        "calls": len(cost.calls),
        "statements": len(cost.statements),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
