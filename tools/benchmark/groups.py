"""The default group of the project, whose rules are changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from standup.errors import StandupError

from benchmark.api_client import ApiClient
from benchmark.cloud import PROJECT, Cloud

# The last version in which the Compute API has security groups.
MICROVERSION = "2.35"
FIRST_PORT = 10000
# What nova-compute logs on each host that follows a change.
IN_FORCE = "A change of rules is in force"
PATIENCE_S = 30.0
POLL_S = 0.02


class Followers:
    """Waits until the hosts of a cloud follow a change, by the logs of nova-compute."""

    def __init__(self, logs: Path, hosts: int) -> None:
        self._files = sorted(logs.glob("nova-compute-*.log"))
        self._hosts = hosts

    def ms_until_in_force(self, change: Callable[[], object]) -> float:
        """Make a change; return the time from its request until the last host follows."""
        wanted = self._count() + self._hosts
        began = time.monotonic()
        change()
        while self._count() < wanted:
            if time.monotonic() - began > PATIENCE_S:
                raise StandupError(f"not all hosts follow a change within {PATIENCE_S:.0f} s")
            time.sleep(POLL_S)
        return (time.monotonic() - began) * 1000

    def _count(self) -> int:
        return sum(file.read_text(errors="replace").count(IN_FORCE) for file in self._files)


class Groups:
    """Adds rules to the group that every server is in."""

    def __init__(self, cloud: Cloud) -> None:
        port = cloud.daemons.site.api_port
        self._api = ApiClient(port, "user", PROJECT, MICROVERSION)
        limits = {"quota_set": {"security_group_rules": -1}}
        admin = ApiClient(port, "admin", PROJECT, MICROVERSION)
        admin.call("PUT", f"/os-quota-sets/{PROJECT}", limits)
        listed = self._api.get("/os-security-groups")["security_groups"]
        self._group = next(group["id"] for group in listed if group["name"] == "default")
        self._rules: list[int] = []

    def add_rule(self, number: int) -> float:
        """Let one more port in; return the milliseconds that the request took."""
        port = FIRST_PORT + number
        rule = {"parent_group_id": self._group, "ip_protocol": "tcp", "cidr": "0.0.0.0/0"}
        body = {"security_group_rule": {**rule, "from_port": port, "to_port": port}}
        answer = self._api.call("POST", "/os-security-group-rules", body)
        self._rules.append(answer.document["security_group_rule"]["id"])
        return answer.ms

    def remove_rules(self) -> None:
        """Take all of them away again."""
        for rule in self._rules:
            self._api.call("DELETE", f"/os-security-group-rules/{rule}")
