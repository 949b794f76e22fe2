"""nova-dhcpbridge as a program of its own, over a real RabbitMQ."""

import dataclasses
import json
import os
import pathlib
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from oslo_config import cfg

from nova.network.manager import FlatDHCPManager
from nova.network.memory import MemoryHost
from nova.rpc.amqp import AmqpBus
from nova.rpc.local import LocalBus
from tests.fixtures.lease_relay import run_dhcpbridge
from tests.fixtures.network_lab import config_file, flag_files, messaging_conf
from tests.fixtures.networks import NetworksConductor, make_binding, make_served, make_settings

RABBIT_URL = os.environ.get("NOVA_TEST_RABBIT_URL", "")
MAC, ADDRESS = "fa:16:3e:00:00:05", "10.0.1.5"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not RABBIT_URL, reason="NOVA_TEST_RABBIT_URL is not set"),
]


@dataclasses.dataclass
class Served:
    """A nova-network on RabbitMQ, and what nova-dhcpbridge needs to reach it."""

    conductor: NetworksConductor
    environment: dict[str, str]


@pytest.fixture
def served(tmp_path: pathlib.Path) -> Iterator[Served]:
    """Serve one network with two guests, one of which holds its lease."""
    host = f"nn-{uuid.uuid4().hex[:8]}"
    path = config_file(tmp_path, host, RABBIT_URL)
    bindings = (make_binding(5, leased=True), make_binding(6))
    conductor = NetworksConductor(make_served(bindings=bindings))
    local = LocalBus()
    local.serve("conductor", "conductor1", [conductor]).start()
    manager = FlatDHCPManager(settings=make_settings(host=host), bus=local, host=MemoryHost())
    manager.init_host()
    bus = AmqpBus(messaging_conf(path))
    server = bus.serve("network", host, [manager])
    server.start()
    yield Served(conductor, {"CONFIG_FILE": flag_files(path), "NETWORK_ID": "1"})
    server.stop()
    server.drain(10)
    bus.close()
    cfg.CONF.clear()


def eventually(condition: Callable[[], bool], timeout_s: float = 10) -> bool:
    """Wait for something that other threads do."""
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_add_and_del_reach_the_conductor(served: Served) -> None:
    for action in ("add", "old", "del"):
        done = run_dhcpbridge([action, MAC, ADDRESS, "vm5"], served.environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert eventually(lambda: len(served.conductor.recorded) == 2)
    assert {event[1:] for event in served.conductor.recorded} == {
        (ADDRESS, MAC, True),
        (ADDRESS, MAC, False),
    }


def test_init_prints_the_leases_that_guests_hold(served: Served) -> None:
    done = run_dhcpbridge(["init"], served.environment)
    assert (done.returncode, done.stderr) == (0, "")
    expires, *rest = done.stdout.split()
    assert rest == [MAC, ADDRESS, "guest-5", "*"]
    assert 86300 < int(expires) - time.time() < 86500


def test_init_without_network_fails(served: Served) -> None:
    del served.environment["NETWORK_ID"]
    done = run_dhcpbridge(["init"], served.environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "NETWORK_ID" in done.stderr


def test_hst_04_secrets_that_everybody_can_read_are_refused(served: Served) -> None:
    [path] = json.loads(served.environment["CONFIG_FILE"])
    pathlib.Path(path).chmod(0o644)
    done = run_dhcpbridge(["add", MAC, ADDRESS], served.environment)
    assert done.returncode == 2
    assert "transport_url" in done.stderr


@pytest.mark.parametrize("files", ["x", "{}", '["/nonexistent/nova-dhcpbridge.conf"]'])
def test_unusable_configuration(served: Served, files: str) -> None:
    done = run_dhcpbridge(["add", MAC, ADDRESS], {"CONFIG_FILE": files})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nova-dhcpbridge: ")
