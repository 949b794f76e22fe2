"""Actions that begin by themselves when a server has been in a state for too long.

Several conductors may do this at once: an action begins once, whoever is first.
Source: server-states, section 8 (Other timers that change states).
"""

import dataclasses
import datetime
import logging
from collections.abc import Iterable
from typing import Protocol

from nova.conductor.liveness import silent_before
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext, get_admin_context
from nova.db import due_instances
from nova.db.due_instances import RESIZE_ENDED, Due
from nova.db.engine import Database, retried
from nova.exception import Conflict, Invalid, NotFound
from nova.objects.lifecycle import TaskState, VmState

LOG = logging.getLogger(__name__)

INTERVAL_S = 60
MOST_AT_ONCE = 50
AGAIN_S = 600


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One rule.

    setting: field of ConductorSettings with the seconds.  found_in: vm_state of the servers.
    column: time from which they count.  task_states: empty for servers on which nothing runs.
    never: value that turns it off.  needs_host: servers whose hosts are down are left alone.
    """

    setting: str
    found_in: VmState
    action: str
    column: str
    task_states: tuple[TaskState, ...] = ()
    never: int = 0
    needs_host: bool = True


TIMERS: tuple[Timer, ...] = (
    Timer(
        setting="reclaim_instance_interval_s",
        found_in=VmState.SOFT_DELETED,
        action="delete",
        column="soft_deleted_at",
        needs_host=False,
    ),
    Timer(
        setting="rescue_timeout_s",
        found_in=VmState.RESCUED,
        action="unrescue",
        column="launched_at",
    ),
    Timer(
        setting="reboot_timeout_s",
        found_in=VmState.ACTIVE,
        action="hard_reboot",
        column="updated_at",
        task_states=(TaskState.REBOOTING, TaskState.REBOOT_PENDING, TaskState.REBOOT_STARTED),
    ),
    Timer(
        setting="resize_confirm_window_s",
        found_in=VmState.RESIZED,
        action="confirmResize",
        column=RESIZE_ENDED,
    ),
)
OFFLOAD = Timer(
    setting="shelved_offload_time_s",
    found_in=VmState.SHELVED,
    action="shelveOffload",
    column="shelved_at",
    never=-1,
)
ALL = (*TIMERS, OFFLOAD)


class Beginner(Protocol):
    """Begins actions."""

    def begin_due(
        self,
        context: RequestContext,
        instance_uuid: str,
        action: str,
        only_in: tuple[VmState, frozenset[TaskState | None]],
    ) -> None:
        """Begin an action on a server that is still in a state (vm_state, task_states)."""


def due_of(timer: Timer, settings: ConductorSettings, now: datetime.datetime) -> Due | None:
    """Return which servers a timer is about at a time; None: it is off."""
    seconds: int = getattr(settings, timer.setting)
    if seconds == timer.never:
        return None
    return Due(
        vm_state=timer.found_in,
        task_states=timer.task_states,
        column=timer.column,
        before=now - datetime.timedelta(seconds=seconds),
        idle_since=now - datetime.timedelta(seconds=min(seconds, AGAIN_S)),
        live_since=silent_before(settings, now) if timer.needs_host else None,
        limit=MOST_AT_ONCE,
    )


class Timers:
    """Carries the rules out."""

    def __init__(self, db: Database, settings: ConductorSettings, beginner: Beginner) -> None:
        self.db = db
        self.settings = settings
        self.beginner = beginner

    def run(self, now: datetime.datetime, timers: Iterable[Timer] = ALL) -> tuple[str, ...]:
        """Begin what is due; return the servers on which something began."""
        return tuple(
            uuid for timer in timers for uuid in self._due(timer, now) if self._begin(timer, uuid)
        )

    @retried
    def _due(self, timer: Timer, now: datetime.datetime) -> list[str]:
        due = due_of(timer, self.settings, now)
        if due is None:
            return []
        with self.db.reading() as tx:
            return due_instances.list_due(tx, due)

    def _begin(self, timer: Timer, instance_uuid: str) -> bool:
        """Begin an action; False when the server has changed since it was looked for."""
        only_in = (timer.found_in, frozenset[TaskState | None](timer.task_states or (None,)))
        try:
            self.beginner.begin_due(get_admin_context(), instance_uuid, timer.action, only_in)
        except (Conflict, Invalid, NotFound) as error:
            LOG.info("Instance %s: no %s by time: %s", instance_uuid, timer.action, error)
            return False
        LOG.info("Instance %s: %s begins because its time has come", instance_uuid, timer.action)
        return True
