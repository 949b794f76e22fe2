"""What an action does to the stored server beyond its states, when it begins and when it ends."""

import dataclasses
import datetime
from typing import Any

from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db.engine import Transaction
from nova.objects.action_request import ActionRequest
from nova.objects.instance import Instance
from nova.objects.migration import Migration
from nova.objects.network import Vif
from nova.objects.operation import ActionResult, Operation

Values = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """An action that is asked for on a server whose state allows it."""

    context: RequestContext
    instance: Instance
    action: str
    request: ActionRequest
    settings: ConductorSettings
    now: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What begins together with an action.

    values: columns of the server to be set, states excepted.  request: what is stored with
    the operation.  arguments: likewise.  schedule: the operation has no host yet; the
    scheduler is asked for one.  metadata, vifs: all of the server's from now on, already
    saved; None: unchanged.
    """

    values: Values = dataclasses.field(default_factory=dict)
    request: ActionRequest | None = None
    arguments: dict[str, str] = dataclasses.field(default_factory=dict)
    schedule: bool = False
    metadata: dict[str, str] | None = None
    vifs: tuple[Vif, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An operation that has ended on its host; instance is as it was until now."""

    operation: Operation
    result: ActionResult
    instance: Instance
    settings: ConductorSettings
    now: datetime.datetime


class ActionRules:
    """The rules of an action that changes states only; others override what they need.

    All methods run within the transaction that changes the states, so that what they raise
    leaves nothing behind.
    """

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Check what is asked for, reserve what it takes, and tell what else to store.

        Raises: Invalid, OverQuota, Conflict and NotFound errors for the caller.
        """
        return Prepared(request=beginning.request)

    def migration_of(self, tx: Transaction, instance_uuid: str) -> Migration | None:
        """Return the migration that the host must know of."""
        return None

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Free and store what follows from success; return further columns of the server."""
        return {}

    def failed(self, tx: Transaction, ending: Ending) -> Values:
        """Give back what prepare() reserved; return further columns of the server."""
        return {}
