"""Measures what networking costs, without broker and daemons, and prints it as JSON.

Runs under the daemons' interpreter, as root where a namespace is needed:

  network_work.py addresses FILE COUNT    allocate and release addresses in FILE's database
  network_work.py convergence SERVERS NETWORKS    start nova-network in a network namespace
"""

from __future__ import annotations

import configparser
import contextlib
import datetime
import ipaddress
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from pyroute2 import netns

from nova.conductor import addresses
from nova.conductor.manager import endpoints
from nova.conductor.network_plan import Pick
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.db.engine import Database, DatabaseSettings
from nova.network.host import NetworkHost
from nova.network.linux import LinuxHost
from nova.network.manager import FlatDHCPManager
from nova.network.memory import MemoryHost
from nova.network.plan import make_plan
from nova.objects.network import HostNetwork, NewNetwork
from nova.privileged import network as privileged
from nova.privileged.context import run_in_process
from nova.rpc.local import LocalBus

# The conductor that serves given networks is the one of the tests: it has every method.
from tests.fixtures.networks import (
    NetworksConductor,
    make_binding,
    make_network,
    make_served,
    make_settings,
)

LABEL = "network-work"
RANGE = "10.128.0.0/20"
HOST = "network-work"
USER = "nobody"


def main(arguments: list[str]) -> None:
    """Do what the first argument names."""
    verb, *rest = arguments
    if verb == "addresses":
        found = measure_addresses(rest[0], int(rest[1]))
    else:
        found = measure_convergence(int(rest[0]), int(rest[1]))
    print(json.dumps(found))


# --- Addresses


