"""Conductor interface: its own housekeeping, callable for tests and nova-manage."""

import datetime

from nova.context import RequestContext
from nova.rpc.interface import Interface, call


class ConductorHousekeeping(Interface):
    """The conductor's own housekeeping, made callable for tests and nova-manage."""

    topic = "conductor"
    namespace = "housekeeping"
    version = "1.1"

    @call(since="1.0", timeout_s=120)
    def reconcile(
        self, context: RequestContext, now: datetime.datetime | None = None
    ) -> tuple[int, ...]:
        """Take up operations past their deadline; return their ids."""

    @call(since="1.1", timeout_s=120)
    def run_timers(self, context: RequestContext) -> tuple[str, ...]:
        """Begin actions on servers that have been in a state for too long; return the servers."""
