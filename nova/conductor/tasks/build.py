"""Finds hosts for new servers: scheduling, claims, alternates, and trying again."""

import dataclasses
import datetime
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from nova import clock
from nova.conductor import (
    addresses,
    dispatch,
    grouping,
    numa_claims,
    project_networks,
    transitions,
    translated,
)
from nova.conductor.liveness import silent_before
from nova.conductor.network_plan import choose_networks
from nova.conductor.notify.notifier import Notifier
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import (
    aggregates,
    compute_nodes,
    instances,
    networks,
    operations,
    placement_reports,
    ports,
    vifs,
)
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    HostClaimFailed,
    InstanceActionStale,
    Internal,
    NovaException,
    Unavailable,
)
from nova.objects.block_device import BlockDevice
from nova.objects.build_request import BuildRequest
from nova.objects.instance import Fault, Instance
from nova.objects.lifecycle import ACTIONS, VmState
from nova.objects.network import NetworkMode, Vif
from nova.objects.operation import ActionEvent, Operation, OperationState, Work
from nova.objects.request_spec import Destination, PlacementReport, RequestSpec
from nova.rpc.bus import Bus
from nova.scheduler.rpcapi import SchedulerAPI

LOG = logging.getLogger(__name__)

EVENT = "conductor_schedule_and_build_instances"
EVENTS = {"unshelve": "conductor_unshelve_instance"}
TRIED = "tried_hosts"
LAST_FAILURE = "last_failure"
NO_HOST = "No valid host was found. {reason}"


