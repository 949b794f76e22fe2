"""Connections and transactions on SQLite, MySQL (MariaDB) and PostgreSQL."""

import contextlib
import dataclasses
import functools
import importlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, pool
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from nova import clock, concurrency
from nova.db.duplicates import Repeat
from nova.db.transient import is_transient
from nova.exception import ConfigurationError, DatabaseUnavailable

Transaction = sa.Connection

P = ParamSpec("P")
R = TypeVar("R")

_HOSTS = "nova_hosts"
_WRITER = "nova_writer"
_IDLE_SINCE = "nova_idle_since"
# Methods are repeated after a lost connection, so that a short trust costs nothing.
_TRUSTED_IDLE_S = 1.0
_DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "postgresql": "postgresql+psycopg2",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Where the database is, and how connections and repeats are handled; times in seconds."""

    connection: str
    max_pool_size: int = 20
    max_overflow: int = 40
    pool_timeout: int = 30
    connection_recycle_time: int = 3600
    max_retries: int = 10
    retry_interval: float = 0.05
    max_retry_interval: float = 2.0
    sqlite_busy_timeout: float = 30.0


class Database:
    """The database of the conductor; shared by all threads.

    A SQLite database in memory has one connection, guarded by a lock.
    """

    def __init__(
        self, settings: DatabaseSettings, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.settings = settings
        self.sleep = sleep
        self.engine = make_engine(settings)
        # Gets the hosts that a transaction noted, when it is committed.
        self.tell_hosts: Callable[[set[str]], None] | None = None
        self._only_connection = threading.Lock() if _in_memory(self.engine.url) else None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction that may write; commit at the end, roll back on any error.

        On SQLite the write lock is taken at once, so that no later step can fail for want
        of it.  The caller does no RPC, HTTP or sleep inside.
        """
        with self._begin(writer=True) as transaction:
            transaction.info.pop(_HOSTS, None)
            yield transaction
            hosts: set[str] = transaction.info.pop(_HOSTS, set())
        if hosts and self.tell_hosts is not None:
            self.tell_hosts(hosts)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that only reads."""
        with self._begin(writer=False) as transaction:
            yield transaction

    @contextlib.contextmanager
    def _begin(self, writer: bool) -> Iterator[Transaction]:
        with self._only_connection or contextlib.nullcontext(), self._connect() as raw:
            connection = raw.execution_options(**{_WRITER: writer})
            with connection.begin():
                yield connection

    def _connect(self) -> sa.Connection:
        try:
            return self.engine.connect()
        except sa.exc.OperationalError as error:
            raise DatabaseUnavailable(reason=_first_line(error)) from error

    def pause_s(self, attempt: int) -> float:
        """Return the seconds to wait before repeat number attempt (from 1), with jitter."""
        settings = self.settings
        ceiling = min(settings.max_retry_interval, settings.retry_interval * 2.0 ** (attempt - 1))
        return ceiling * random.uniform(0.5, 1.0)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def note_hosts(tx: Transaction, hosts: Iterable[str]) -> None:
    """Note hosts that are to be told of what a transaction changes, after its commit."""
    tx.info.setdefault(_HOSTS, set()).update(hosts)


class HasDatabase(Protocol):
    """Whatever opens transactions on a database."""

    @property
    def db(self) -> Database:
        """Return the database."""


S = TypeVar("S", bound=HasDatabase)


def retried(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Repeat a method that is one transaction after deadlocks and lost connections."""

    @functools.wraps(method)
    def run(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        attempt = 0
        while True:
            try:
                return method(self, *args, **kwargs)
            except (sa.exc.DBAPIError, Repeat, DatabaseUnavailable) as error:
                attempt += 1
                if attempt > self.db.settings.max_retries or not is_transient(error):
                    raise
                self.db.sleep(self.db.pause_s(attempt))

    return run


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]


def make_engine(settings: DatabaseSettings) -> sa.Engine:
    """Return an engine for the database of the settings.  Raises: ConfigurationError."""
    url = parse_url(settings.connection)
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, settings)
    engine = sa.create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_size=settings.max_pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        pool_recycle=settings.connection_recycle_time,
        # The last one used is taken first, so that few are busy and the rest stays idle.
        pool_use_lifo=True,
        # Every transaction ends with COMMIT or ROLLBACK before its connection comes back.
        pool_reset_on_return=None,
    )
    event.listen(engine, "checkin", _note_idle)
    event.listen(engine, "checkout", functools.partial(_check_idle, engine.dialect))
    if url.get_backend_name() == "postgresql":
        _wait_cooperatively()
    return engine


def _note_idle(_connection: object, record: pool.ConnectionPoolEntry) -> None:
    record.info[_IDLE_SINCE] = clock.monotonic()


def _check_idle(
    dialect: sa.Dialect, connection: DBAPIConnection, record: pool.ConnectionPoolEntry, _: object
) -> None:
    """Ask the server before a connection is used that was idle for long enough to be lost.

    Raises: InvalidatePoolError, upon which the pool connects anew.
    """
    idle_since = record.info.get(_IDLE_SINCE)
    if idle_since is None or clock.monotonic() - idle_since < _TRUSTED_IDLE_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise sa.exc.InvalidatePoolError() from error


def parse_url(text: str) -> sa.URL:
    """Return the address with the driver that is used here.  Raises: ConfigurationError."""
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            reason="[database] connection is not a database address"
        ) from error
    if url.drivername in _DRIVERS:
        url = url.set(drivername=_DRIVERS[url.drivername])
    try:
        url.get_dialect()
    except NoSuchModuleError as error:
        raise ConfigurationError(
            reason=f"[database] connection names an unknown kind of database: {url.drivername}"
        ) from error
    if url.get_backend_name() not in ("sqlite", "mysql", "mariadb", "postgresql"):
        raise ConfigurationError(
            reason=f"databases of kind {url.get_backend_name()} are not supported"
        )
    if url.get_backend_name() in ("mysql", "mariadb"):
        url = url.update_query_dict({"charset": "utf8mb4"})
    return url


def _in_memory(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _sqlite_engine(url: sa.URL, settings: DatabaseSettings) -> sa.Engine:
    memory = _in_memory(url)
    arguments: dict[str, Any] = {
        "connect_args": {"timeout": settings.sqlite_busy_timeout, "check_same_thread": False}
    }
    if memory:
        arguments["poolclass"] = pool.StaticPool
    else:
        arguments["poolclass"] = pool.QueuePool
        arguments["pool_size"] = settings.max_pool_size
        arguments["max_overflow"] = settings.max_overflow
        arguments["pool_timeout"] = settings.pool_timeout
    engine = sa.create_engine(url, **arguments)
    event.listen(engine, "connect", functools.partial(_prepare_sqlite, memory=memory))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object, memory: bool) -> None:
    """Take transactions over from the driver, which would begin them too late."""
    connection.isolation_level = None
    cursor = connection.cursor()
    if not memory:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writer = connection.get_execution_options().get(_WRITER, True)
    connection.connection.cursor().execute("BEGIN IMMEDIATE" if writer else "BEGIN")


def _wait_cooperatively() -> None:
    """Make psycopg2 wait with select(), so that other green threads run meanwhile."""
    if not concurrency.is_green():
        return
    extensions = importlib.import_module("psycopg2.extensions")
    extras = importlib.import_module("psycopg2.extras")
    extensions.set_wait_callback(extras.wait_select)
