"""Setting the administrator's password inside a guest.

The password travels with the message and is stored nowhere: when the message is lost, the
operation ends with that reason.
"""

import datetime

from nova import clock, exception
from nova.compute import endings
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.objects.lifecycle import TaskState
from nova.virt.driver import ComputeDriver

# The message may still be on its way when the operation is pulled for the first time.
PATIENCE_S = 30

FAILED = "The password could not be set."
LOST = "The password did not reach the host of the server; ask for it again."
NO_AGENT = "The guest agent of the server does not answer, or refused the password."


class AdminPasswordActions:
    """The plan of changePassword on one host."""

    def __init__(self, driver: ComputeDriver) -> None:
        self._driver = driver

    def plan(self) -> Plan:
        """Return how a password is set."""
        return Plan(
            event="compute_set_admin_password",
            task_state=TaskState.UPDATING_PASSWORD,
            work=self._set,
            explain=_explain,
            undo=lambda running: Failure(message=endings.INTERRUPTED),
        )

    def _set(self, running: Running) -> Outcome:
        password = running.detail.admin_password
        if password is None:
            raise exception.AdminPasswordLost(instance_uuid=running.instance.uuid)
        self._driver.set_admin_password(running.instance, password)
        return endings.outcome(self._driver, running)


def _explain(running: Running, error: Exception) -> Failure | None:
    if isinstance(error, exception.AdminPasswordLost):
        return None if _is_fresh(running) else Failure(message=LOST)
    if isinstance(error, exception.GuestAgentUnavailable):
        return Failure(message=NO_AGENT)
    return Failure(message=FAILED)


def _is_fresh(running: Running) -> bool:
    started_at = running.operation.started_at
    patience = datetime.timedelta(seconds=PATIENCE_S)
    return started_at is not None and clock.utcnow() - started_at < patience
