"""Soft deletion and restore.

A server's soft_deleted_at is set exactly while its quota is given back: what is deleted must
not keep its owner from making something else.
"""

from nova.conductor import instance_quota, transitions
from nova.conductor.actions.base import ActionRules, Beginning, Ending, Prepared, Values
from nova.conductor.settings import ConductorSettings
from nova.db import quotas
from nova.db.engine import Transaction
from nova.objects.instance import Instance
from nova.objects.lifecycle import ACTIONS, VmState

# States that a restore, which starts the guest, can undo.
_RESTORABLE = frozenset(VmState) - {
    VmState.BUILDING,
    VmState.RESIZED,
    VmState.SHELVED_OFFLOADED,
    VmState.DELETED,
}

# What leaves a server in pieces when it is interrupted.
_HALFWAY = (
    "create",
    "delete",
    "rebuild",
    "rescue",
    "unrescue",
    "resize",
    "confirmResize",
    "revertResize",
    "shelve",
    "shelveOffload",
    "unshelve",
)
_UNRESTORABLE = frozenset(task for name in _HALFWAY for task in ACTIONS[name].running)


def is_deferred(settings: ConductorSettings, instance: Instance) -> bool:
    """Tell whether the deletion of a server on a live host is to be a soft one."""
    return (
        settings.reclaim_instance_interval_s > 0
        and instance.launched_at is not None
        and instance.vm_state in _RESTORABLE
        and instance.task_state not in _UNRESTORABLE
    )


class SoftDeleteRules(ActionRules):
    """Gives the quota back."""

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Release the quota, unless an earlier soft deletion did."""
        instance = ending.instance
        if instance.soft_deleted_at is not None:
            return {}
        amounts = transitions.quota_of(instance.flavor)
        quotas.release(tx, instance.project_id, instance.user_id, amounts)
        return {"soft_deleted_at": ending.now}


class RestoreRules(ActionRules):
    """Takes the quota again."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Claim the quota.  Raises: TooManyInstances."""
        if beginning.instance.soft_deleted_at is None:
            return Prepared()
        instance_quota.claim(tx, beginning.settings, beginning.instance)
        return Prepared(values={"soft_deleted_at": None})

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Forget that the server was shelved; its guest is on its host and runs."""
        return {"shelved_at": None, "shelved_image_id": None}

    def failed(self, tx: Transaction, ending: Ending) -> Values:
        """Release the quota; the server is kept as long as if it had just been deleted."""
        instance = ending.instance
        if instance.soft_deleted_at is not None:
            return {}
        amounts = transitions.quota_of(instance.flavor)
        quotas.release(tx, instance.project_id, instance.user_id, amounts)
        return {"soft_deleted_at": ending.now}
