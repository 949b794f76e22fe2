"""A RabbitMQ node of our own.

Own port mapper, own port, own data, loopback only, one vhost and one user.

A node that the machine runs already is left alone.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from standup import ports, run
from standup.accounts import close
from standup.manager import ProcessManager, wait_until
from standup.program import Program

SCRIPTS = Path("/usr/lib/rabbitmq/bin")
PACKAGES = ("rabbitmq-server",)


@dataclass(frozen=True)
class RabbitMQ:
    """Where the node lives and who may use it."""

    directory: Path
    port: int
    dist_port: int
    epmd_port: int
    password: str
    user: str | None = None
    vhost: str = "nova"
    account: str = "nova"

    def url(self, host: str = ports.LOOPBACK) -> str:
        """Return the transport URL of the vhost, as seen with this host name."""
        return f"rabbit://{self.account}:{quote(self.password)}@{host}:{self.port}/{self.vhost}"

    def start(self, manager: ProcessManager) -> None:
        """Start the node, wait for it, and make the vhost and the user."""
        self._write_files()
        log = str(self.directory / "rabbitmq.log")
        mapper = ("/usr/bin/epmd", "-address", ports.LOOPBACK, "-port", str(self.epmd_port))
        ports.claim(self.epmd_port, manager, "epmd")
        manager.start(Program("epmd", mapper, log, self.user, environment=self._environment()))
        ports.wait_for(self.epmd_port, 20, "the Erlang port mapper", Path(log))
        server = (str(SCRIPTS / "rabbitmq-server"),)
        environment = self._environment()
        ports.claim(self.port, manager, "rabbitmq")
        manager.start(
            Program(
                "rabbitmq",
                server,
                log,
                self.user,
                environment=environment,
                directory=str(self.directory),
            )
        )
        wait_until(lambda: ports.answers(self.port), 90, "RabbitMQ does not answer", Path(log))

    def _write_files(self) -> None:
        """Write the configuration.

        The definitions are loaded by the node before it opens its port.
        """
        for name in ("data", "log", "home"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        (self.directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {ports.LOOPBACK}:{self.port}\n"
            "loopback_users = none\n"
            "cluster_name = nova\n"
            f"default_vhost = {self.vhost}\n"
            f"default_user = {self.account}\n"
            f"default_pass = {self.password}\n"
            "default_user_tags.administrator = false\n"
            "log.console = true\n"
            "log.console.level = warning\n"
            "log.file = false\n"
            "vm_memory_high_watermark.relative = 0.4\n"
            "disk_free_limit.absolute = 50MB\n"
        )
        (self.directory / "enabled_plugins").write_text("[].\n")
        # The loopback is all it needs: where a name server is set but away, each search takes 10 s.
        (self.directory / "inetrc").write_text(
            '{lookup, [file]}.\n{host, {127,0,0,1}, ["localhost"]}.\n'
        )
        close(self.directory, self.user)
        (self.directory / "rabbitmq.conf").chmod(0o600)

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.directory / "home"),
            "ERL_INETRC": str(self.directory / "inetrc"),
            "RABBITMQ_NODENAME": f"nova-{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": ports.LOOPBACK,
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.directory / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "data"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_PID_FILE": str(self.directory / "data" / "node.pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1}"
                " +sbwt none +sbwtdcpu none +sbwtdio none"
            ),
            "ERL_EPMD_ADDRESS": ports.LOOPBACK,
            "ERL_EPMD_PORT": str(self.epmd_port),
            "LANG": "C.UTF-8",
        }


def control(node: RabbitMQ, *arguments: str) -> str:
    """Run rabbitmqctl against the node and return what it printed."""
    settings = run.Settings(
        user=node.user, environment=node._environment(), directory=node.directory
    )
    return run.output([str(SCRIPTS / "rabbitmqctl"), "--quiet", *arguments], settings)