class Statements:
    """Counts the statements of a database, without BEGIN and COMMIT."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        sa.event.listen(database.engine, "before_cursor_execute", self._note)

    def _note(self, *_what: Any) -> None:
        self.count += 1


def measure_addresses(file: str, count: int) -> dict[str, float]:
    """Give an interface with an address to each of many servers, then take it away again."""
    configuration = configparser.RawConfigParser()
    configuration.read(file)
    database = Database(DatabaseSettings(connection=configuration["database"]["connection"]))
    bus = LocalBus()
    served = endpoints(ConductorSettings(), bus, database, bus)
    bus.serve("conductor", "conductor", served).start()
    networks, context = bus.client(ConductorNetworks).anyone(), get_admin_context()
    size = ipaddress.ip_network(RANGE).num_addresses
    new = NewNetwork(label=LABEL, cidr=RANGE, bridge="br100", multi_host=True, network_size=size)
    (network,) = networks.create(context, new)
    try:
        return _work_on_addresses(database, Pick(network=network), count)
    finally:
        networks.delete(context, network.uuid)
        database.close()


def _work_on_addresses(database: Database, pick: Pick, count: int) -> dict[str, float]:
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0)
    counter, given = Statements(database), []
    began = time.perf_counter()
    for _ in range(count):
        guest = addresses.Guest(instance_uuid=str(uuid.uuid4()), host=HOST, now=now, live_after=now)
        with database.transaction() as tx:
            (vif,) = addresses.allocate(tx, guest, [pick])
        given.append((guest.instance_uuid, vif.id))
    allocate_s, allocated = time.perf_counter() - began, counter.count
    began = time.perf_counter()
    for instance_uuid, vif_uuid in given:
        with database.transaction() as tx:
            addresses.release(tx, instance_uuid, vif_uuid, now)
    release_s = time.perf_counter() - began
    return {
        "count": count,
        "allocate_s": round(allocate_s, 2),
        "allocate_statements": round(allocated / count, 2),
        "release_s": round(release_s, 2),
        "release_statements": round((counter.count - allocated) / count, 2),
    }


# --- Convergence


def measure_convergence(servers: int, networks: int) -> dict[str, float]:
    """Start nova-network on a host in memory and on one in a namespace, with many servers."""
    served = [_served(number, servers // networks) for number in range(1, networks + 1)]
    found: dict[str, float] = {"servers": servers, "networks": networks}
    folder = tempfile.mkdtemp(prefix="nova-network-work-", dir="/var/tmp")
    os.chmod(folder, 0o755)
    try:
        settings = make_settings(
            networks_path=folder, dhcpbridge="/bin/true", dnsmasq_user=USER, dhcpbridge_user=USER
        )
        found["plan_ms"] = _timed(lambda: make_plan(served, settings))
        found["memory_ms"] = _timed(_starter(served, settings, MemoryHost()))
        with _namespace(folder):
            found |= _in_namespace(served, settings, folder)
    finally:
        shutil.rmtree(folder)
    return found


def _served(number: int, servers: int) -> HostNetwork:
    """Return a network of 1,022 addresses with servers in it."""
    second, third = divmod(number * 4, 256)
    prefix = f"10.{128 + second}"
    network = make_network(
        number,
        cidr=f"{prefix}.{third}.0/22",
        netmask="255.255.252.0",
        broadcast=f"{prefix}.{third + 3}.255",
        gateway=f"{prefix}.{third}.1",
        dhcp_server=f"{prefix}.{third}.1",
        dhcp_start=f"{prefix}.{third}.2",
    )
    bindings = tuple(
        make_binding(
            mac=f"fa:16:3e:{number:02x}:{guest // 256:02x}:{guest % 256:02x}",
            address=f"{prefix}.{third + (guest + 2) // 256}.{(guest + 2) % 256}",
            hostname=f"guest-{number}-{guest}",
            instance_uuid=f"guest-{number}-{guest}",
        )
        for guest in range(servers)
    )
    return make_served(network, bindings)


def _starter(
    served: list[HostNetwork], settings: Any, host: NetworkHost
) -> Callable[[], FlatDHCPManager]:
    """Return what does all that nova-network does from its start until it agrees."""

    def start() -> FlatDHCPManager:
        bus = LocalBus()
        bus.serve("conductor", "conductor", [NetworksConductor(*served)]).start()
        manager = FlatDHCPManager(settings=settings, bus=bus, host=host)
        manager.init_host()
        manager.heal()
        return manager

    return start


def _in_namespace(served: list[HostNetwork], settings: Any, folder: str) -> dict[str, float]:
    start = _starter(served, settings, LinuxHost(folder))
    found = {"first_start_ms": _timed(start), "restart_ms": _timed(start)}
    manager = start()
    try:
        rules = [line for line in _saved_rules() if line.startswith("-A ")]
        found["rules"] = len(rules)
        found["no_change_heal_ms"] = _timed(manager.heal)
        _flush()
        found["flushed_heal_ms"] = _timed(manager.heal)
        if [line for line in _saved_rules() if line.startswith("-A ")] != rules:
            raise SystemExit("the rules are not what they were before they were flushed")
    finally:
        manager.clear_host()
    return found


def _saved_rules() -> list[str]:
    _code, text, _errors = privileged.save_rules()
    return text.splitlines()


def _flush() -> None:
    """Lose all rules, as when somebody else starts a firewall."""
    for table in ("filter", "nat", "mangle"):
        for flag in ("-F", "-X"):
            subprocess.run(["iptables", "-w", "-t", table, flag], check=True)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round((time.perf_counter() - began) * 1000, 1)


@contextlib.contextmanager
def _namespace(folder: str) -> Iterator[None]:
    """Live in a network namespace of our own; privileged functions run in this process."""
    name = f"nova-nw-{os.getpid()}"
    run_in_process(True)
    cfg.CONF([], project="nova", default_config_files=[], default_config_dirs=[])
    cfg.CONF.set_override("networks_path", folder)
    cfg.CONF.set_override("dhcpbridge", "/bin/true")
    netns.create(name)
    try:
        netns.pushns(name)
        try:
            yield
        finally:
            netns.popns()
    finally:
        netns.remove(name)


if __name__ == "__main__":
    main(sys.argv[1:])
