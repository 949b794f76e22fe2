"""The usage audit: each host once per period, whoever does it."""

import datetime

import pytest

from nova import clock
from nova.conductor.notify.notifier import Notifier
from nova.conductor.rpcapi.audit import ConductorAudit
from nova.conductor.settings import ConductorSettings
from nova.conductor.usage_audit import UsageAuditor
from nova.context import get_admin_context
from nova.objects.audit import UsageAudit
from nova.rpc.local import LocalBus
from nova.rpc.notification import Notification
from tests.fixtures.conductor import ANYBODY, Site, make_site
from tests.fixtures.time import FrozenClock

SETTINGS = ConductorSettings(usage_audit=True, usage_audit_period="hour")
HOUR = 3600


class ListeningBus:
    """A bus that remembers notifications."""

    notifies = True

    def __init__(self, bus: LocalBus) -> None:
        self._bus = bus
        self.told: list[Notification] = []

    def notify(self, notification: Notification) -> None:
        self.told.append(notification)


@pytest.fixture
def site(frozen_clock: FrozenClock) -> Site:
    return make_site(settings=SETTINGS)


def _auditor(site: Site, bus: ListeningBus | None = None) -> UsageAuditor:
    notifier = Notifier(bus or site.conductor.bus, site.conductor.db, SETTINGS.notifications)  # type: ignore[arg-type]
    return UsageAuditor(site.conductor.db, SETTINGS, notifier)


def _audit(site: Site, before: datetime.datetime | None = None) -> UsageAudit:
    return site.conductor.bus.client(ConductorAudit).anyone().get(get_admin_context(), before)


def test_nothing_is_known_before_the_first_audit(site: Site) -> None:
    found = _audit(site)
    assert found.hosts == ("host1", "host2")
    assert found.entries == ()
    assert found.period.ending - found.period.beginning == datetime.timedelta(hours=1)


def test_each_host_is_audited_once_per_period(site: Site, frozen_clock: FrozenClock) -> None:
    site.conductor.boot(site.compute)
    frozen_clock.advance(HOUR)
    auditor = _auditor(site)
    assert auditor.run(clock.utcnow()) == ("host1", "host2")
    assert auditor.run(clock.utcnow()) == ()
    first, second = _audit(site).entries
    assert (first.host, first.state, first.instances, first.errors) == ("host1", "DONE", 1, 0)
    assert (second.host, second.instances) == ("host2", 0)
    frozen_clock.advance(HOUR)
    assert auditor.run(clock.utcnow()) == ("host1", "host2")


def test_a_slower_conductor_leaves_the_host_alone(site: Site, frozen_clock: FrozenClock) -> None:
    frozen_clock.advance(HOUR)
    audit = _audit(site)
    assert _auditor(site).run(clock.utcnow()) == ("host1", "host2")
    late = _auditor(site)
    assert [late._audit(host, audit.period, clock.utcnow()) for host in audit.hosts] == [False] * 2
    assert len(_audit(site).entries) == 2


def test_deleted_servers_count_and_later_ones_do_not(site: Site, frozen_clock: FrozenClock) -> None:
    gone = site.conductor.boot(site.compute)
    frozen_clock.advance(HOUR)
    start = clock.utcnow()
    context = get_admin_context()
    site.conductor.instances.begin_action(context, ANYBODY, gone.uuid, "delete")
    site.conductor.bus.run_until_idle()
    site.conductor.boot(site.compute)
    _auditor(site).run(start)
    (first, _second) = _audit(site, start).entries
    assert first.instances == 1


def test_exists_is_told_of_each_server(site: Site, frozen_clock: FrozenClock) -> None:
    server = site.conductor.boot(site.compute)
    frozen_clock.advance(HOUR)
    bus = ListeningBus(site.conductor.bus)
    _auditor(site, bus).run(clock.utcnow())
    (told,) = bus.told
    assert told.event_type == "compute.instance.exists"
    assert told.payload["instance_id"] == server.uuid
    period = _audit(site).period
    assert told.payload["audit_period_ending"] == str(period.ending)
