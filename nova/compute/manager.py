"""nova-compute: its RPC methods and its periodic work."""

import dataclasses
import logging
import threading
from collections.abc import Mapping

from nova import clock
from nova import context as nova_context
from nova.compute import resources
from nova.compute.build import Builder
from nova.compute.console import console_text
from nova.compute.firewall import REFUSED, HostFirewallKeeper
from nova.compute.networks import Networks
from nova.compute.operations import AWAY, Operations
from nova.compute.plans import HostTools, make_plans
from nova.compute.pool import Pool
from nova.compute.recovery import Recovery
from nova.compute.remote_console import RemoteConsoles
from nova.compute.rpcapi import ComputeAPI
from nova.compute.settings import ComputeSettings
from nova.compute.uploads import Uploads
from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.context import RequestContext
from nova.exception import InstanceInvalidState, NovaException
from nova.image.api import ImageService
from nova.objects.console import ConsoleConnection, ConsoleType
from nova.objects.diagnostics import Diagnostics
from nova.objects.instance import Instance
from nova.objects.lifecycle import ACTIONS, PowerState
from nova.objects.operation import Operation, Work
from nova.objects.path import GuestPath
from nova.objects.service import HostReport, ReportAnswer
from nova.rpc.bus import Bus
from nova.virt.driver import ComputeDriver, GuestEvent, ImageCacheKeeper

LOG = logging.getLogger(__name__)


