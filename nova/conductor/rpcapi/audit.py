"""Conductor interface: what the usage audits found."""

import datetime

from nova.context import RequestContext
from nova.objects.audit import UsageAudit
from nova.rpc.interface import Interface, call


class ConductorAudit(Interface):
    """What the usage audits found."""

    topic = "conductor"
    namespace = "audit"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, before: datetime.datetime | None = None) -> UsageAudit:
        """Return the audit of the last period that ended before a time, None for now."""
