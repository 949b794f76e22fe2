"""Keeps what a host lets through to its servers as the conductor has it stored."""

import logging
import threading

from nova import clock
from nova import context as nova_context
from nova.compute.pool import Pool
from nova.conductor.rpcapi.firewall import ConductorFirewall
from nova.context import RequestContext
from nova.exception import (
    CommandFailed,
    CommandTimeout,
    DriverError,
    NovaException,
    Unavailable,
)
from nova.rpc.bus import Bus
from nova.virt.driver import Firewall

LOG = logging.getLogger(__name__)

# The host does not take the rules now.
REFUSED = (CommandFailed, CommandTimeout, DriverError)


class HostFirewallKeeper:
    """Pulls the rules of the host and applies them, one run at a time.

    Runs are numbered as they begin.  A request is met by any run that began after it, so that
    however many come while a run is under way, one more run serves them all.  One lock guards
    the numbers.
    """

    def __init__(
        self, bus: Bus, host: str, driver: Firewall, pool: Pool, heal_interval_s: float
    ) -> None:
        self._conductor = bus.client(ConductorFirewall)
        self._host = host
        self._driver = driver
        self._pool = pool
        self._heal_interval_s = heal_interval_s
        self._changed = threading.Condition()
        self._begun = 0
        self._ended = 0
        self._requested = 0
        self._error: Exception | None = None
        self._applied_at: float | None = None

    def ensure(self, context: RequestContext) -> None:
        """Return when the rules are in force as they were stored at the call, or later.

        Raises: Unavailable, DriverError, CommandFailed, CommandTimeout.
        """
        self._reach(context, self._next_run())

    def request(self) -> None:
        """Let the rules be applied soon; requests that no run has met yet become one."""
        with self._changed:
            wanted = self._begun + 1
            if self._requested == wanted:
                return
            self._requested = wanted
        self._pool.spawn(self._meet, wanted)

    def heal(self) -> None:
        """Apply the rules again if the last run failed, or is long ago.  Raises: as ensure()."""
        if self._error is None and not self._is_due():
            return
        self.ensure(nova_context.get_admin_context())

    def _is_due(self) -> bool:
        applied_at = self._applied_at
        return applied_at is None or clock.monotonic() - applied_at >= self._heal_interval_s

    def _next_run(self) -> int:
        with self._changed:
            return self._begun + 1

    def _meet(self, wanted: int) -> None:
        """Meet a request; after a failure heal() tries again."""
        began = clock.monotonic()
        try:
            self._reach(nova_context.get_admin_context(), wanted)
        except NovaException as error:
            LOG.warning("The firewall of this host stays as it is: %s", error)
            return
        LOG.info("A change of rules is in force, %.2f s after it came", clock.monotonic() - began)

    def _reach(self, context: RequestContext, wanted: int) -> None:
        """Wait until a run has ended, or do it if none is under way."""
        with self._changed:
            while self._ended < wanted and self._begun > self._ended:
                self._changed.wait()
            if self._ended >= wanted:
                if self._error is not None:
                    raise self._error
                return
            self._begun += 1
        self._run(context)

    def _run(self, context: RequestContext) -> None:
        error: Exception | None = Unavailable(reason="the run was cut off")
        try:
            wanted = self._conductor.anyone().host_firewall(context, self._host)
            self._driver.apply_firewall(wanted)
            error = None
        except Exception as caught:
            error = caught
            raise
        finally:
            with self._changed:
                self._ended, self._error = self._begun, error
                if error is None:
                    self._applied_at = clock.monotonic()
                self._changed.notify_all()
