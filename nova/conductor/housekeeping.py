"""The conductor's own housekeeping."""

import datetime

from nova import clock
from nova.conductor.rpcapi import ConductorHousekeeping
from nova.conductor.tasks.reconcile import Reconciler
from nova.context import RequestContext


class HousekeepingEndpoint(ConductorHousekeeping):
    """Makes the reconciler callable."""

    def __init__(self, reconciler: Reconciler) -> None:
        self.reconciler = reconciler

    def reconcile(
        self, context: RequestContext, now: datetime.datetime | None = None
    ) -> tuple[int, ...]:
        """Take up operations past their deadline; return their ids."""
        return self.reconciler.run(context, now or clock.utcnow())
