"""A PostgreSQL server of our own: own data directory, socket and port, loopback only.

A server that the machine runs already is left alone.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from standup import ports, run
from standup.accounts import close
from standup.errors import StandupError
from standup.manager import ProcessManager, wait_until
from standup.program import Program

PACKAGES = ("postgresql",)


@dataclass(frozen=True)
class PostgreSQL:
    """Where the server lives and who may use it. The account may make databases."""

    directory: Path
    port: int
    password: str
    user: str | None = "postgres"
    account: str = "nova"

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg2://{self.account}:{quote(self.password)}@{ports.LOOPBACK}:{self.port}/{database}"

    def start(self, manager: ProcessManager) -> None:
        """Make the data directory if it is missing, start the server and make the account."""
        data, log = self.directory / "data", self.directory / "postgresql.log"
        self.directory.mkdir(parents=True, exist_ok=True)
        log.touch()
        close(self.directory, self.user)
        if not (data / "PG_VERSION").exists():
            options = [
                "--auth-local=peer",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ]
            run.logged(
                [str(_programs() / "initdb"), "--pgdata", str(data), "--no-sync", *options],
                log,
                run.Settings(user=self.user, directory=self.directory),
            )
        command = (
            *(str(_programs() / "postgres"), "-D", str(data), "-p", str(self.port)),
            *(
                "-c",
                f"listen_addresses={ports.LOOPBACK}",
                "-c",
                f"unix_socket_directories={self.directory}",
            ),
            *("-c", "max_connections=300", "-c", "synchronous_commit=off"),
        )
        ports.claim(self.port, manager, "postgresql")
        manager.start(
            Program("postgresql", command, str(log), self.user, umask=0o077, stop_timeout_s=60)
        )
        ports.wait_for(self.port, 60, "PostgreSQL", log)
        wait_until(self._answers, 60, "PostgreSQL takes no statements", log)
        if not self.query(f"SELECT 1 FROM pg_roles WHERE rolname = '{self.account}'"):
            self.query(f"CREATE ROLE {self.account} LOGIN CREATEDB PASSWORD '{self.password}'")

    def ensure_database(self, name: str) -> None:
        """Make a database if it is missing."""
        if not self.query(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            self.query(f'CREATE DATABASE "{name}" OWNER {self.account}')

    def _answers(self) -> bool:
        """Tell whether the server is past its start: it listens before it takes statements."""
        try:
            return self.query("SELECT 1") == "1"
        except StandupError:
            return False

    def query(self, statement: str) -> str:
        """Run a statement as the server's administrator and return what it printed."""
        command = ["psql", "--host", str(self.directory), "--port", str(self.port), "--no-psqlrc"]
        settings = run.Settings(user=self.user, directory=self.directory, input_text=statement)
        flags = ["--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname=postgres"]
        return run.output([*command, *flags], settings).strip()


def _programs() -> Path:
    """Return where the newest installed server's programs are."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3])
    )
    if not found:
        raise StandupError("PostgreSQL is not installed")
    return found[-1].parent
