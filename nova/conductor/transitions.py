"""Every change of vm_state and task_state; nothing else assigns them.

Operations are changed before servers everywhere, so that two transactions never wait for
each other in a circle for long.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from nova.conductor import numa_claims
from nova.db import (
    archive,
    compute_nodes,
    dns,
    firewall,
    fixed_ips,
    floating_ips,
    instances,
    operations,
    ports,
    quotas,
    server_migrations,
    vifs,
)
from nova.db.compute_nodes import Claim
from nova.db.engine import Transaction
from nova.objects.flavor import Flavor
from nova.objects.instance import Fault, Instance
from nova.objects.lifecycle import ACTIONS, Action, PowerState, Recover, TaskState, VmState
from nova.objects.migration import Migration, MigrationStatus
from nova.objects.operation import ActionResult, Operation, Progress

# Task states that are set when an operation is dispatched; its host need not set them again.
DISPATCHED = frozenset(
    {None, TaskState.NETWORKING}
    | {action.running[0] for action in ACTIONS.values() if action.running}
)

# How far a resize is, by the step that its host begins; the report of one may be overtaken by
# that of the next, and is not heard then.
_MIGRATION_STATUS: dict[TaskState | None, MigrationStatus] = {
    TaskState.RESIZE_MIGRATING: MigrationStatus.MIGRATING,
    TaskState.RESIZE_MIGRATED: MigrationStatus.POST_MIGRATING,
    TaskState.RESIZE_FINISH: MigrationStatus.POST_MIGRATING,
}
_UNDER_WAY = (
    MigrationStatus.PRE_MIGRATING,
    MigrationStatus.MIGRATING,
    MigrationStatus.POST_MIGRATING,
)


# How a server waits for a host: its task state meanwhile, and from when it has one.
WAITING: dict[VmState, tuple[TaskState, TaskState]] = {
    VmState.BUILDING: (TaskState.SCHEDULING, TaskState.NETWORKING),
    VmState.SHELVED_OFFLOADED: (TaskState.UNSHELVING, TaskState.UNSHELVING),
}


def claim_of(flavor: Flavor, limited: bool = True, servers: int = 1) -> Claim:
    """Return what a server of a flavor takes of its host."""
    return Claim(
        vcpus=flavor.vcpus,
        memory_mb=flavor.memory_mb,
        disk_gb=flavor.disk_gb,
        limited=limited,
        servers=servers,
    )


def quota_of(flavor: Flavor, count: int = 1) -> dict[str, int]:
    """Return what servers of a flavor take of a quota."""
    return {
        "instances": count,
        "cores": count * flavor.vcpus,
        "ram": count * flavor.memory_mb,
    }


def begin_create() -> dict[str, Any]:
    """Return the states of a server that has just been asked for."""
    return {"vm_state": VmState.BUILDING, "task_state": TaskState.SCHEDULING}


def place(
    tx: Transaction, instance: Instance, host: str, node: str, zone: str, now: datetime.datetime
) -> bool:
    """Give a server that waits for a host to one; tell whether it was still waiting."""
    waiting, _placed = WAITING[instance.vm_state]
    return instances.compare_and_set(
        tx,
        instance.uuid,
        {
            "vm_state": (instance.vm_state,),
            "task_state": (waiting,),
            "host": (None,),
        },
        {
            "host": host,
            "node": node,
            "availability_zone": zone,
            "task_state": placed_task(instance),
            "updated_at": now,
        },
    )


def placed_task(instance: Instance) -> TaskState:
    """Return the task state of a server from when it has its host."""
    _waiting, placed = WAITING[instance.vm_state]
    return placed


def unplace(tx: Transaction, instance: Instance, now: datetime.datetime) -> bool:
    """Take a server that is being built off its host, to be scheduled again.

    One that was offloaded keeps its addresses.
    """
    if instance.vm_state not in WAITING:
        return False
    waiting, _placed = WAITING[instance.vm_state]
    firewall.note_server(tx, instance.uuid)
    if not instances.compare_and_set(
        tx,
        instance.uuid,
        {"vm_state": (instance.vm_state,), "host": (instance.host,)},
        {
            "host": None,
            "node": None,
            "numa_topology": None,
            "task_state": waiting,
            "updated_at": now,
        },
    ):
        return False
    if instance.vm_state is VmState.SHELVED_OFFLOADED:
        give_back_claim(tx, instance, now, failed=True)
    else:
        give_back(tx, instance, now, failed=True)
    return True


def give_back(
    tx: Transaction, instance: Instance, now: datetime.datetime, failed: bool = False
) -> None:
    """Free a server's addresses and its claim on its host, that of a resize too."""
    end_resize(tx, instance, now)
    dns.forget_server(tx, instance.uuid)
    floating_ips.release_for(tx, instance.uuid, now)
    ports.unbind(tx, instance.uuid, now)
    fixed_ips.release_for(tx, instance.uuid, now)
    vifs.delete_for(tx, instance.uuid)
    give_back_claim(tx, instance, now, failed)


