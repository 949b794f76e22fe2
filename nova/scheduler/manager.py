"""nova-scheduler: answers where servers shall be built."""

import dataclasses
import logging
import random
import threading

from nova import clock
from nova.context import RequestContext
from nova.objects.request_spec import PlacementReport, RequestSpec
from nova.rpc.bus import Bus
from nova.scheduler.cache import HostCache
from nova.scheduler.choose import Choice, Rules, choose
from nova.scheduler.rpcapi import SchedulerAPI

LOG = logging.getLogger(__name__)

# Host states are pulled at most this often while requests come in.
PULL_INTERVAL_S = 1.0


class SchedulerManager(SchedulerAPI):
    """Chooses from host states in memory; the conductor's claim decides in the end."""

    def __init__(self, bus: Bus, rules: Rules, rng: random.Random | None = None) -> None:
        self._rules = rules
        self._rng = rng or random.Random()
        self._cache = HostCache(bus)
        self._choosing = threading.Lock()

    def select_destinations(self, context: RequestContext, spec: RequestSpec) -> PlacementReport:
        """Choose; a request that fits nowhere is tried once more on fresh states."""
        pulls_before = self._cache.pulls
        self._cache.refresh_if_older(context, PULL_INTERVAL_S)
        choice = self._choose(spec)
        if not all(choice.report.destinations):
            self._cache.refresh_after(context, pulls_before)
            choice = self._choose(spec)
        _log(context, spec, choice)
        return dataclasses.replace(choice.report, created_at=clock.utcnow())

    def _choose(self, spec: RequestSpec) -> Choice:
        """Choose and take, so that the next request sees what this one got."""
        with self._choosing:
            choice = choose(spec, self._cache.states(spec.instance_uuids), self._rules, self._rng)
            self._cache.take(spec, choice.picks)
        return choice


def _log(context: RequestContext, spec: RequestSpec, choice: Choice) -> None:
    chosen = [options[0].host if options else "no host" for options in choice.report.destinations]
    LOG.info(
        "Request %s: %s for %s. %s",
        context.request_id,
        ", ".join(chosen),
        ", ".join(spec.instance_uuids),
        choice.report.summary,
    )
