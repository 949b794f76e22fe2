"""nova-compute: its RPC methods and its periodic work."""

import dataclasses
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from nova import clock
from nova import context as nova_context
from nova.compute import resources
from nova.compute.build import Builder
from nova.compute.console import console_text
from nova.compute.networks import Networks
from nova.compute.operations import AWAY, Operations, Plan
from nova.compute.power import PowerActions
from nova.compute.recovery import Recovery
from nova.compute.rpcapi import ComputeAPI
from nova.compute.settings import ComputeSettings
from nova.compute.terminate import Terminator
from nova.conductor.rpcapi import ConductorHosts
from nova.context import RequestContext
from nova.objects.instance import Instance
from nova.objects.lifecycle import ACTIONS
from nova.objects.operation import Operation, Work
from nova.objects.service import HostReport, ReportAnswer
from nova.rpc.bus import Bus
from nova.virt.driver import ComputeDriver, GuestEvent

LOG = logging.getLogger(__name__)


class Pool(Protocol):
    """Runs functions beside the caller."""

    def spawn(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function soon."""


class ComputeManager(ComputeAPI):
    """The servers of one host."""

    def __init__(
        self,
        bus: Bus,
        host: str,
        driver: ComputeDriver,
        pool: Pool,
        settings: ComputeSettings | None = None,
    ) -> None:
        self.host = host
        self._settings = settings or ComputeSettings()
        self._driver = driver
        self._pool = pool
        self._hosts = bus.client(ConductorHosts)
        networks = Networks(bus, host)
        self._operations = Operations(bus, host)
        self._builder = Builder(
            driver,
            networks,
            documents=self._settings.documents,
            force_config_drive=self._settings.force_config_drive,
            max_concurrent=self._settings.max_concurrent_builds,
        )
        self._power = PowerActions(driver, self._settings.shutdown)
        self._terminator = Terminator(driver, networks)
        self._recovery = Recovery(bus, host, driver, self._operations, self._builder, networks)
        self._recovered = False
        self._report_lock = threading.Lock()
        self._power_states_sent_at: float | None = None
        self._report_queued = False

    # --- Service life

    def init_host(self) -> None:
        """Make the hypervisor ready and take up what an earlier process left.

        Raises: HypervisorUnavailable.
        """
        self._driver.init_host(self.host, self._on_guest_event)
        try:
            self._take_up(nova_context.get_admin_context())
        except AWAY as error:
            LOG.warning("Recovery waits for the conductor: %s", error)

    def cleanup_host(self) -> None:
        """Let go of the hypervisor."""
        self._driver.cleanup_host()

    # --- RPC

    def build_instance(self, context: RequestContext, work: Work) -> None:
        """Build a server."""
        self._operations.run(context, work, self._builder.plan())

    def terminate_instance(self, context: RequestContext, work: Work) -> None:
        """Remove a server; what else runs for it stops at its next step."""
        self._operations.cancel(work.detail.instance.uuid)
        self._operations.run(context, work, self._terminator.plan())

    def start_instance(self, context: RequestContext, work: Work) -> None:
        """Power a server on."""
        self._operations.run(context, work, self._power.start_plan())

    def stop_instance(self, context: RequestContext, work: Work) -> None:
        """Shut a server down."""
        self._operations.run(context, work, self._power.stop_plan())

    def reboot_instance(self, context: RequestContext, work: Work) -> None:
        """Reboot a server, softly or hard."""
        soft = work.operation.action == "soft_reboot"
        self._operations.run(context, work, self._power.reboot_plan(soft))

    def pull_operations(self, context: RequestContext) -> None:
        """Take up operations that this host owns and does not know."""
        self._take_up(context)

    def get_console_output(
        self, context: RequestContext, instance: Instance, tail_lines: int | None = None
    ) -> str:
        """Return the newest console lines."""
        return console_text(self._driver.get_console_output(instance), tail_lines)

    # --- Reports

    def report(self, context: RequestContext | None = None) -> ReportAnswer:
        """Tell the conductor that this host lives, and what it has.  Raises: Unavailable.

        Power states are left out until recovery is done: guests that are off because the host
        was off would be taken for servers that somebody has stopped.
        """
        context = context or nova_context.get_admin_context()
        with self._report_lock:
            answer = self._hosts.anyone().report(context, self._make_report())
        if answer.pending or not self._recovered:
            self._pool.spawn(self.pull_operations, nova_context.get_admin_context())
        return answer

    def _make_report(self) -> HostReport:
        settings = self._settings
        report = resources.host_report(
            self.host, self.topic, self._driver, settings.reserves, settings.my_ip
        )
        self._report_queued = False
        if not self._recovered or not self._power_states_due():
            return report
        self._power_states_sent_at = clock.monotonic()
        return dataclasses.replace(report, power_states=self._driver.list_guests())

    def _power_states_due(self) -> bool:
        sent_at, interval_s = self._power_states_sent_at, self._settings.power_state_interval_s
        if sent_at is None:
            return True
        return interval_s > 0 and clock.monotonic() - sent_at >= interval_s

    def _on_guest_event(self, event: GuestEvent) -> None:
        """Report soon; what an operation does is in that operation's result."""
        if self._operations.is_busy(event.instance_uuid):
            return
        LOG.info("Instance %s is %s now", event.instance_uuid, event.power_state.name.lower())
        self._power_states_sent_at = None
        if not self._report_queued:
            self._report_queued = True
            self._pool.spawn(self.report)

    # --- Periodic work

    def reap_deleted(self) -> None:
        """Remove guests of deleted servers.  Raises: Unavailable."""
        self._recovery.reap(nova_context.get_admin_context(), self._settings.running_deleted_action)

    def _take_up(self, context: RequestContext) -> None:
        """Resend results, then carry out unknown operations; the first time, recover."""
        unwanted = self._operations.resend()
        works = self._operations.unfinished(context)
        first = not self._recovered
        for work in works:
            plan = self._recovery.interrupted_plan(work) if first else None
            plan = plan or self._recovery.lost_password_plan(work)
            self._pool.spawn(self._carry_out, work, plan)
        if self._builder.take_leftovers() or unwanted or first:
            self._recovery.reap(context, self._settings.running_deleted_action)
        if first and self._settings.resume_guests:
            self._recovery.resume_guests(context)
        self._recovered = True

    def _carry_out(self, work: Work, plan: Plan | None) -> None:
        context = _context_of(work.operation)
        if plan is not None:
            self._operations.run(context, work, plan)
            return
        getattr(self, ACTIONS[work.operation.action].method)(context, work)


def _context_of(operation: Operation) -> RequestContext:
    """Return the context of the request that began an operation."""
    return RequestContext(
        user_id=operation.user_id,
        project_id=operation.project_id,
        request_id=operation.request_id,
        is_admin=True,
    )