def give_back_claim(
    tx: Transaction, instance: Instance, now: datetime.datetime, failed: bool = False
) -> None:
    """Free what a server takes of its host; its addresses stay with it."""
    if instance.host is not None and instance.node is not None:
        claim = claim_of(instance.flavor)
        compute_nodes.give_back(tx, instance.host, instance.node, claim, now, failed)
        numa_claims.give_back(tx, instance.host, instance.node, instance.numa_topology, now)


def end_resize(tx: Transaction, instance: Instance, now: datetime.datetime) -> None:
    """Free what a resize holds that will be neither confirmed nor reverted any more.

    The server keeps the flavor that it has.
    """
    if instance.vm_state is VmState.BUILDING:
        return
    migration = server_migrations.find_unfinished(tx, instance.uuid)
    if migration is None:
        return
    status = MigrationStatus.ERROR
    if migration.status is MigrationStatus.FINISHED:
        status = MigrationStatus.CONFIRMED
    server_migrations.set_status(tx, instance.uuid, server_migrations.UNFINISHED, status, now)
    keep_flavor(tx, instance, migration, instance.flavor, now)


def keep_flavor(
    tx: Transaction,
    instance: Instance,
    migration: Migration,
    flavor: Flavor,
    now: datetime.datetime,
) -> None:
    """Free the claim and the quota that a resize holds beyond one of its two flavors."""
    old, new = migration.old_flavor, migration.new_flavor
    other, numa = (old, migration.old_numa) if flavor == new else (new, migration.new_numa)
    if instance.host is not None and instance.node is not None:
        claim = claim_of(other, servers=0)
        compute_nodes.give_back(tx, instance.host, instance.node, claim, now, failed=False)
        numa_claims.give_back(tx, instance.host, instance.node, numa, now)
    surplus = {
        "cores": max(old.vcpus, new.vcpus) - flavor.vcpus,
        "ram": max(old.memory_mb, new.memory_mb) - flavor.memory_mb,
    }
    amounts = {name: amount for name, amount in surplus.items() if amount}
    if amounts:
        quotas.release(tx, instance.project_id, instance.user_id, amounts)


def broken() -> dict[str, Any]:
    """Return the states of a server whose guest nobody knows to be whole."""
    return {"vm_state": VmState.ERROR}


def begun(instance: Instance, action: Action, now: datetime.datetime) -> dict[str, Any]:
    """Return what an action changes of a server's states when it begins."""
    task_state = action.running[0] if action.running else instance.task_state
    values: dict[str, Any] = {"task_state": task_state, "updated_at": now}
    if action.ends_consoles:
        values["console_generation"] = instance.console_generation + 1
    return values


def begin(tx: Transaction, instance: Instance, values: Mapping[str, Any]) -> bool:
    """Save what begins with an action, if the server is still as it was read."""
    return instances.compare_and_set(
        tx,
        instance.uuid,
        {
            "vm_state": (instance.vm_state,),
            "task_state": (instance.task_state,),
            "console_generation": (instance.console_generation,),
        },
        values,
    )


def step(
    tx: Transaction, progress: Progress, now: datetime.datetime, *, onwards: bool = False
) -> bool:
    """Set the task state of an operation that runs on a host.

    onwards: never to an earlier one, for reports of two steps may overtake each other.
    """
    done = operations.set_task_state(
        tx,
        progress.operation_id,
        progress.instance_uuid,
        progress.host,
        {"task_state": progress.task_state, "updated_at": now},
        _up_to(progress.task_state) if onwards and progress.task_state else None,
    )
    status = _MIGRATION_STATUS.get(progress.task_state)
    if done and status is not None:
        server_migrations.set_status(tx, progress.instance_uuid, _UNDER_WAY, status, now)
    return done


def _up_to(task_state: TaskState) -> set[TaskState]:
    """Return a task state and those that come before it in some action."""
    runs = [action.running for action in ACTIONS.values() if task_state in action.running]
    return {state for run in runs for state in run[: run.index(task_state) + 1]}


