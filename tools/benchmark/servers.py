"""What the benchmark does with servers."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from standup.errors import StandupError

from benchmark.cloud import FLAVOR_ID, PROJECT, Cloud, image_id

POLL_S = 0.02
CROWD_POLL_S = 0.2
TIMEOUT_S = 1800
PAGE = 1000


class Servers:
    """The servers of the benchmark's project."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._api = cloud.user

    def post(self, name: str, count: int = 1) -> tuple[str, float]:
        """Ask for servers; return the id of the first, and the milliseconds of the request."""
        server: dict[str, Any] = {
            "name": name,
            "imageRef": image_id(),
            "flavorRef": FLAVOR_ID,
            "networks": "none",
        }
        if count > 1:
            server |= {"min_count": count, "max_count": count}
        answer = self._api.call("POST", "/servers", {"server": server})
        return str(answer.document["server"]["id"]), answer.ms

    def wait_active(self, server_id: str) -> None:
        """Wait for one server.  Raises: StandupError if it does not become ACTIVE."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            server = self._api.get(f"/servers/{server_id}")["server"]
            if server["status"] == "ACTIVE":
                return
            if server["status"] != "BUILD":
                raise StandupError(f"a server is {server['status']}: {server.get('fault')}")
            time.sleep(POLL_S)
        raise StandupError("a server is not ACTIVE in time")

    def wait_built(self, name: str, count: int) -> int:
        """Wait until none of a name is building; return how many are ACTIVE."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            building = f"/servers?status=BUILD&limit=1&name={name}"
            if not self._api.get(building)["servers"]:
                active = len(self.ids(f"status=ACTIVE&name={name}"))
                if active + len(self.ids(f"status=ERROR&name={name}")) >= count:
                    return active
            time.sleep(CROWD_POLL_S)
        raise StandupError(f"servers {name} are not built in time")

    def wait_gone(self, server_id: str) -> None:
        """Wait until one server is not found any more."""
        deadline = time.monotonic() + TIMEOUT_S
        while self._api.send("GET", f"/servers/{server_id}").status == 200:
            if time.monotonic() > deadline:
                raise StandupError("a server is not gone in time")
            time.sleep(POLL_S)

    def wait_all_gone(self, name: str = "") -> None:
        """Wait until the project has no server, or none of a name."""
        deadline = time.monotonic() + TIMEOUT_S
        while self._api.get(f"/servers?limit=1&name={name}")["servers"]:
            if time.monotonic() > deadline:
                raise StandupError("servers are not gone in time")
            time.sleep(CROWD_POLL_S)

    def ids(self, query: str = "") -> list[str]:
        """Return the ids of all servers that match."""
        found: list[str] = []
        marker = ""
        while True:
            page = self._api.get(f"/servers?limit={PAGE}&{query}{marker}")["servers"]
            found += [server["id"] for server in page]
            if len(page) < PAGE:
                return found
            marker = f"&marker={found[-1]}"

    def per_host(self, name: str) -> Counter[str]:
        """Return how many servers of a name are on each host that has some."""
        path = f"/servers/detail?all_tenants=1&project_id={PROJECT}&limit={PAGE}&name={name}"
        servers = self._cloud.admin.get(path)["servers"]
        return Counter(str(server["OS-EXT-SRV-ATTR:host"]) for server in servers)
