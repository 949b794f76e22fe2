"""A cloud of the quick start: its parts, made from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from standup import hosts, identity, nova_config, nova_programs, rest, systemd
from standup.hosts import Hosts, Layout
from standup.manager import ProcessManager, SupervisedPrograms
from standup.mariadb import MariaDB
from standup.nova_config import ComputeNode
from standup.postgresql import PostgreSQL
from standup.rabbitmq import RabbitMQ
from standup.settings import Settings

PREFIX = "nova-q"
DATABASE = "nova"


@dataclass(frozen=True)
class Cloud:
    """Everything that can be derived from the settings."""

    settings: Settings

    @property
    def manager(self) -> ProcessManager:
        """What runs the processes of the controller: systemd where it is, else our supervisor."""
        directory = self.settings.state / "run"
        return (
            systemd.SystemdPrograms(directory)
            if systemd.is_running()
            else SupervisedPrograms(directory)
        )

    @property
    def rabbitmq(self) -> RabbitMQ:
        """The message broker."""
        numbers, secret = self.settings.ports, self.settings.passwords["rabbit"]
        three = (numbers["rabbit"], numbers["rabbit_dist"], numbers["rabbit_epmd"])
        return RabbitMQ(self.settings.state / "rabbitmq", *three, secret, "rabbitmq")

    @property
    def database_server(self) -> MariaDB | PostgreSQL | None:
        """The database server, None for SQLite."""
        settings = self.settings
        directory, secret = (
            settings.state / settings.wishes.database,
            settings.passwords["database"],
        )
        if settings.wishes.database == "mysql":
            return MariaDB(directory, settings.ports["mysql"], secret)
        if settings.wishes.database == "postgresql":
            return PostgreSQL(directory, settings.ports["postgresql"], secret)
        return None

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of nova's database."""
        server = self.database_server
        return (
            server.url(DATABASE)
            if server
            else f"sqlite:///{self.settings.state}/database/nova.sqlite"
        )

    @property
    def site(self) -> identity.Site:
        """Keystone and Glance."""
        settings, secrets = self.settings, self.settings.passwords
        users = {"keystone": "keystone", "glance": "glance"}
        return identity.Site(
            settings.state,
            settings.identity_venv,
            settings.ports["keystone"],
            settings.ports["glance"],
            secrets["admin"],
            secrets["glance"],
            users=users,
        )

    @property
    def layout(self) -> Layout:
        """Names and addresses of the compute hosts."""
        settings = self.settings
        count = 0 if settings.wishes.on_this_host else settings.wishes.hosts
        networks = (settings.management, settings.public, settings.fixed)
        return Layout(PREFIX, settings.state / "compute-hosts", count, *networks)

    @property
    def hosts(self) -> Hosts:
        """The compute hosts in namespaces."""
        relayed = [self.settings.ports[name] for name in ("rabbit", "keystone", "glance")]
        rule = nova_config.sudoers(self.settings, nova_programs.USER)
        return Hosts(self.layout, self.manager, nova_programs.USER, rule, relayed)

    @property
    def guest_image(self) -> Path:
        """The image of the first server."""
        return self.settings.cache / "guest" / "tiny.qcow2"

    def node(self, index: int) -> ComputeNode:
        """Return a compute host in namespaces, as its daemons see it."""
        layout = self.layout
        where = (layout.address(index), layout.controller_address, layout.compute)
        return ComputeNode(
            layout.spec(index).name, *where, flat_interface="eth1", public_interface=""
        )

    def host_programs(self, index: int) -> SupervisedPrograms:
        """Return the programs inside a compute host."""
        return self.hosts.programs(index)

    def host_logs(self, index: int) -> Path:
        """Return the directory of the logs of a compute host's daemons."""
        return self.settings.logs / self.layout.spec(index).name

    def session(self, user: str, project: str | None = None) -> rest.Session:
        """Return a session of one of the cloud's users."""
        settings = self.settings
        secret = settings.passwords[user]
        return rest.Session(rest.Credentials(settings.auth_url, user, secret, project or user))

    def remove_files(self) -> None:
        """Remove the state directory."""
        hosts.remove_directory(self.settings.state)
