"""Takes the reports of daemons: heartbeat, resources, power states."""

import dataclasses
import datetime
import logging
import uuid
from typing import Any

from nova import clock
from nova.conductor import instance_rows, transitions
from nova.conductor.liveness import COMPUTE_BINARY
from nova.conductor.power_sync import Reaction, reaction_to
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import compute_nodes, instances, operations, services
from nova.db.duplicates import Repeat
from nova.db.engine import Database, Transaction, retried
from nova.objects.lifecycle import ACTIONS, PowerState, TaskState, VmState
from nova.objects.numa import HostNuma
from nova.objects.numa_usage import with_usage_of, without_usage
from nova.objects.operation import IF_POWER_STATE
from nova.objects.service import ComputeNode, HostReport, NodeResources, ReportAnswer, Service

LOG = logging.getLogger(__name__)

# Stops begun by one report; what is left over follows with the next ones.
MAX_STOPS = 50

_IO_TASKS = frozenset(
    {
        TaskState.SCHEDULING,
        TaskState.NETWORKING,
        TaskState.BLOCK_DEVICE_MAPPING,
        TaskState.SPAWNING,
    }
)


class Reports:
    """Stores reports; holds no state between them."""

    def __init__(self, db: Database, settings: ConductorSettings) -> None:
        self.db = db
        self.settings = settings

    @retried
    def take(self, context: RequestContext, report: HostReport) -> ReportAnswer:
        """Store a report; return what the daemon should know.

        Each report of a compute node gives it a new generation, by which the scheduler knows
        that the host lives.
        """
        now = clock.utcnow()
        with self.db.transaction() as tx:
            service = self._heartbeat(tx, report, now)
            pending = 0
            if report.binary == COMPUTE_BINARY:
                load = self._sync_power(tx, context, report, now)
                if report.node is not None:
                    self._sync_node(tx, service, report.node, load, now)
                pending = operations.count_pending(tx, report.host)
        return ReportAnswer(pending=pending, disabled=service.disabled)

    def _heartbeat(self, tx: Transaction, report: HostReport, now: datetime.datetime) -> Service:
        before = services.find(tx, report.host, report.binary)
        if before is not None:
            services.heartbeat(tx, report.host, report.binary, now)
            return before
        services.register(
            tx,
            {
                "uuid": str(uuid.uuid4()),
                "host": report.host,
                "binary": report.binary,
                "topic": report.topic,
                "report_count": 1,
                "disabled": not self.settings.enable_new_services,
                "disabled_reason": None
                if self.settings.enable_new_services
                else "New service disabled until it is enabled by an administrator",
                "forced_down": False,
                "last_seen_up": now,
                "created_at": now,
                "updated_at": now,
            },
        )
        LOG.info("Service %s on host %s reports for the first time", report.binary, report.host)
        registered = services.find(tx, report.host, report.binary)
        assert registered is not None, "the row was just inserted"
        return registered

    # --- Resources

    def _sync_node(
        self,
        tx: Transaction,
        service: Service,
        reported: NodeResources,
        load: dict[str, int],
        now: datetime.datetime,
    ) -> None:
        values = self._node_values(reported)
        node = compute_nodes.find(tx, service.host, reported.hypervisor_hostname)
        if node is None:
            row = {**values, "uuid": str(uuid.uuid4()), "host": service.host}
            row["numa_topology"] = reported.numa_topology
            compute_nodes.register(tx, row, now)
            return
        known = without_usage(node.numa_topology)
        if reported.numa_topology is not None and reported.numa_topology != known:
            self._set_numa(tx, node, reported.numa_topology, now)
        compute_nodes.update(tx, node.id, values | load, now)

    def _set_numa(
        self,
        tx: Transaction,
        node: ComputeNode,
        reported: HostNuma,
        now: datetime.datetime,
    ) -> None:
        """Save cells that have changed, with what servers have of them."""
        cells = with_usage_of(reported, node.numa_topology)
        if not compute_nodes.set_numa(tx, node, cells, now):
            raise Repeat

    def _node_values(self, reported: NodeResources) -> dict[str, Any]:
        settings = self.settings
        values: dict[str, Any] = {name: getattr(reported, name) for name in compute_nodes.REPORTED}
        return values | {
            "cpu_allocation_ratio": reported.cpu_allocation_ratio or settings.cpu_allocation_ratio,
            "ram_allocation_ratio": reported.ram_allocation_ratio or settings.ram_allocation_ratio,
            "disk_allocation_ratio": reported.disk_allocation_ratio
            or settings.disk_allocation_ratio,
        }

    # --- Power states

    def _sync_power(
        self,
        tx: Transaction,
        context: RequestContext,
        report: HostReport,
        now: datetime.datetime,
    ) -> dict[str, int]:
        """Save changed power states and react to them; return the load that the host has."""
        rows = instances.states_on_host(tx, report.host)
        if report.power_states is not None:
            reported = report.power_states
            changed: dict[str, PowerState] = {}
            stops: dict[str, PowerState] = {}
            for instance_uuid, vm_state, task_state, known in rows:
                state = reported.get(instance_uuid, PowerState.NOSTATE)
                if vm_state is VmState.BUILDING and instance_uuid not in reported:
                    continue
                if state is not known:
                    changed[instance_uuid] = state
                reaction = reaction_to(vm_state, task_state, state)
                if reaction is Reaction.STOP:
                    stops[instance_uuid] = state
                elif reaction is Reaction.WARN and state is not known:
                    LOG.warning(
                        "Guest of instance %s is %s, but the server is %s",
                        instance_uuid,
                        state.name,
                        vm_state,
                    )
            instances.set_power_states(tx, report.host, changed, now)
            self._stop(tx, context, stops, now)
        io_ops = sum(1 for _uuid, vm, task, _power in rows if _busy(vm, task))
        return {"num_io_ops": io_ops, "running_vms": len(rows)}

    def _stop(
        self,
        tx: Transaction,
        context: RequestContext,
        stops: dict[str, PowerState],
        now: datetime.datetime,
    ) -> None:
        """Begin to stop servers for the power states of their guests; the host pulls that.

        A report may be older than what happened since, so the host looks once more.
        """
        if not stops:
            return
        action = ACTIONS["stop"]
        deadline = now + datetime.timedelta(seconds=action.deadline_s)
        rows = []
        for instance in instances.list_by_uuids(tx, list(stops)[:MAX_STOPS]):
            begun = transitions.begun(instance, action, now)
            if not transitions.begin(tx, instance, begun):
                continue
            state = stops[instance.uuid].name
            LOG.info("Instance %s is to be stopped: its guest is %s", instance.uuid, state)
            operation = dataclasses.replace(
                instance_rows.operation_of(context, instance, "stop", deadline),
                arguments={IF_POWER_STATE: state},
            )
            rows.append(instance_rows.operation_row(operation, now))
        if rows:
            operations.create(tx, rows)


def _busy(vm_state: VmState, task_state: TaskState | None) -> bool:
    return vm_state is VmState.BUILDING or task_state in _IO_TASKS
