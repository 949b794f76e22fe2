"""Conductor interface: quotas, limits and usage."""

from nova.context import RequestContext
from nova.objects.quota import NetworkingQuota, QuotaSet, ServerUsage, UsageQuery
from nova.rpc.interface import Interface, call


class ConductorQuotas(Interface):
    """Quotas, limits and usage."""

    topic = "conductor"
    namespace = "quotas"
    version = "1.1"

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, project_id: str, user_id: str | None = None) -> QuotaSet:
        """Return limits and usage of a project, or of a user within it."""

    @call(since="1.0", retry_safe=True)
    def get_defaults(self, context: RequestContext, class_name: str = "default") -> QuotaSet:
        """Return the default limits (class row over option)."""

    @call(since="1.1", retry_safe=True)
    def get_networking(
        self, context: RequestContext, project_id: str | None = None
    ) -> NetworkingQuota:
        """Return limits and usage of a project with its own networks; None: the defaults."""

    @call(since="1.0")
    def update(
        self,
        context: RequestContext,
        project_id: str,
        limits: dict[str, int],
        user_id: str | None = None,
        force: bool = False,
    ) -> QuotaSet:
        """Set limits.  Raises: QuotaResourceUnknown, QuotaLimitOutOfRange."""

    @call(since="1.0")
    def update_defaults(
        self, context: RequestContext, limits: dict[str, int], class_name: str = "default"
    ) -> QuotaSet:
        """Set the default limits.  Raises: QuotaResourceUnknown, QuotaLimitOutOfRange."""

    @call(since="1.0")
    def delete(self, context: RequestContext, project_id: str, user_id: str | None = None) -> None:
        """Go back to the default limits."""

    @call(since="1.0", retry_safe=True)
    def usage(self, context: RequestContext, query: UsageQuery) -> tuple[ServerUsage, ...]:
        """Return what servers used in a period, by project and server uuid."""