class Pool(Protocol):
    """Runs functions after the caller has gone on."""

    def spawn(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function soon."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BuildJob:
    """Servers of one request that need a host; operations are in the order of instances."""

    instances: tuple[Instance, ...]
    operations: tuple[Operation, ...]
    request: BuildRequest
    block_devices: tuple[BlockDevice, ...] = ()
    admin_password: str | None = None

    def only(self, index: int, operation: Operation) -> "BuildJob":
        """Return the job of one server alone, with its operation as it is now."""
        return dataclasses.replace(
            self, instances=(self.instances[index],), operations=(operation,)
        )


def tried_hosts(operation: Operation) -> tuple[str, ...]:
    """Return the hosts on which a build has been tried."""
    return tuple(filter(None, operation.arguments.get(TRIED, "").split(",")))


def no_host(operation: Operation, summary: str) -> str:
    """Return what the user is told when no host is left: why, and how the last one failed."""
    message = NO_HOST.format(reason=summary).strip()
    failure = operation.arguments.get(LAST_FAILURE)
    return f"{message} The last attempt failed: {failure}" if failure else message


class BuildTask:
    """Runs build jobs; holds no state between them."""

    def __init__(self, db: Database, bus: Bus, settings: ConductorSettings) -> None:
        self.db = db
        self.bus = bus
        self.settings = settings
        self.notifier = Notifier(bus, db, settings.notifications)

    def run(self, context: RequestContext, job: BuildJob) -> None:
        """Find hosts for all servers of a job and send the builds to them.

        A server that fits nowhere ends in error.  When the scheduler can not be asked, the
        servers wait for the reconciler.
        """
        spec = self._with_neighbours(self._spec(job))
        try:
            scheduler = self.bus.client(SchedulerAPI).anyone()
            report = scheduler.select_destinations(context, spec)
        except (Unavailable, Internal) as error:
            LOG.warning("Servers %s wait for a scheduler: %s", spec.instance_uuids, error)
            return
        report = dataclasses.replace(report, attempt=job.operations[0].attempt + 1)
        self._keep_report(job, report)
        for index, operation in enumerate(job.operations):
            chosen = report.destinations[index] if index < len(report.destinations) else ()
            self._build_one(context, job.only(index, operation), chosen, report.summary)

    def _spec(self, job: BuildJob) -> RequestSpec:
        first, request = job.instances[0], job.request
        return RequestSpec(
            flavor=first.flavor,
            project_id=first.project_id,
            user_id=first.user_id,
            instance_uuids=tuple(instance.uuid for instance in job.instances),
            image_id=first.shelved_image_id or first.image_ref,
            image_properties=first.image_properties,
            availability_zone=request.availability_zone,
            force_host=request.force_host,
            force_node=request.force_node,
            requested_host=request.requested_host,
            requested_node=request.requested_node,
            ignore_hosts=tried_hosts(job.operations[0]),
            hints=first.scheduler_hints,
            alternates=self.settings.max_attempts - 1,
            group_uuid=next(iter(first.server_groups), None),
        )

    @retried
    def _with_neighbours(self, spec: RequestSpec) -> RequestSpec:
        """Add what other servers the placement depends on: of the group, and of hints."""
        if not grouping.depends_on_others(spec):
            return spec
        with self.db.reading() as tx:
            return grouping.with_others(tx, spec)

    @retried
    def _keep_report(self, job: BuildJob, report: PlacementReport) -> None:
        uuids = [instance.uuid for instance in job.instances]
        reservation_id = job.instances[0].reservation_id or uuids[0]
        with self.db.transaction() as tx:
            placement_reports.create(tx, reservation_id, uuids, report, clock.utcnow())

    def _build_one(
        self,
        context: RequestContext,
        job: BuildJob,
        destinations: Sequence[Destination],
        summary: str,
    ) -> None:
        """Claim the first destination that can take the server, and send the build there."""
        tried = []
        for destination in destinations:
            try:
                work = self._claim(job, destination)
            except HostClaimFailed as error:
                LOG.info("Instance %s goes to another host: %s", job.instances[0].uuid, error)
                tried.append(destination.host)
            except InstanceActionStale as error:
                LOG.info("The build of %s ends here: %s", job.instances[0].uuid, error)
                return
            except NovaException as error:
                self._fail(job, str(error))
                return
            else:
                dispatch.cast(self.bus, context, work)
                self.notifier.began(context, work.operation.action, work.detail.instance)
                return
        if not destinations or not self._again(context, job, tried):
            self._fail(job, no_host(job.operations[0], summary))

    def _again(self, context: RequestContext, job: BuildJob, tried: list[str]) -> bool:
        """Schedule a server anew without the hosts that it lost; False after too many attempts."""
        operation = job.operations[0]
        if operation.attempt + 1 >= self.settings.max_attempts:
            return False
        arguments = dict(operation.arguments)
        arguments[TRIED] = ",".join((*tried_hosts(operation), *tried))
        changed = dataclasses.replace(operation, attempt=operation.attempt + 1, arguments=arguments)
        self.run(context, job.only(0, changed))
        return True

    @retried
    def _claim(self, job: BuildJob, destination: Destination) -> Work:
        """Give a server its host, addresses and resources in one transaction.

        Raises: HostClaimFailed, GroupPolicyViolated, InstanceActionStale, NoMoreFixedIps,
        FixedIpAlreadyInUse, NetworkNotFound, NetworkHostUnavailable.
        """
        instance, operation = job.instances[0], job.operations[0]
        now = clock.utcnow()
        host, node = destination.host, destination.node
        default_zone = self.settings.default_availability_zone
        attempt = operation.attempt + 1
        deadline = now + datetime.timedelta(seconds=self._deadline_s())
        with self.db.transaction() as tx:
            changed = operations.advance(
                tx,
                operation.id,
                (OperationState.PENDING,),
                None,
                {
                    "owner_host": host,
                    "attempt": attempt,
                    "deadline": deadline,
                    "arguments": operation.arguments,
                    "updated_at": now,
                },
            )
            if not changed or not transitions.place(tx, instance, host, node, default_zone, now):
                raise InstanceActionStale(action_id=operation.id, instance_uuid=instance.uuid)
            grouping.check_host(tx, instance, host, now)
            granted = self._networks(tx, job, host, now)
            claim = transitions.claim_of(instance.flavor, limited=job.request.force_host is None)
            claim = dataclasses.replace(claim, limits=destination.limits)
            if not compute_nodes.take(tx, host, node, claim, now):
                raise HostClaimFailed(host=host, resource="resources")
            topology = numa_claims.take(
                tx, host, node, instance.flavor, instance.image_properties, now
            )
            changes: dict[str, Any] = {}
            if topology is not None:
                changes["numa_topology"] = topology
            # Read while the host's row is locked, as it is by those who change its zone.
            zone = aggregates.find_zone(tx, host) or default_zone
            if zone != default_zone:
                changes["availability_zone"] = zone
            if changes:
                instances.compare_and_set(tx, instance.uuid, {"host": (host,)}, changes)
        placed = dataclasses.replace(
            instance,
            host=host,
            node=node,
            availability_zone=zone,
            task_state=transitions.placed_task(instance),
            numa_topology=topology,
            vifs=granted,
            updated_at=now,
        )
        LOG.info("Instance %s goes to host %s (attempt %d)", instance.uuid, host, attempt)
        owned = dataclasses.replace(operation, owner_host=host, attempt=attempt, deadline=deadline)
        detail = dataclasses.replace(
            dispatch.detail_of(placed, job.block_devices),
            injected_files=job.request.injected_files,
            admin_password=job.admin_password,
        )
        return Work(operation=owned, detail=detail)

    def _networks(
        self, tx: Transaction, job: BuildJob, host: str, now: datetime.datetime
    ) -> tuple[Vif, ...]:
        instance, request = job.instances[0], job.request
        guest = addresses.Guest(
            instance_uuid=instance.uuid,
            host=host,
            now=now,
            live_after=silent_before(self.settings, now),
            project_id=instance.project_id,
            ipv6_backend=self.settings.ipv6_backend,
        )
        if instance.vm_state is VmState.SHELVED_OFFLOADED:
            return addresses.bring(tx, guest)
        if request.network_mode is NetworkMode.NONE:
            return ()
        # Given when the request was accepted; it may have been taken away since.
        mode, project_id = request.network_mode, instance.project_id
        project_networks.ensure(tx, self.settings, mode, project_id, now)
        usable = networks.list_usable_on(tx, instance.project_id, host)
        wanted = [network.port_id for network in request.networks if network.port_id]
        held = ports.held_by(tx, instance.project_id, wanted)
        picks = choose_networks(request.network_mode, request.networks, usable, held)
        granted = addresses.allocate(tx, guest, picks)
        translated.name(tx, self.settings, instance, granted, now)
        if self.settings.auto_assign_floating_ip and translated.assign(
            tx, self.settings, instance, now
        ):
            return tuple(vifs.list_for(tx, [instance.uuid]).get(instance.uuid, ()))
        return granted

    def _deadline_s(self) -> int:
        return self.settings.instance_build_timeout_s or ACTIONS["create"].deadline_s

    @retried
    def _fail(self, job: BuildJob, message: str) -> None:
        """End the build of a server that has no host."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            self.fail_in(tx, job.instances[0], job.operations[0], message, now)

    def fail_in(
        self,
        tx: Transaction,
        instance: Instance,
        operation: Operation,
        message: str,
        now: datetime.datetime,
    ) -> bool:
        """End the build of a server with a reason for the user; False if it has ended already."""
        ended = operations.advance(
            tx,
            operation.id,
            operations.UNFINISHED,
            operation.owner_host,
            {
                "state": OperationState.FAILED,
                "message": "Error",
                "deadline": None,
                "build_request": None,
                "request": None,
                "finish_time": now,
                "updated_at": now,
            },
        )
        fault = Fault(code=500, message=message[:255], created_at=now)
        if not ended or not transitions.fail_build(tx, instance, fault, now):
            return False
        event = ActionEvent(
            event=EVENTS.get(operation.action, EVENT),
            started_at=operation.started_at or now,
            finished_at=now,
            result="Error",
            details=message,
        )
        operations.add_event(tx, operation.id, event)
        LOG.info("Instance %s could not be built: %s", instance.uuid, message)
        return True
