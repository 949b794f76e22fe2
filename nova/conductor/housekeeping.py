"""The conductor's own housekeeping."""

import datetime

from nova import clock
from nova.conductor.rpcapi.housekeeping import ConductorHousekeeping
from nova.conductor.tasks.reconcile import Reconciler
from nova.conductor.timers import Timers
from nova.context import RequestContext


class HousekeepingEndpoint(ConductorHousekeeping):
    """Makes the reconciler and the timers callable."""

    def __init__(self, reconciler: Reconciler, timers: Timers) -> None:
        self.reconciler = reconciler
        self.timers = timers

    def reconcile(
        self, context: RequestContext, now: datetime.datetime | None = None
    ) -> tuple[int, ...]:
        """Take up operations past their deadline; return their ids."""
        return self.reconciler.run(context, now or clock.utcnow())

    def run_timers(self, context: RequestContext) -> tuple[str, ...]:
        """Begin what is due by time; return the servers."""
        return self.timers.run(clock.utcnow())
