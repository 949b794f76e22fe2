"""Put up the servers that integration tests use, in a directory of their own."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standup import catalog, identity, packages, ports
from standup.accounts import require_access
from standup.errors import StandupError
from standup.manager import SupervisedPrograms
from standup.mariadb import MariaDB
from standup.paths import default_cache
from standup.postgresql import PostgreSQL
from standup.rabbitmq import RabbitMQ

DATABASE = "nova"
PORTS = {
    "rabbitmq": ("rabbit", "rabbit_dist", "rabbit_epmd"),
    "mysql": ("mysql",),
    "postgresql": ("postgresql",),
    "identity": ("keystone", "glance", "compute", "network"),
}
PROGRAMS = {
    "rabbitmq": ("rabbitmq",),
    "mysql": ("mariadb",),
    "postgresql": ("postgresql",),
    "identity": ("glance", "keystone"),
}
FIRST_PORT = 21000


@dataclass(frozen=True)
class Bench:
    """The servers of one directory: their ports and the password they share."""

    directory: Path
    cache: Path
    ports: dict[str, int]
    password: str

    @property
    def manager(self) -> SupervisedPrograms:
        """The supervisor of this directory."""
        return SupervisedPrograms(self.directory / "run")

    def account(self, name: str) -> str | None:
        """Return the account a server runs as: its package's when we are root, else ours."""
        return name if os.geteuid() == 0 else None


