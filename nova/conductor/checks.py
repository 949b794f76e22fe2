"""What a server's state and lock allow, and how it is said when they do not."""

from collections.abc import Sequence

from nova.context import RequestContext
from nova.db import instances
from nova.db.engine import Transaction
from nova.exception import (
    AvailabilityZoneConflict,
    InstanceInvalidState,
    InstanceIsLocked,
    InstanceNotFound,
    InstanceNotReady,
)
from nova.objects.instance import Instance, Scope
from nova.objects.lifecycle import ACTIONS, PUBLIC_ACTION_NAMES, Action, VmState

# States in which a server's metadata and tags may be changed, whatever it is doing.
_WRITABLE = frozenset({VmState.ACTIVE, VmState.PAUSED, VmState.SUSPENDED, VmState.STOPPED})


def require(tx: Transaction, scope: Scope, instance_uuid: str) -> Instance:
    """Return a live server within a scope.  Raises: InstanceNotFound."""
    instance = instances.find(tx, instance_uuid, scope)
    if instance is None:
        raise InstanceNotFound(instance_uuid=instance_uuid)
    return instance


def require_all(tx: Transaction, scope: Scope, instance_uuids: Sequence[str]) -> list[Instance]:
    """Return live servers within a scope, in the order of the uuids.  Raises: InstanceNotFound."""
    found = {one.uuid: one for one in instances.list_by_uuids(tx, instance_uuids, scope)}
    for instance_uuid in instance_uuids:
        if instance_uuid not in found:
            raise InstanceNotFound(instance_uuid=instance_uuid)
    return [found[instance_uuid] for instance_uuid in instance_uuids]


def check_metadata_write(context: RequestContext, instance: Instance) -> None:
    """Refuse to change metadata of a locked server, or in a state that does not allow it.

    Raises: InstanceIsLocked, InstanceInvalidState.
    """
    if instance.locked_by is not None and not context.is_admin:
        raise InstanceIsLocked(instance_uuid=instance.uuid)
    check_writable(instance, "update metadata")


def check_pin(instance: Instance, zone: str | None) -> None:
    """Refuse to tie a server to another zone than the one it is in.

    Raises: AvailabilityZoneConflict.
    """
    if zone is not None and zone != instance.availability_zone:
        raise AvailabilityZoneConflict(instance_uuid=instance.uuid, zone=zone)


def check_writable(instance: Instance, change: str) -> None:
    """Refuse to change metadata or tags in a state that does not allow it.

    Raises: InstanceInvalidState.
    """
    if instance.vm_state not in _WRITABLE:
        raise wrong_state(instance, change, "vm_state", instance.vm_state)


def check_action(context: RequestContext, instance: Instance, name: str) -> None:
    """Refuse an action that the server's state does not allow.

    Raises: InstanceInvalidState, InstanceIsLocked, InstanceNotReady.
    """
    action: Action = ACTIONS[name]
    if action.deny_locked and instance.locked_by is not None and not context.is_admin:
        raise InstanceIsLocked(instance_uuid=instance.uuid)
    if instance.vm_state not in action.vm_states:
        raise wrong_state(instance, name, "vm_state", instance.vm_state)
    if instance.task_state not in action.task_states:
        raise wrong_state(instance, name, "task_state", instance.task_state)
    if action.needs_host and (instance.host is None or instance.launched_at is None):
        raise InstanceNotReady(instance_uuid=instance.uuid)


def wrong_state(
    instance: Instance, name: str, attribute: str, state: object
) -> InstanceInvalidState:
    """Return the error that names an action and the state that forbids it."""
    return InstanceInvalidState(
        action=PUBLIC_ACTION_NAMES.get(name, name),
        instance_uuid=instance.uuid,
        attribute=attribute,
        state=str(state),
    )
