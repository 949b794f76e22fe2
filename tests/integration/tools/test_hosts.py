"""Compute hosts in namespaces, for real."""

import http.server
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from standup import hosts
from standup.errors import StandupError
from standup.hosts import Hosts, Layout
from standup.manager import SupervisedPrograms

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(shutil.which("libvirtd") is None, reason="libvirt is not installed"),
]
PREFIX = "nqi"


@pytest.fixture
def directory() -> Iterator[Path]:
    """Yield a directory that servers with accounts of their own can reach."""
    path = Path(tempfile.mkdtemp(prefix="nova-hosts-", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    hosts.remove_directory(path)


@pytest.fixture
def group(directory: Path) -> Iterator[Hosts]:
    """Yield two hosts, which are removed afterwards."""
    networks = ("10.96.77.0/24", "10.96.78.0/24", "10.96.79.0/24")
    layout = Layout(PREFIX, directory, 2, *networks)
    made = Hosts(layout, SupervisedPrograms(directory / "run"))
    try:
        made.create()
        yield made
    finally:
        made.destroy()
        made.manager.shut_down()


def _output(group: Hosts, index: int, *command: str) -> str:
    done = subprocess.run([*group.enter(index), *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_hosts_have_names_and_libvirts_of_their_own(group: Hosts) -> None:
    assert _output(group, 1, "hostname") == "compute1"
    capabilities = [_output(group, index, "virsh", "capabilities") for index in (1, 2)]
    identities = {text.split("<uuid>")[1].split("</uuid>")[0] for text in capabilities}
    assert len(identities) == 2


def test_hosts_reach_each_other_and_the_machine_by_name(group: Hosts) -> None:
    assert group.succeeds(1, ["ping", "-c1", "-W5", "compute2"])
    assert group.succeeds(2, ["ping", "-c1", "-W5", group.layout.machine_address])


def test_a_crash_keeps_files_and_a_boot_brings_the_host_back(group: Hosts) -> None:
    kept = group.layout.compute / "instances" / "kept"
    _output(group, 1, "touch", str(kept))
    group.crash(1)
    with pytest.raises(StandupError, match="compute1 is not up"):
        group.enter(1)
    group.boot(1)
    assert _output(group, 1, "ls", str(kept)) == str(kept)
    assert not group.succeeds(2, ["ls", str(kept)])


def test_a_reboot_leaves_nothing_of_what_the_kernel_held(group: Hosts) -> None:
    _output(group, 1, "ip", "link", "add", "left", "type", "bridge")
    group.crash(1)
    group.reboot(1)
    assert not group.succeeds(1, ["ip", "link", "show", "left"])
    assert group.succeeds(1, ["ping", "-c1", "-W5", group.layout.machine_address])


def test_a_relay_opens_one_port_of_the_loopback(group: Hosts) -> None:
    handler = http.server.BaseHTTPRequestHandler
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        group.relayed = [server.server_port]
        group.create()
        url = f"http://{group.layout.controller_address}:{server.server_port}/"
        ask = f"import urllib.request as u; u.urlopen({url!r}, timeout=10)"
        done = subprocess.run(
            [*group.enter(1), "/usr/bin/python3", "-c", ask], capture_output=True, text=True
        )
        server.shutdown()
    assert "501" in done.stderr


def test_destroying_leaves_nothing(directory: Path) -> None:
    before = _machine()
    layout = Layout(PREFIX, directory, 1, "10.96.77.0/24", "10.96.78.0/24", "10.96.79.0/24")
    made = Hosts(layout, SupervisedPrograms(directory / "run"))
    made.create()
    assert _machine() != before
    made.destroy()
    made.manager.shut_down()
    made.destroy()
    assert _machine() == before
    assert not (directory / "hosts").exists()


def _machine() -> list[str]:
    """Return links, routes, namespaces and mounts of the machine that bear our names."""
    commands = [["ip", "-o", "link"], ["ip", "route"], ["ip", "netns"], ["cat", "/proc/mounts"]]
    lines = [line for command in commands for line in _lines(command)]
    return [line for line in lines if PREFIX in line or "10.96.7" in line]


def _lines(command: list[str]) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
