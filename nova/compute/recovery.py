"""Takes up what an earlier process left behind: operations, guests of deleted servers.

Source: server-states, recovery when the compute service starts.
"""

import logging
from collections.abc import Callable

from nova import exception
from nova.compute.operations import AWAY, Failure, Operations, Outcome, Plan, Running
from nova.compute.plans import HostTools
from nova.compute.uploads import Uploads
from nova.conductor.rpcapi.operations import ConductorOperations
from nova.context import RequestContext
from nova.objects.instance import Instance
from nova.objects.lifecycle import ACTIONS, PowerState, Recover, VmState
from nova.objects.operation import OperationState, Work
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

PASSWORD_LOST = (
    "The build was interrupted, and the administrator password for the config drive is not stored."
)


class Recovery:
    """Brings the host in line with what is stored."""

    def __init__(
        self,
        bus: Bus,
        host: str,
        operations: Operations,
        tools: HostTools,
    ) -> None:
        self._conductor = bus.client(ConductorOperations)
        self._host = host
        self._operations = operations
        self._driver = tools.driver
        self._builder = tools.builder
        self._networks = tools.networks
        self._firewall = tools.firewall
        self._uploads = Uploads(tools.driver, tools.images)

    def reap(self, context: RequestContext, action: str) -> None:
        """Deal with guests and files whose servers are not on this host any more.

        action: noop, log or reap.  Raises: Unavailable.
        """
        if action == "noop":
            return
        found = set(self._driver.list_guests()) | self._driver.list_files()
        if not found:
            return
        gone = self._conductor.anyone().deleted_on_host(context, self._host, tuple(sorted(found)))
        for uuid in gone:
            if self._operations.is_busy(uuid):
                continue
            LOG.warning("Instance %s is not a server of this host; %s", uuid, action)
            if action == "reap":
                with self._operations.exclusively(uuid):
                    self._driver.destroy_leftover(uuid)

    def interrupted_snapshots(self, context: RequestContext) -> list[Instance]:
        """Return the servers of this host of whose snapshots an earlier process left anything.

        Raises: Unavailable.
        """
        left = self._driver.list_snapshots()
        if not left:
            return []
        placed = self._conductor.anyone().instances_on_host(context, self._host)
        return [instance for instance in placed if instance.uuid in left]

    def end_snapshot(self, instance: Instance) -> None:
        """End a snapshot that was interrupted, whatever became of its operation meanwhile.

        Its guest may be frozen.  An operation that goes on makes its own files under the lock.
        """
        with self._operations.exclusively(instance.uuid):
            self._uploads.discard_file(instance)

    def resume_guests(self, context: RequestContext) -> None:
        """Start guests that ran when the host was last heard of and are off now.

        Those that an operation is about are left to it: it may hold them for long.
        Raises: Unavailable.
        """
        placed = self._conductor.anyone().instances_on_host(context, self._host)
        for instance in filter(self._should_run, placed):
            with self._operations.exclusively(instance.uuid):
                if self._should_run(instance):
                    self._resume(context, instance)

    def _resume(self, context: RequestContext, instance: Instance) -> None:
        LOG.info("Instance %s is started again after the host's restart", instance.uuid)
        try:
            self._networks.setup(context, instance)
            self._firewall.ensure(context)
            self._driver.reboot_hard(instance)
        except AWAY:
            raise
        except exception.NovaException:
            LOG.exception("Instance %s can not be started", instance.uuid)

    def _should_run(self, instance: Instance) -> bool:
        return (
            instance.vm_state is VmState.ACTIVE
            and instance.task_state is None
            and instance.power_state is PowerState.RUNNING
            and self._driver.get_power_state(instance) is not PowerState.RUNNING
        )

    def interrupted_plan(self, work: Work, ordinary: Plan) -> Plan | None:
        """Return how to end an operation that may not be repeated; None: repeat it."""
        operation = work.operation
        if operation.state is not OperationState.RUNNING:
            return None
        if ACTIONS[operation.action].recover is Recover.REPEAT or ordinary.undo is None:
            return None
        return _plan_to_undo(f"compute_recover_{operation.action}", ordinary, ordinary.undo)

    def lost_password_plan(self, work: Work) -> Plan | None:
        """Return how to end a build whose message, with its password, was lost; None: build.

        Only a config drive needs the password; it is stored nowhere.
        """
        detail = work.detail
        if work.operation.action != "create" or not detail.instance.config_drive:
            return None
        if detail.admin_password is not None:
            return None
        return _plan_to_undo("compute_recover_create", self._builder.plan(), self._lose_password)

    def _lose_password(self, running: Running) -> Failure:
        self._builder.clean(running.context, running.instance)
        return Failure(message=PASSWORD_LOST, retry=True)


def _plan_to_undo(event: str, ordinary: Plan, undo: Callable[[Running], Failure]) -> Plan:
    """Return the plan that undoes what an ordinary one has left, and reports it as failed."""
    failures: list[Failure] = []

    def work(running: Running) -> Outcome:
        failures.append(undo(running))
        raise exception.OperationInterrupted(instance_uuid=running.instance.uuid)

    return Plan(
        event=event,
        task_state=ordinary.task_state,
        work=work,
        explain=lambda running, error: failures[0] if failures else None,
    )
