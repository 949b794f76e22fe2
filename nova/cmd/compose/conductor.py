"""nova-conductor, put together."""

import os
from typing import NoReturn

from nova.cmd.compose import program
from nova.concurrency import Pool
from nova.conductor.firewall_changes import FirewallChanges
from nova.conductor.manager import check_schema, endpoints, periodic_tasks
from nova.conductor.settings import conductor_settings, database_settings
from nova.db.engine import Database
from nova.service import Duties, Group, Service, ServiceSettings

PROG = "nova-conductor"


class ConductorLife:
    """Start and end of what the endpoints share: the database and the builds."""

    def __init__(
        self, db: Database, builds: Pool, changes: FirewallChanges, stop_timeout_s: float
    ) -> None:
        self._db = db
        self._builds = builds
        self._changes = changes
        self._stop_timeout_s = stop_timeout_s

    def init_host(self) -> None:
        """Refuse a database of another release.  Raises: ConfigurationError."""
        check_schema(self._db)

    def cleanup_host(self) -> None:
        """Let builds in progress end; what does not is taken up by the reconciler."""
        self._builds.wait(self._stop_timeout_s)
        self._builds.stop()
        self._changes.end()
        self._db.close()


def run() -> NoReturn:
    """Run nova-conductor."""
    conf = program.configure(PROG, database=True)
    workers = conf.conductor.workers or os.cpu_count() or 1

    def make() -> Group:
        settings = conductor_settings(conf)
        bus = program.connect(conf)
        db = Database(database_settings(conf))
        builds = Pool(settings.build_threads, "build")
        changes = FirewallChanges(bus)
        duties = Duties(
            manager=ConductorLife(db, builds, changes, conf.graceful_shutdown_timeout),
            tasks=periodic_tasks(settings, bus, db, builds, changes),
        )
        identity = ServiceSettings.from_config(conf, PROG, siblings=workers)
        served = endpoints(settings, bus, db, builds, changes)
        return Group(bus, [Service(identity, bus, served, duties)])

    program.run(make, conf=conf, workers=workers)
