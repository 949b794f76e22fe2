"""The rules of every action of lifecycle.ACTIONS; most have none of their own."""

from nova.conductor.actions.base import ActionRules
from nova.conductor.actions.deferred_delete import RestoreRules, SoftDeleteRules
from nova.conductor.actions.fixed_ips import AddFixedIpRules, RemoveFixedIpRules
from nova.conductor.actions.interfaces import AttachRules, DetachRules
from nova.conductor.actions.rebuild import RebuildRules
from nova.conductor.actions.rescue import RescueRules
from nova.conductor.actions.resize import ConfirmRules, ResizeRules, RevertRules
from nova.conductor.actions.shelve import (
    ShelveOffloadRules,
    ShelveRules,
    SnapshotRules,
    UnshelveRules,
)
from nova.objects.lifecycle import STOPPED_IMAGE

_PLAIN = ActionRules()

_RULES: dict[str, ActionRules] = {
    "attach_interface": AttachRules(),
    "detach_interface": DetachRules(),
    "add_fixed_ip": AddFixedIpRules(),
    "remove_fixed_ip": RemoveFixedIpRules(),
    "rebuild": RebuildRules(),
    "rescue": RescueRules(),
    "resize": ResizeRules(),
    "confirmResize": ConfirmRules(),
    "revertResize": RevertRules(),
    "soft_delete": SoftDeleteRules(),
    "restore": RestoreRules(),
    "createImage": SnapshotRules(),
    STOPPED_IMAGE: SnapshotRules(),
    "createBackup": SnapshotRules(),
    "shelve": ShelveRules(),
    "shelveOffload": ShelveOffloadRules(),
    "unshelve": UnshelveRules(),
}


def rules_of(action: str) -> ActionRules:
    """Return the rules of an action."""
    return _RULES.get(action, _PLAIN)
