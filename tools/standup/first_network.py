"""What the first servers need of the network: a security group and a floating address.

All of it through the current openstack client.
"""

from __future__ import annotations

from standup.client import Client
from standup.cloud import Cloud
from standup.nova_config import POOL

GROUP = "access"
RULES = {"icmp": (), "tcp": ("--dst-port", "22")}


def open_access(cloud: Cloud) -> str:
    """Make a security group that lets ping and SSH in: without one nothing may."""
    client = Client(cloud.settings, "demo")
    if GROUP not in {group["Name"] for group in client.json("security", "group", "list")}:
        client.do("security", "group", "create", "--description", "ping and SSH", GROUP)
    rules = client.json("security", "group", "rule", "list", "--ingress", GROUP)
    present = {rule["IP Protocol"] for rule in rules}
    for protocol, more in RULES.items():
        if protocol not in present:
            command = ("security", "group", "rule", "create", "--protocol", protocol)
            client.do(*command, *more, GROUP)
    return f"{GROUP}: ping and SSH"


def give_floating_address(cloud: Cloud, server: str) -> str:
    """Let a floating address lead to a server, unless one does."""
    client = Client(cloud.settings, "demo")
    listed = client.json("floating", "ip", "list")
    used = [entry["Floating IP Address"] for entry in listed if entry["Fixed IP Address"]]
    if used:
        return f"{used[0]} leads to {server}"
    free = [entry["Floating IP Address"] for entry in listed]
    address = free[0] if free else _allocate(client)
    client.do("server", "add", "floating", "ip", server, address)
    return f"{address} leads to {server}"


def _allocate(client: Client) -> str:
    return str(client.json("floating", "ip", "create", POOL)["floating_ip_address"])
