"""The cloud under test: servers, image service and daemons in a directory of their own."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from standup import packages, ports, venvs
from standup.accounts import require_access
from standup.errors import StandupError
from standup.manager import SupervisedPrograms, wait_until
from standup.mariadb import MariaDB
from standup.paths import CHECKOUT
from standup.program import Program
from standup.rabbitmq import RabbitMQ

from benchmark import daemon_files, static_image_service
from benchmark.api_client import ApiClient
from benchmark.daemon_files import Site
from benchmark.daemons import ColdStart, Daemons
from benchmark.options import Options

DATABASE = "nova"
PROJECT = "bench"
FLAVOR_ID = "bench"
HOSTS_UP_TIMEOUT_S = 60


@dataclass(frozen=True)
class Cloud:
    """A running cloud.  mariadb is None on SQLite."""

    directory: Path
    manager: SupervisedPrograms
    rabbitmq: RabbitMQ
    mariadb: MariaDB | None
    user: ApiClient
    admin: ApiClient
    starts: tuple[ColdStart, ...]
    daemons: Daemons

    def pids(self) -> dict[str, int]:
        """Return the process of every program that runs."""
        return {state.name: state.pid for state in self.manager.states() if state.pid}

    def remove(self) -> None:
        """End everything and remove the directory."""
        remove(self.directory)


def remove(directory: Path) -> None:
    """End what runs in a directory of ours and remove it."""
    SupervisedPrograms(directory / "run").shut_down()
    shutil.rmtree(directory)


def make_directory(wanted: Path | None) -> Path:
    """Make the directory of a run, new and open to the accounts of its servers."""
    if wanted is None:
        directory = Path(tempfile.mkdtemp(prefix="nova-bench-", dir="/var/tmp"))
    else:
        directory = wanted.resolve()
        if directory.exists():
            raise StandupError(f"{directory} exists already")
        directory.mkdir(parents=True)
    directory.chmod(0o755)
    if os.geteuid() == 0:
        require_access(directory)
    return directory


def put_up(options: Options, directory: Path) -> Cloud:
    """Start everything and wait until all hosts are up.  Raises: StandupError."""
    python = options.python or _own_python(directory)
    if os.geteuid() == 0:
        wanted = packages.for_services(["rabbitmq", "mysql"])
        packages.ensure(wanted, directory / "packages.log")
    manager = SupervisedPrograms(directory / "run")
    manager.ensure()
    taken: set[int] = set()
    numbers = [ports.choose(options.first_port + offset, taken) for offset in range(6)]
    rabbitmq = _rabbitmq(directory, numbers[0], numbers[1], numbers[2], manager)
    mariadb = _mariadb(directory, numbers[3], manager) if options.database == "mysql" else None
    site = Site(
        directory=directory,
        api_port=numbers[4],
        image_port=numbers[5],
        transport_url=rabbitmq.url(),
        database_url=mariadb.url(DATABASE) if mariadb else f"sqlite:///{directory}/nova.sqlite",
        concurrency=options.concurrency,
    )
    daemon_files.write(site, options.processes, options.hosts)
    _image_service(directory, site.image_port, manager)
    daemons = Daemons(manager, python, site, directory)
    daemons.manage("db", "sync")
    starts = daemons.start_all(options.processes)
    user, admin = (ApiClient(site.api_port, name, PROJECT) for name in ("user", "admin"))
    cloud = Cloud(directory, manager, rabbitmq, mariadb, user, admin, tuple(starts), daemons)
    _furnish(cloud, options.host_count)
    return cloud


def _own_python(directory: Path) -> Path:
    """Return the interpreter of the environment of tools/test, which is made if missing."""
    venv = Path(os.environ.get("NOVA_TEST_VENV", CHECKOUT / ".venv"))
    python = venv / "bin" / "python"
    if python.exists():
        return python
    print(f"making the virtual environment {venv}", file=sys.stderr, flush=True)
    pins = CHECKOUT / "constraints.txt"
    arguments = ["--constraint", str(pins)] if pins.exists() else []
    installs = [[*arguments, "--editable", f"{CHECKOUT}[test]"]]
    venvs.ensure(venv, sys.version, installs, directory / "pip.log")
    return python


def _account(name: str) -> str | None:
    return name if os.geteuid() == 0 else None


def _rabbitmq(
    directory: Path, port: int, dist_port: int, epmd_port: int, manager: SupervisedPrograms
) -> RabbitMQ:
    node = RabbitMQ(
        directory / "rabbitmq",
        port,
        dist_port,
        epmd_port,
        secrets.token_hex(12),
        _account("rabbitmq"),
    )
    node.start(manager)
    return node


def _mariadb(directory: Path, port: int, manager: SupervisedPrograms) -> MariaDB:
    server = MariaDB(directory / "mysql", port, secrets.token_hex(12), _account("mysql"))
    server.start(manager)
    server.ensure_database(DATABASE)
    return server


def _image_service(directory: Path, port: int, manager: SupervisedPrograms) -> None:
    command = (sys.executable, "-B", static_image_service.__file__, str(port))
    manager.start(Program("images", command, str(directory / "images.log")))
    ports.wait_for(port, 10, "the image service", directory / "images.log")


def _furnish(cloud: Cloud, host_count: int) -> None:
    """Wait for the hosts; make the flavor; lift the project's quotas."""

    def all_up() -> bool:
        found = cloud.admin.get("/os-services?binary=nova-compute")["services"]
        return [service["state"] for service in found] == ["up"] * host_count

    wait_until(all_up, HOSTS_UP_TIMEOUT_S, f"{host_count} compute hosts are not up")
    flavor = {"id": FLAVOR_ID, "name": "bench", "ram": 128, "vcpus": 1, "disk": 1}
    cloud.admin.call("POST", "/flavors", {"flavor": flavor})
    limits = {"instances": -1, "cores": -1, "ram": -1}
    cloud.admin.call("PUT", f"/os-quota-sets/{PROJECT}", {"quota_set": limits})
    time.sleep(1)


def image_id() -> str:
    """Return the only image there is."""
    return static_image_service.IMAGE_ID
