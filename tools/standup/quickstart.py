"""The quick start's steps, from nothing to a login on the first of two servers."""

from __future__ import annotations

import datetime
import os
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from standup import (
    accounts,
    aws,
    catalog,
    first_network,
    first_server,
    identity,
    nova_config,
    nova_programs,
    packages,
    ports,
    run,
    this_machine,
    venvs,
)
from standup.cloud import DATABASE, Cloud
from standup.errors import StandupError
from standup.hosts import PUBLIC_INTERFACE
from standup.manager import ProcessManager, require_health, wait_until
from standup.paths import CHECKOUT, TOOLS
from standup.program import Program
from standup.progress import Step
from standup.rest import HttpError
from standup.settings import Settings

ACCOUNTS = {"nova": ("libvirt", "kvm"), "keystone": (), "glance": ()}
PROJECT_FILES = (
    "nova",
    "etc",
    "setup.cfg",
    "pyproject.toml",
    "constraints.txt",
    "README.md",
    "LICENSE",
)
# The daemons that listen on ports of the controller, by the names of these.
SERVERS = {
    "compute": "nova-api",
    "network": "nova-api",
    "ec2": "nova-api",
    "objectstore": "nova-objectstore",
    "novncproxy": "nova-novncproxy",
    "spicehtml5proxy": "nova-spicehtml5proxy",
    "serialproxy": "nova-serialproxy",
    "xvpvncproxy": "nova-xvpvncproxy",
}
# The Compute API leaves them out of its list of services, as nova does.
UNLISTED = ("nova-api", "nova-api-metadata")
LEAST_FREE_BYTES = 3 * 2**30


