"""What the scheduler does for the conductor."""

from nova.context import RequestContext
from nova.objects.request_spec import PlacementReport, RequestSpec
from nova.rpc.interface import Interface, call


class SchedulerAPI(Interface):
    """Choosing hosts."""

    topic = "scheduler"
    version = "1.0"

    @call(since="1.0", timeout_s=30, retry_safe=True)
    def select_destinations(self, context: RequestContext, spec: RequestSpec) -> PlacementReport:
        """Choose a host and alternates for each server of a request.

        A request that fits nowhere is answered with empty destinations, not with an error:
        the report says why.
        """
