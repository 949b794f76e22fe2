"""The default group of the project, whose rules are changed."""

from __future__ import annotations

from benchmark.api_client import ApiClient
from benchmark.cloud import PROJECT, Cloud

# The last version in which the Compute API has security groups.
MICROVERSION = "2.35"
FIRST_PORT = 10000


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