class QuickStart:
    """Each method is one step; it can be repeated and then finds its work done."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cloud = Cloud(settings)
        self.changed = False

    def steps(self) -> list[Step]:
        """Return the steps with their order."""
        return [
            Step("packages", "Debian packages", self.packages),
            Step("accounts", "system accounts", self.accounts, ("packages",)),
            Step("nova venv", "nova's virtual environment", self.nova_venv, ("packages",)),
            Step(
                "identity venv",
                "Keystone's and Glance's environment",
                self.identity_venv,
                ("packages",),
            ),
            Step("aws venv", "AWS client", self.aws_venv, ("packages",)),
            Step("guest image", "guest image", self.guest_image, ("packages",)),
            Step("rabbitmq", "RabbitMQ", self.rabbitmq, ("accounts",)),
            Step(
                "database",
                f"database ({self.settings.wishes.database})",
                self.database,
                ("accounts",),
            ),
            Step("compute", "compute hosts", self.compute_hosts, ("accounts",)),
            Step("identity", "Keystone and Glance", self.identity, ("identity venv", "accounts")),
            Step("catalogue", "users, roles and endpoints", self.catalogue, ("identity",)),
            Step("openrc", "files to source", self.openrc, ("catalogue", "aws venv")),
            Step("image", "image in Glance", self.image, ("catalogue", "guest image")),
            Step(
                "schema",
                "nova's database and networks",
                self.schema,
                ("nova venv", "database", "catalogue"),
            ),
            Step("daemons", "nova's daemons", self.daemons, ("schema", "rabbitmq", "compute")),
            Step("services", "daemons report for work", self.services, ("daemons", "catalogue")),
            Step("flavors", "flavors", self.flavors, ("services",)),
            Step("keypair", "key pair", self.keypair, ("services", "openrc")),
            Step("access", "security group", self.access, ("services",)),
            Step("server", "first server", self.server, ("flavors", "keypair", "image", "access")),
            Step("second", "second server", self.second, ("flavors", "keypair", "image", "access")),
            Step("floating", "floating address", self.floating, ("server",)),
            Step("login", "login by SSH", self.login, ("floating",)),
        ]

    # ---------------------------------------------------------------- ground

    def packages(self) -> str:
        """Install missing Debian packages."""
        for directory in (self.settings.state, self.settings.cache):
            if shutil.disk_usage(directory).free < LEAST_FREE_BYTES:
                raise StandupError(
                    f"less than {LEAST_FREE_BYTES >> 30} GiB are free below {directory}"
                )
        wanted = packages.for_quickstart(self.settings.wishes.database)
        installed = packages.ensure(wanted, self.settings.logs / "packages.log")
        return f"{len(installed)} installed" if installed else "all present"

    def accounts(self) -> str:
        """Make system accounts for the daemons."""
        made = tuple(
            name
            for name, groups in ACCOUNTS.items()
            if accounts.ensure(name, self.settings.state, groups)
        )
        self.settings = self.settings.with_accounts(made)
        return f"made {', '.join(made)}" if made else "all present"

    def nova_venv(self) -> str:
        """Install this checkout with its pinned requirements."""
        key = venvs.tree_digest(CHECKOUT, PROJECT_FILES)
        constraints = CHECKOUT / "constraints.txt"
        pins = ["--constraint", str(constraints)] if constraints.exists() else []
        # Built from a copy: building writes into its directory, and the checkout may be somebody
        # else's.
        source = self.settings.cache / "nova-source"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        for name in PROJECT_FILES:
            _copy(CHECKOUT / name, source / name)
        log = self.settings.cache / "nova-venv.log"
        installs = [[*pins, f"{source}[postgresql]"]]
        done = venvs.ensure(self.settings.nova_venv, key, installs, log)
        shutil.rmtree(source)
        self.changed |= done
        return "installed" if done else "up to date"

    def identity_venv(self) -> str:
        """Install Keystone, Glance and the command-line client."""
        log = self.settings.cache / "identity-venv.log"
        done = identity.install(self.settings.identity_venv, log)
        return "installed" if done else "up to date"

    def aws_venv(self) -> str:
        """Install the AWS command-line client, and what bundle-image needs."""
        packages = ["awscli", "boto3", "cryptography", "defusedxml"]
        pins = ["--constraint", str(CHECKOUT / "constraints.txt"), *packages]
        key = f"{packages} {(CHECKOUT / 'constraints.txt').read_text()}"
        log = self.settings.cache / "aws-venv.log"
        done = venvs.ensure(self.settings.aws_venv, key, [pins], log)
        return "installed" if done else "up to date"

    def guest_image(self) -> str:
        """Build the guest image."""
        log = self.settings.logs / "guest-image.log"
        run.logged([str(TOOLS / "guest-image"), "-u", str(self.cloud.guest_image.parent)], log)
        return f"{self.cloud.guest_image.stat().st_size / 2**20:.0f} MiB"

    # --------------------------------------------------------------- servers

    def rabbitmq(self) -> str:
        """Start the message broker."""
        self.cloud.rabbitmq.start(self.cloud.manager)
        return f"port {self.settings.ports['rabbit']}"

    def database(self) -> str:
        """Start the database server, or make the directory of the SQLite file."""
        server = self.cloud.database_server
        if server is None:
            directory = self.settings.state / "database"
            directory.mkdir(exist_ok=True)
            accounts.close(directory, nova_programs.USER)
            return str(directory)
        server.start(self.cloud.manager)
        server.ensure_database(DATABASE)
        return f"port {server.port}"

    def compute_hosts(self) -> str:
        """Make the hosts in namespaces, or prepare the machine itself."""
        if self.settings.wishes.on_this_host:
            this_machine.prepare(self.cloud)
            return "this machine"
        self.cloud.hosts.create()
        layout = self.cloud.layout
        return ", ".join(f"{layout.spec(i).name} ({layout.address(i)})" for i in layout.indices())

    def identity(self) -> str:
        """Prepare and start Keystone and Glance."""
        identity.prepare(self.cloud.site)
        identity.start(self.cloud.site, self.cloud.manager)
        return f"ports {self.settings.ports['keystone']}, {self.settings.ports['glance']}"

    def catalogue(self) -> str:
        """Make users, roles and endpoints."""
        seed = catalog.Catalog(self.cloud.session("admin"))
        seed.ensure_projects(["service", "demo", "alt_demo"])
        for user in catalog.standard_users(lambda name: self.settings.passwords[name]):
            seed.ensure_user(user)
        settings, inside = self.settings, self.cloud.layout.controller_address
        inside = ports.LOOPBACK if settings.wishes.on_this_host else inside
        image = f"http://{inside}:{settings.ports['glance']}"
        public = {"public": settings.image_url, "internal": image, "admin": settings.image_url}
        compute = dict.fromkeys(("public", "internal", "admin"), settings.compute_url)
        seed.ensure_service(catalog.Service("image", "glance", public))
        network = dict.fromkeys(("public", "internal", "admin"), settings.network_url)
        seed.ensure_service(catalog.Service("compute", "nova", compute))
        seed.ensure_service(catalog.Service("network", "nova-network", network))
        for kind, name, url in (
            ("ec2", "ec2", settings.ec2_url),
            ("s3", "s3", settings.objectstore_url),
        ):
            urls = dict.fromkeys(("public", "internal", "admin"), url)
            seed.ensure_service(catalog.Service(kind, name, urls))
        return "demo and admin can log in"

    def openrc(self) -> str:
        """Write files to source."""
        return first_server.write_openrc(self.cloud)

    def image(self) -> str:
        """Upload the guest image."""
        return first_server.upload_image(self.cloud)

    # ------------------------------------------------------------------ nova

    def schema(self) -> str:
        """Write configuration, bring the schema up to date, create network and floating pool."""
        self._write_config()
        log, manage = self.settings.logs / "nova-manage.log", self._manage
        run.logged(manage("db", "sync"), log, self._as_nova())
        if "private" not in run.output(manage("network", "list"), self._as_nova()):
            fixed = ["--label", "private", "--fixed-range-v4", self.settings.fixed]
            if not self.settings.wishes.on_this_host:
                fixed += ["--fixed-cidr", self.cloud.layout.guests]
            bridge = ["--bridge", nova_config.BRIDGE, "--multi-host", "T"]
            run.logged(manage("network", "create", *fixed, *bridge), log, self._as_nova())
        if nova_config.POOL not in run.output(manage("floating", "list"), self._as_nova()):
            pool = ["--ip-range", self.settings.floating, "--pool", nova_config.POOL]
            if not self.settings.wishes.on_this_host:
                pool += ["--interface", PUBLIC_INTERFACE]
            run.logged(manage("floating", "create", *pool), log, self._as_nova())
        return f"private {self.settings.fixed}, floating {self.settings.floating}"

    def daemons(self) -> str:
        """Start every daemon; running ones are restarted if their code or configuration changed."""
        settings, cloud = self.settings, self.cloud
        groups: list[tuple[ProcessManager, list[Program]]] = [
            (cloud.manager, nova_programs.controller(settings))
        ]
        for index in cloud.layout.indices():
            name, logs = cloud.layout.spec(index).name, cloud.host_logs(index)
            daemons = nova_programs.compute(settings, name, logs)
            groups.append((cloud.host_programs(index), daemons))
        if settings.wishes.on_this_host:
            daemons = nova_programs.compute(settings, this_machine.NAME, settings.logs)
            groups.append((cloud.manager, daemons))
        if self.changed:
            jobs = [(manager, program) for manager, daemons in groups for program in daemons]
            with ThreadPoolExecutor(len(jobs)) as pool:
                list(pool.map(lambda job: job[0].stop(job[1].name), jobs))
        for name, program in SERVERS.items():
            ports.claim(settings.ports[name], cloud.manager, program)
        for manager, daemons in groups:
            for program in daemons:
                manager.start(program)
        started = sum(len(daemons) for _manager, daemons in groups)
        return f"{started} {'started anew' if self.changed else 'running'}"

    def services(self) -> str:
        """Wait until the API answers and every daemon reports."""
        began = time.monotonic()
        for name, program in SERVERS.items():
            self._wait_for_port(self.settings.ports[name], program)
        count = 1 if self.settings.wishes.on_this_host else self.settings.wishes.hosts
        wanted = Counter(dict.fromkeys(nova_programs.CONTROLLER, 1))
        wanted.update(dict.fromkeys(nova_programs.COMPUTE, count))
        for name in UNLISTED:
            del wanted[name]
        url = f"{self.settings.compute_url}/os-services"
        session = self.cloud.session("admin")

        def absent() -> Counter[str]:
            began = self._last_start()
            try:
                listed = session.get(url)["services"]
            except HttpError as error:
                if error.status < 500:
                    raise
                return wanted
            return wanted - Counter(
                one["binary"]
                for one in listed
                if one["state"] == "up" and one["updated_at"][: len(began)] >= began
            )

        try:
            wait_until(lambda: self._daemons_live() and not absent(), 120, "services are missing")
        except StandupError as error:
            missing = ", ".join(f"{number} {name}" for name, number in absent().items())
            if not missing or error.log:
                raise
            raise StandupError(f"no report from {missing}", self.settings.logs) from error
        return f"{wanted.total()} up within {time.monotonic() - began:.1f} s"

    def _wait_for_port(self, port: int, program: str) -> None:
        wait_until(
            lambda: self._daemons_live() and ports.answers(port),
            90,
            f"{program} does not answer on port {port}",
            self.settings.logs / f"{program}.log",
        )

    def _daemons_live(self) -> bool:
        """Tell that no daemon ends again and again.

        Raises: StandupError naming the one that does.
        """
        for manager in self._managers():
            require_health(manager.states())
        return True

    def _last_start(self) -> str:
        """Return when the last of the daemons was started: earlier reports prove nothing."""
        states = [state for manager in self._managers() for state in manager.states()]
        uptimes_s = [state.uptime_s for state in states if state.name in nova_programs.NAMES]
        began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=min(uptimes_s))
        return began.strftime("%Y-%m-%dT%H:%M:%S")

    def _managers(self) -> list[ProcessManager]:
        hosts = [self.cloud.host_programs(index) for index in self.cloud.layout.indices()]
        return [self.cloud.manager, *hosts]

    def flavors(self) -> str:
        """Make the flavors."""
        return first_server.make_flavors(self.cloud)

    def keypair(self) -> str:
        """Make a key pair."""
        return first_server.make_keypair(self.cloud)

    def access(self) -> str:
        """Let ping and SSH in to servers of a security group."""
        return first_network.open_access(self.cloud)

    def server(self) -> str:
        """Boot the first server."""
        return first_server.boot(self.cloud, first_server.NAME)

    def second(self) -> str:
        """Boot the second server."""
        return first_server.boot(self.cloud, first_server.SECOND)

    def floating(self) -> str:
        """Give the first server a floating address."""
        return first_network.give_floating_address(self.cloud, first_server.NAME)

    def login(self) -> str:
        """Log into the first server by its floating address."""
        return first_server.login(self.cloud)

    def _write_config(self) -> None:
        settings, cloud, user = self.settings, self.cloud, nova_programs.USER
        settings.etc.mkdir(parents=True, exist_ok=True)
        (settings.state / "controller").mkdir(exist_ok=True)
        accounts.close(settings.state / "controller", user)
        if settings.wishes.on_this_host:
            nodes = [this_machine.node(cloud)]
            nodes[0].state_path.mkdir(exist_ok=True)
            accounts.give(nodes[0].state_path, user)
        else:
            nodes = [cloud.node(index) for index in cloud.layout.indices()]
        files = {
            settings.etc / "nova.conf": nova_config.controller(
                settings, cloud.rabbitmq.url(), aws.credentials(cloud.session("nova", "service"))
            ),
            settings.etc / "nova-database.conf": nova_config.database(cloud.database_url),
        }
        for node in nodes:
            url = cloud.rabbitmq.url(node.controller)
            file = nova_config.compute_file(settings, node.name)
            files[file] = nova_config.compute(settings, node, url)
        for file, sections in files.items():
            self.changed |= nova_config.write(file, sections, user)

    def _manage(self, *arguments: str) -> list[str]:
        return nova_programs.manage(self.settings, *arguments)

    def _as_nova(self) -> run.Settings:
        return run.Settings(
            nova_programs.USER, self.settings.state, {"HOME": str(self.settings.state)}
        )


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    elif source.exists():
        shutil.copyfile(source, target)


def make_state_directory(state: Path) -> None:
    """Make the state directory, open to the daemons' accounts."""
    state.mkdir(parents=True, exist_ok=True)
    os.chmod(state, 0o755)
    (state / "log").mkdir(exist_ok=True, mode=0o750)
    accounts.require_access(state)