def finish(
    tx: Transaction,
    operation: Operation,
    result: ActionResult,
    now: datetime.datetime,
    more: Mapping[str, Any],
) -> bool:
    """Set the states after an operation that succeeded; tell whether the server was on its host.

    more: further columns to set.
    """
    action = ACTIONS[operation.action]
    values: dict[str, Any] = {"updated_at": now}
    if action.running:
        values["task_state"] = None
    vm_state = result.vm_state or action.done
    if vm_state is not None:
        values["vm_state"] = vm_state
    if result.power_state is not None:
        values["power_state"] = int(result.power_state)
    if operation.action == "create":
        values["launched_at"] = now
    return instances.compare_and_set(
        tx, operation.instance_uuid, {"host": (operation.owner_host,)}, {**values, **more}
    )


def fail(
    tx: Transaction,
    operation: Operation,
    result: ActionResult,
    now: datetime.datetime,
    more: Mapping[str, Any],
) -> None:
    """Set the states after an operation that failed on its host for good.

    more: further columns to set.
    """
    values: dict[str, Any] = {"updated_at": now, **more}
    if ACTIONS[operation.action].running:
        values["task_state"] = None
    if result.vm_state is not None:
        values["vm_state"] = result.vm_state
    if operation.action == "delete":
        values |= {"vm_state": VmState.ERROR, "task_state": TaskState.DELETING}
    if result.power_state is not None:
        values["power_state"] = int(result.power_state)
    instances.compare_and_set(
        tx, operation.instance_uuid, {"host": (operation.owner_host,)}, values
    )
    if result.fault is not None and keeps_fault(operation.action):
        instances.save_fault(tx, operation.instance_uuid, result.fault)


def keeps_fault(action: str) -> bool:
    """Tell whether a failure of an action is a fault of the server, not of the action alone."""
    return ACTIONS[action].recover is not Recover.ABANDON


def fail_build(tx: Transaction, instance: Instance, fault: Fault, now: datetime.datetime) -> bool:
    """End the building of a server in error, and free its host and addresses.

    One that was offloaded stays so, with its addresses; the fault is in its action only.
    """
    # Before: the rows no longer tell afterwards which hosts it concerns.
    firewall.note_server(tx, instance.uuid)
    if instance.vm_state is VmState.SHELVED_OFFLOADED:
        return _stay_offloaded(tx, instance, now)
    # Before: the server's host is one of those that are told.
    firewall.note_server(tx, instance.uuid)
    if not instances.compare_and_set(
        tx,
        instance.uuid,
        {"vm_state": (VmState.BUILDING,), "host": (instance.host,)},
        {
            "vm_state": VmState.ERROR,
            "task_state": None,
            "power_state": int(PowerState.NOSTATE),
            "host": None,
            "node": None,
            "numa_topology": None,
            "updated_at": now,
        },
    ):
        return False
    if instance.host is not None:
        give_back(tx, instance, now, failed=True)
    instances.save_fault(tx, instance.uuid, fault)
    return True


def _stay_offloaded(tx: Transaction, instance: Instance, now: datetime.datetime) -> bool:
    firewall.note_server(tx, instance.uuid)
    if not instances.compare_and_set(
        tx,
        instance.uuid,
        {"vm_state": (VmState.SHELVED_OFFLOADED,), "host": (instance.host,)},
        {
            "task_state": None,
            "power_state": int(PowerState.NOSTATE),
            "host": None,
            "node": None,
            "availability_zone": None,
            "numa_topology": None,
            "updated_at": now,
        },
    ):
        return False
    give_back_claim(tx, instance, now, failed=True)
    return True


def finish_delete(tx: Transaction, instance: Instance, now: datetime.datetime) -> bool:
    """Move a server to the archive; free its addresses, claim and quota in the same transaction."""
    final = {
        "vm_state": VmState.DELETED,
        "task_state": None,
        "power_state": int(PowerState.NOSTATE),
        "terminated_at": now,
    }
    # Before: its host and its groups go with the row.
    firewall.note_server(tx, instance.uuid)
    if not archive.move(tx, instance, final, now):
        return False
    give_back(tx, instance, now)
    if instance.soft_deleted_at is None:
        amounts = quota_of(instance.flavor)
        quotas.release(tx, instance.project_id, instance.user_id, amounts)
    return True


def reset(
    tx: Transaction,
    instance: Instance,
    vm_state: VmState,
    now: datetime.datetime,
    more: Mapping[str, Any],
) -> None:
    """Give a server a state because an administrator says so.  more: further columns."""
    values = {"vm_state": vm_state, "task_state": None, "updated_at": now}
    instances.compare_and_set(tx, instance.uuid, {}, {**more, **values})
