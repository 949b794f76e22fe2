"""The usage audit: once per host and period, which servers the host ran.

Any conductor may do it; the unique key of the log lets one of them have done it.
"""

import datetime
import logging

from nova import clock
from nova.conductor import audit_period
from nova.conductor.liveness import COMPUTE_BINARY
from nova.conductor.notify import unversioned
from nova.conductor.notify.notifier import Event, Notifier
from nova.conductor.rpcapi.audit import ConductorAudit
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext, get_admin_context
from nova.db import archive, instances, services, task_log
from nova.db.duplicates import refused_as
from nova.db.engine import Database, retried
from nova.exception import Conflict
from nova.objects.audit import AuditEntry, Period, UsageAudit

LOG = logging.getLogger(__name__)

TASK = "instance_usage_audit"
DONE = "DONE"
INTERVAL_S = 60.0


class AuditEndpoint(ConductorAudit):
    """Tells what the audits of the past found."""

    def __init__(self, db: Database, settings: ConductorSettings) -> None:
        self.db = db
        self.settings = settings

    @retried
    def get(self, context: RequestContext, before: datetime.datetime | None = None) -> UsageAudit:
        """Return the audit of the last period that ended before a time."""
        period = audit_period.last_complete(
            self.settings.usage_audit_period, before or clock.utcnow()
        )
        with self.db.reading() as tx:
            hosts = [service.host for service in services.list_all(tx, binary=COMPUTE_BINARY)]
            entries = task_log.list_entries(tx, TASK, period)
        return UsageAudit(period=period, hosts=tuple(hosts), entries=tuple(entries))


class UsageAuditor:
    """Counts and tells of the servers of each host, after the end of a period."""

    def __init__(self, db: Database, settings: ConductorSettings, notifier: Notifier) -> None:
        self.settings = settings
        self._audits = AuditEndpoint(db, settings)
        self.db = db
        self._notifier = notifier

    def run(self, now: datetime.datetime) -> tuple[str, ...]:
        """Audit hosts that are not in the log of the last period; return those done here."""
        audit = self._audits.get(get_admin_context(), now)
        known = {entry.host for entry in audit.entries}
        return tuple(
            host
            for host in audit.hosts
            if host not in known and self._audit(host, audit.period, now)
        )

    def _audit(self, host: str, period: Period, now: datetime.datetime) -> bool:
        """Audit a host; False when another conductor was quicker."""
        try:
            uuids = self._log(host, period, now)
        except Conflict:
            return False
        LOG.info("Instance usage audit ran for host %s, %d instances", host, len(uuids))
        if self._notifier.active:
            self._tell(uuids, period)
        return True

    @retried
    def _log(self, host: str, period: Period, now: datetime.datetime) -> list[str]:
        done = Conflict(reason=f"Host {host} is audited already.")
        with self.db.transaction() as tx, refused_as(done):
            uuids = task_log.servers_of(tx, host, period)
            message = f"Instance usage audit ran for host {host}, {len(uuids)} instances."
            entry = AuditEntry(
                host=host, state=DONE, instances=len(uuids), errors=0, message=message
            )
            task_log.create(tx, TASK, period, entry, now)
        return uuids

    def _tell(self, uuids: list[str], period: Period) -> None:
        with self.db.reading() as tx:
            found = instances.list_by_uuids(tx, uuids)
            live = {instance.uuid for instance in found}
            gone = (archive.find(tx, uuid) for uuid in uuids if uuid not in live)
            found += [instance for instance in gone if instance is not None]
        for instance in found:
            event = Event(
                publisher_id=f"compute.{instance.host}",
                unversioned_type="compute.instance.exists",
                unversioned=unversioned.exists(instance, period.beginning, period.ending),
            )
            self._notifier.tell(get_admin_context(), event)