class ComputeManager(ComputeAPI):
    """The servers of one host."""

    def __init__(
        self,
        bus: Bus,
        host: str,
        driver: ComputeDriver,
        pool: Pool,
        images: ImageService,
        settings: ComputeSettings | None = None,
    ) -> None:
        self.host = host
        self._settings = settings or ComputeSettings()
        self._driver = driver
        self._pool = pool
        self._hosts = bus.client(ConductorHosts)
        self._firewall = HostFirewallKeeper(
            bus, host, driver, pool, self._settings.firewall_heal_interval_s
        )
        networks = Networks(bus, host)
        self._operations = Operations(bus, host)
        self._builder = Builder(
            driver,
            networks,
            documents=self._settings.documents,
            force_config_drive=self._settings.force_config_drive,
            max_concurrent=self._settings.max_concurrent_builds,
        )
        tools = HostTools(
            driver=driver,
            networks=networks,
            builder=self._builder,
            settings=self._settings,
            images=images,
            firewall=self._firewall,
        )
        self._plans = make_plans(tools)
        self._uploads = Uploads(driver, images)
        self._consoles = RemoteConsoles(driver, self._settings.console_types)
        self._recovery = Recovery(bus, host, self._operations, tools)
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
        except (*AWAY, *REFUSED) as error:
            LOG.warning("Recovery waits: %s", error)

    def cleanup_host(self) -> None:
        """Let go of the hypervisor."""
        self._driver.cleanup_host()

    # --- RPC

    def run_operation(self, context: RequestContext, work: Work) -> None:
        """Carry an operation out; what it may interrupt stops at its next step."""
        operation = work.operation
        if ACTIONS[operation.action].interrupts:
            self._operations.cancel_others(operation)
        self._operations.run(context, work, self._plans[operation.action](operation))

    def pull_operations(self, context: RequestContext) -> None:
        """Take up operations that this host owns and does not know."""
        self._take_up(context)

    def cache_images(self, context: RequestContext, image_ids: tuple[str, ...]) -> None:
        """Fetch images into the cache, one after the other."""
        if not isinstance(self._driver, ImageCacheKeeper):
            LOG.warning("This host keeps no images; %d are not fetched", len(image_ids))
            return
        for image_id in image_ids:
            try:
                fetched = self._driver.cache_image(image_id)
            except NovaException as error:
                LOG.warning("Image %s is not cached: %s", image_id, error)
            else:
                LOG.info("Image %s %s", image_id, "is cached now" if fetched else "was cached")

    def discard_image(self, context: RequestContext, image_id: str) -> None:
        """Delete an image; failures are logged."""
        self._uploads.delete(image_id)

    def refresh_firewall(self, context: RequestContext) -> None:
        """Apply what the host must let through soon."""
        self._firewall.request()

    def get_console_output(
        self, context: RequestContext, instance: Instance, tail_lines: int | None = None
    ) -> str:
        """Return the newest console lines."""
        return console_text(self._driver.get_console_output(instance), tail_lines)

    def get_diagnostics(self, context: RequestContext, instance: Instance) -> Diagnostics:
        """Return counters of a running guest."""
        power_state = self._driver.get_power_state(instance)
        if power_state is not PowerState.RUNNING:
            raise InstanceInvalidState(
                action="get_diagnostics",
                instance_uuid=instance.uuid,
                attribute="power_state",
                state=power_state.name.lower(),
            )
        return self._driver.get_diagnostics(instance)

    def get_host_uptime(self, context: RequestContext) -> str:
        """Return what the host says of its uptime."""
        return self._driver.get_host_uptime()

    def describe_path(self, context: RequestContext, instance: Instance) -> GuestPath:
        """Return what this host has on the way of a server's packets."""
        return self._driver.describe_path(instance)

    def get_console(
        self, context: RequestContext, instance: Instance, console_type: ConsoleType
    ) -> ConsoleConnection:
        """Return where the console of a running guest listens."""
        return self._consoles.connection(instance, console_type)

    def validate_console_port(
        self, context: RequestContext, instance: Instance, port: int, console_type: ConsoleType
    ) -> bool:
        """Tell whether a port is that of the guest's console now."""
        return self._consoles.is_port_of(instance, port, console_type)

    # --- Reports

    def report(self, context: RequestContext | None = None) -> ReportAnswer:
        """Tell the conductor that this host lives, and what it has.  Raises: Unavailable.

        Power states are left out until recovery is done: guests that are off because the host
        was off would be taken for servers that somebody has stopped.
        """
        context = context or nova_context.get_admin_context()
        with self._report_lock, self._operations.noting_results() as results:
            try:
                report = self._make_report()
                answer = self._hosts.anyone().report(context, report)
            except Exception:
                # Power states that may not have arrived go with the next report.
                self._power_states_sent_at = None
                raise
        self._send_again_if_outdated(report, results)
        if answer.pending or not self._recovered:
            self._pool.spawn(self.pull_operations, nova_context.get_admin_context())
        return answer

    def _send_again_if_outdated(
        self, report: HostReport, results: Mapping[str, PowerState]
    ) -> None:
        """Send power states again when operations have changed them since they were read.

        Result and report may have arrived in either order, so the older word may stand.
        """
        if report.power_states is None:
            return
        for instance_uuid, state in results.items():
            if report.power_states.get(instance_uuid, PowerState.NOSTATE) is not state:
                LOG.info("Instance %s has changed since it was reported", instance_uuid)
                self._report_power_states_soon()

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
        self._report_power_states_soon()

    def _report_power_states_soon(self) -> None:
        self._power_states_sent_at = None
        if not self._report_queued:
            self._report_queued = True
            self._pool.spawn(self.report)

    # --- Periodic work

    def reap_deleted(self) -> None:
        """Remove guests of deleted servers.  Raises: Unavailable."""
        self._recovery.reap(nova_context.get_admin_context(), self._settings.running_deleted_action)

    def heal_firewall(self) -> None:
        """Apply the rules again when that failed or is long ago.  Raises: Unavailable."""
        self._firewall.heal()

    def _take_up(self, context: RequestContext) -> None:
        """Resend results, then carry out unknown operations; the first time, recover.

        Nothing is taken up before the rules of the host are in force.
        """
        if not self._recovered:
            self._firewall.ensure(context)
        unwanted = self._operations.resend()
        works = self._operations.unfinished(context)
        first = not self._recovered
        for work in works:
            self._pool.spawn(self._carry_out, work, first)
        if self._builder.take_leftovers() or unwanted or first:
            self._recovery.reap(context, self._settings.running_deleted_action)
        if first:
            self._recover_guests(context)
        self._recovered = True

    def _recover_guests(self, context: RequestContext) -> None:
        """Mend guests that no operation is about; an agent may let its thaw wait for long."""
        if self._settings.resume_guests:
            self._recovery.resume_guests(context)
        for instance in self._recovery.interrupted_snapshots(context):
            self._pool.spawn(self._recovery.end_snapshot, instance)

    def _carry_out(self, work: Work, after_crash: bool) -> None:
        """Take an operation up; after a crash, one that may not be repeated is ended."""
        context = _context_of(work.operation)
        ordinary = self._plans[work.operation.action](work.operation)
        plan = self._recovery.interrupted_plan(work, ordinary) if after_crash else None
        plan = plan or self._recovery.lost_password_plan(work)
        if plan is None:
            self.run_operation(context, work)
        else:
            self._operations.run(context, work, plan)


def _context_of(operation: Operation) -> RequestContext:
    """Return the context of the request that began an operation."""
    return RequestContext(
        user_id=operation.user_id,
        project_id=operation.project_id,
        request_id=operation.request_id,
        is_admin=True,
    )
