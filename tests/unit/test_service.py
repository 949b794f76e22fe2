"""A service on the in-process bus: order at the start, reports, the end."""

import dataclasses
import threading
import time

import pytest

from nova.context import get_admin_context
from nova.exception import MessagingTimeout
from nova.objects.service import ReportAnswer
from nova.periodic import PeriodicTask
from nova.rpc.base import BaseAPI
from nova.rpc.local import LocalBus
from nova.service import Duties, Reporting, Service, ServiceSettings, heartbeat

SETTINGS = ServiceSettings(
    binary="nova-test", topic="test", host="h1", report_interval_s=0.01, periodic_fuzzy_delay_s=0
)


class Recorder:
    def __init__(self):
        self.events = []
        self.reported = threading.Event()

    def init_host(self):
        self.events.append("init")

    def cleanup_host(self):
        self.events.append("cleanup")

    def report(self):
        self.reported.set()
        return ReportAnswer()


@pytest.fixture
def bus():
    return LocalBus()


def test_manager_is_ready_before_and_cleans_up_after(bus):
    recorder = Recorder()
    service = Service(SETTINGS, bus, [], Duties(manager=recorder, report=recorder.report))
    service.start()
    assert recorder.reported.wait(5)
    ping = bus.client(BaseAPI, "test").on("h1").ping(get_admin_context(), "x")
    assert service.stop() and ping
    assert recorder.events == ["init", "cleanup"]


def test_heartbeat_is_a_report_to_the_conductor(bus):
    with pytest.raises(MessagingTimeout):
        heartbeat(bus, SETTINGS)()
    record = bus.calls[0]
    assert (record.topic, record.namespace, record.method) == ("conductor", "hosts", "report")


@pytest.mark.logs_errors
def test_a_daemon_without_messages_reports_until_it_is_stopped(bus):
    reporting = Reporting(bus, SETTINGS)
    reporting.start()
    while not bus.calls:
        time.sleep(0.001)
    assert reporting.stop(5)
    count = len(bus.calls)
    time.sleep(0.03)
    assert len(bus.calls) == count
    assert {record.method for record in bus.calls} == {"report"}


def test_tasks_run_only_when_periodic_work_is_enabled(bus):
    ran = threading.Event()
    task = PeriodicTask(name="t", interval_s=0.01, function=ran.set, initial_delay_s=0)
    duties = Duties(report=lambda: None, tasks=(task,))
    quiet = Service(dataclasses.replace(SETTINGS, periodic_enable=False), bus, [], duties)
    quiet.start()
    quiet.stop()
    assert not ran.is_set()
    busy = Service(SETTINGS, LocalBus(), [], duties)
    busy.start()
    assert ran.wait(5)
    busy.stop()