def main(arguments: list[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.act(options))
    except StandupError as error:
        print(f"services: {error.why}", file=sys.stderr)
        if error.log:
            print(f"services: the log is {error.log}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/services", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    acts: list[tuple[str, Callable[[argparse.Namespace], int], str]] = [
        ("up", _up, "start servers and print their addresses as environment variables"),
        ("env", _env, "print the environment variables of running servers"),
        ("status", _status, "list the processes"),
        ("stop", _stop, "stop servers but keep their data: up starts them again"),
        ("down", _down, "stop everything and remove the directory"),
    ]
    for name, act, text in acts:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(act=act)
        command.add_argument(
            "--dir", type=Path, required=True, help="directory for data, logs and sockets"
        )
        if name in ("up", "stop"):
            command.add_argument(
                "servers", nargs="+", choices=sorted(PORTS), metavar="SERVER", help=", ".join(PORTS)
            )
        if name == "up":
            command.add_argument(
                "--cache-dir", type=Path, default=default_cache(), help="virtual environments"
            )
            command.add_argument(
                "--install", action="store_true", help="install missing Debian packages (root)"
            )
    return parser


def _up(options: argparse.Namespace) -> int:
    directory = options.dir.resolve()
    wanted = [name for name in PORTS if name in options.servers]
    if options.install:
        packages.ensure(packages.for_services(wanted), directory / "packages.log")
    bench = _open(directory, options.cache_dir.resolve(), wanted)
    starters = {
        "rabbitmq": _rabbitmq,
        "mysql": _mysql,
        "postgresql": _postgresql,
        "identity": _identity,
    }
    bench.manager.ensure()
    with ThreadPoolExecutor(len(wanted)) as pool:
        results = list(pool.map(lambda name: _timed(name, starters[name], bench), wanted))
    variables = {key: value for result in results for key, value in result.items()}
    file = directory / "environment.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(known | variables, indent=1) + "\n")
    return _env(options)


def _timed(name: str, starter: Callable[[Bench], dict[str, str]], bench: Bench) -> dict[str, str]:
    began = time.monotonic()
    result = starter(bench)
    print(f"services: {name} is up after {time.monotonic() - began:.1f} s", file=sys.stderr)
    return result


def _open(directory: Path, cache: Path, wanted: list[str]) -> Bench:
    """Read the directory's settings, adding ports for servers that are new."""
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        require_access(directory)
    file = directory / "settings.json"
    known: dict[str, Any] = (
        json.loads(file.read_text())
        if file.exists()
        else {"ports": {}, "password": secrets.token_hex(12)}
    )
    taken = set(known["ports"].values())
    for name in (port for server in wanted for port in PORTS[server]):
        if name not in known["ports"]:
            known["ports"][name] = ports.choose(FIRST_PORT + secrets.randbelow(9000), taken)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(known, out, indent=1)
    return Bench(directory, cache, known["ports"], known["password"])


def _rabbitmq(bench: Bench) -> dict[str, str]:
    node = RabbitMQ(
        bench.directory / "rabbitmq",
        bench.ports["rabbit"],
        bench.ports["rabbit_dist"],
        bench.ports["rabbit_epmd"],
        bench.password,
        bench.account("rabbitmq"),
    )
    node.start(bench.manager)
    return {"NOVA_TEST_RABBIT_URL": node.url()}


def _mysql(bench: Bench) -> dict[str, str]:
    user = bench.account("mysql")
    server = MariaDB(bench.directory / "mysql", bench.ports["mysql"], bench.password, user)
    server.start(bench.manager)
    server.ensure_database(DATABASE)
    return {"NOVA_TEST_MYSQL_URL": server.url(DATABASE)}


def _postgresql(bench: Bench) -> dict[str, str]:
    user = bench.account("postgres")
    server = PostgreSQL(
        bench.directory / "postgresql", bench.ports["postgresql"], bench.password, user
    )
    server.start(bench.manager)
    server.ensure_database(DATABASE)
    return {"NOVA_TEST_POSTGRESQL_URL": server.url(DATABASE)}


def _identity(bench: Bench) -> dict[str, str]:
    venv = bench.cache / "identity-venv"
    identity.install(venv, bench.cache / "identity-venv.log")
    secret = bench.password
    site = identity.Site(
        bench.directory,
        venv,
        bench.ports["keystone"],
        bench.ports["glance"],
        secret,
        secret,
        hash_rounds=4,
    )
    identity.prepare(site)
    identity.start(site, bench.manager)
    compute = f"http://{ports.LOOPBACK}:{bench.ports['compute']}/v2.1"
    seed = catalog.Catalog(site.admin())
    seed.ensure_projects(["service", "demo", "alt_demo"])
    for user in catalog.standard_users(lambda _name: secret):
        seed.ensure_user(user)
    network = f"http://{ports.LOOPBACK}:{bench.ports['network']}"
    for kind, name, url in (
        ("image", "glance", site.image_url),
        ("compute", "nova", compute),
        ("network", "nova-network", network),
    ):
        seed.ensure_service(
            catalog.Service(kind, name, dict.fromkeys(("public", "internal", "admin"), url))
        )
    return {
        "NOVA_TEST_KEYSTONE_URL": site.auth_url,
        "NOVA_TEST_GLANCE_URL": site.image_url,
        "NOVA_TEST_COMPUTE_PORT": str(bench.ports["compute"]),
        "NOVA_TEST_NETWORK_PORT": str(bench.ports["network"]),
        "NOVA_TEST_PASSWORD": secret,
        "NOVA_TEST_OPENSTACK": str(venv / "bin" / "openstack"),
    }


def _env(options: argparse.Namespace) -> int:
    file = options.dir / "environment.json"
    if not file.exists():
        raise StandupError(f"no servers were started in {options.dir}")
    for key, value in json.loads(file.read_text()).items():
        print(f"export {key}='{value}'")
    return 0


def _status(options: argparse.Namespace) -> int:
    for state in SupervisedPrograms(options.dir.resolve() / "run").states():
        print(
            f"{state.name:12} {state.state:8} pid {state.pid or '-':<8}"
            f" restarts {state.restarts}  {state.log}"
        )
    return 0


def _stop(options: argparse.Namespace) -> int:
    manager = SupervisedPrograms(options.dir.resolve() / "run")
    for server in options.servers:
        for program in PROGRAMS[server]:
            manager.stop(program)
    return 0


def _down(options: argparse.Namespace) -> int:
    directory = options.dir.resolve()
    if not (directory / "settings.json").exists():
        return 0
    SupervisedPrograms(directory / "run").shut_down()
    shutil.rmtree(directory)
    return 0
