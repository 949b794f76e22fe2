"""A MariaDB server of our own: own data directory, socket and port, loopback only.

A server that the machine runs already is left alone.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from standup import ports, run
from standup.accounts import close
from standup.manager import ProcessManager
from standup.program import Program

PACKAGES = ("mariadb-server",)


@dataclass(frozen=True)
class MariaDB:
    """Where the server lives and who may use it.

    The account owns all databases whose names begin with its own.
    """

    directory: Path
    port: int
    password: str
    user: str | None = "mysql"
    account: str = "nova"

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        secret = quote(self.password)
        return f"mysql+pymysql://{self.account}:{secret}@{ports.LOOPBACK}:{self.port}/{database}?charset=utf8mb4"

    def start(self, manager: ProcessManager) -> None:
        """Make the data directory if it is missing, start the server and make the account."""
        data, log = self.directory / "data", self.directory / "mariadb.log"
        if not (data / "mysql").is_dir():
            data.mkdir(parents=True, exist_ok=True)
            log.touch()
            close(self.directory, self.user)
            options = [
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
            ]
            base = ["mariadb-install-db", "--no-defaults", f"--datadir={data}"]
            run.logged(
                [*base, *options], log, run.Settings(user=self.user, directory=self.directory)
            )
        command = (
            "/usr/sbin/mariadbd",
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={self.socket}",
            f"--pid-file={self.directory / 'mariadb.pid'}",
            f"--port={self.port}",
            f"--bind-address={ports.LOOPBACK}",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--max-connections=500",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-buffer-pool-size=128M",
        )
        ports.claim(self.port, manager, "mariadb")
        manager.start(Program("mariadb", command, str(log), self.user, stop_timeout_s=60))
        ports.wait_for(self.port, 60, "MariaDB", log)
        for host in ("localhost", ports.LOOPBACK):
            who = f"'{self.account}'@'{host}'"
            self.execute(f"CREATE USER IF NOT EXISTS {who} IDENTIFIED BY '{self.password}'")
            self.execute(f"GRANT ALL PRIVILEGES ON `{self.account}%`.* TO {who}")

    @property
    def socket(self) -> Path:
        """The server's UNIX socket; root may connect without a password."""
        return self.directory / "socket"

    def ensure_database(self, name: str) -> None:
        """Make a database if it is missing."""
        self.execute(f"CREATE DATABASE IF NOT EXISTS `{name}`")

    def execute(self, statement: str) -> None:
        """Run a statement as the server's administrator."""
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch"]
        run.output(command, run.Settings(input_text=f"{statement};\n"))
