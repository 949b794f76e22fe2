"""A daemon on the bus: its server, its reports, its periodic tasks, and its end."""

import dataclasses
import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from oslo_config import cfg

from nova import clock, concurrency
from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.context import get_admin_context
from nova.objects.service import HostReport
from nova.periodic import PeriodicRunner, PeriodicTask
from nova.rpc.base import BaseEndpoint
from nova.rpc.bus import Bus, RpcServer
from nova.rpc.interface import Interface
from nova.rpc.selfcheck import SelfCheck

LOG = logging.getLogger(__name__)

RPC_WORKERS = 64
REPORT_RETRY_S = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Identity and rhythm of a service; siblings: its worker processes on this host."""

    binary: str
    topic: str
    host: str
    report_interval_s: float = 10
    periodic_enable: bool = True
    periodic_fuzzy_delay_s: float = 60
    self_check_interval_s: float = 60
    stop_timeout_s: float = 60
    siblings: int = 1
    rpc_workers: int = RPC_WORKERS

    @classmethod
    def from_config(
        cls, conf: cfg.ConfigOpts, binary: str, *, siblings: int = 1
    ) -> "ServiceSettings":
        """Return the settings of a program named nova-<topic>."""
        return cls(
            binary=binary,
            topic=binary.removeprefix("nova-"),
            host=conf.host,
            report_interval_s=conf.report_interval,
            periodic_enable=conf.periodic_enable,
            periodic_fuzzy_delay_s=conf.periodic_fuzzy_delay,
            self_check_interval_s=conf.self_check_interval,
            stop_timeout_s=conf.graceful_shutdown_timeout,
            siblings=siblings,
        )


class Manager(Protocol):
    """What the owner of a host's work may do at the start and at the end."""

    def init_host(self) -> None:
        """Make the host ready, before messages are taken."""

    def cleanup_host(self) -> None:
        """Let go of the host, after the last message was handled."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What a service does besides answering messages.

    report: sends the report; None takes the plain heartbeat.
    """

    manager: Manager | None = None
    report: Callable[[], object] | None = None
    tasks: tuple[PeriodicTask, ...] = ()


def heartbeat(bus: Bus, settings: ServiceSettings) -> Callable[[], object]:
    """Return the function that reports that a service lives."""
    hosts = bus.client(ConductorHosts)
    report = HostReport(host=settings.host, binary=settings.binary, topic=settings.topic)
    return lambda: hosts.anyone().report(get_admin_context(), report)


class Service:
    """Endpoints on a topic, with everything that keeps them alive."""

    def __init__(
        self,
        settings: ServiceSettings,
        bus: Bus,
        endpoints: Sequence[Interface],
        duties: Duties | None = None,
    ) -> None:
        self.settings = settings
        self._bus = bus
        self._duties = duties or Duties()
        self._process_id = uuid.uuid4().hex
        served = [*endpoints, BaseEndpoint(self._process_id)]
        self.server = bus.serve(settings.topic, settings.host, served, workers=settings.rpc_workers)
        self._runner = PeriodicRunner(
            [*self._own_tasks(self.server), *self._manager_tasks()],
            settings.periodic_fuzzy_delay_s,
        )

    def start(self) -> None:
        """Make the host ready, then take messages, then report."""
        if self._duties.manager is not None:
            self._duties.manager.init_host()
        self.server.start()
        self._runner.start()

    def stop(self) -> bool:
        """Refuse new work, wait for what runs up to the deadline; tell whether all ended."""
        deadline = clock.monotonic() + self.settings.stop_timeout_s
        self._runner.stop()
        self.server.stop()
        drained = self.server.drain(max(0.0, deadline - clock.monotonic()))
        ended = self._runner.wait(max(0.0, deadline - clock.monotonic()))
        if not drained or not ended:
            LOG.warning("Work in progress did not end within the deadline.")
        if self._duties.manager is not None:
            self._duties.manager.cleanup_host()
        return drained and ended

    def _own_tasks(self, server: RpcServer) -> Iterable[PeriodicTask]:
        settings = self.settings
        check = SelfCheck(
            self._bus,
            server,
            settings.topic,
            settings.host,
            self._process_id,
            siblings=settings.siblings,
        )
        yield _report_task(settings, self._duties.report or heartbeat(self._bus, settings))
        yield PeriodicTask(
            name="self-check",
            interval_s=settings.self_check_interval_s,
            function=check.run,
            initial_delay_s=settings.self_check_interval_s,
        )

    def _manager_tasks(self) -> Iterable[PeriodicTask]:
        return self._duties.tasks if self.settings.periodic_enable else ()


class Reporting:
    """The reports of a daemon that takes no messages: an HTTP server or a proxy.

    tasks: what else it does now and then.
    """

    def __init__(
        self, bus: Bus, settings: ServiceSettings, tasks: Sequence[PeriodicTask] = ()
    ) -> None:
        report = _report_task(settings, heartbeat(bus, settings))
        own = tasks if settings.periodic_enable else ()
        self._runner = PeriodicRunner([report, *own])

    def start(self) -> None:
        """Begin to report."""
        self._runner.start()

    def stop(self, timeout_s: float) -> bool:
        """Send no further report; tell whether the last one ended in time."""
        self._runner.stop()
        return self._runner.wait(timeout_s)


def _report_task(settings: ServiceSettings, report: Callable[[], object]) -> PeriodicTask:
    return PeriodicTask(
        name="report",
        interval_s=settings.report_interval_s,
        function=report,
        initial_delay_s=0,
        retry_s=REPORT_RETRY_S,
    )


class Group:
    """Services of one process on one bus, as the launcher runs them."""

    def __init__(self, bus: Bus, services: Sequence[Service]) -> None:
        self._bus = bus
        self._services = services

    def start(self) -> None:
        """Begin all of them, one after the other."""
        for service in self._services:
            service.start()

    def stop(self) -> bool:
        """End all of them at once, then the bus; tell whether all work ended."""
        results: list[bool] = []
        threads = [
            concurrency.spawn(lambda one=service: results.append(one.stop()), name="stop")
            for service in self._services
        ]
        for thread in threads:
            thread.join()
        self._bus.close()
        return len(results) == len(threads) and all(results)
