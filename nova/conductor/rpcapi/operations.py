"""Conductor interface: operations: what compute hosts ask for and report."""

from nova.context import RequestContext
from nova.objects.instance import (
    Instance,
)
from nova.objects.operation import (
    ActionResult,
    Progress,
    Work,
)
from nova.rpc.interface import Interface, call, cast


class ConductorOperations(Interface):
    """Operations: what compute hosts ask for and report."""

    topic = "conductor"
    namespace = "operations"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def start(self, context: RequestContext, progress: Progress) -> None:
        """Mark an operation as running on a host, and set its task state.

        Safe to repeat by the same host.  Raises: InstanceActionStale, NotOwner.
        """

    @cast(since="1.0")
    def progress(self, context: RequestContext, progress: Progress) -> None:
        """Set the task state of a running operation and push back its deadline."""

    @call(since="1.0", retry_safe=True)
    def finish(self, context: RequestContext, result: ActionResult) -> None:
        """Save how an operation ended; a build may be sent to another host.

        Raises: InstanceActionStale, NotOwner.
        """

    @call(since="1.0", retry_safe=True)
    def unfinished(self, context: RequestContext, host: str) -> tuple[Work, ...]:
        """Return the operations that a host owns and has not finished, oldest first."""

    @call(since="1.0", retry_safe=True)
    def instances_on_host(self, context: RequestContext, host: str) -> tuple[Instance, ...]:
        """Return the servers that are placed on a host."""

    @call(since="1.0", retry_safe=True)
    def deleted_on_host(
        self, context: RequestContext, host: str, instance_uuids: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Return which of these are known to have left this host, by deletion too."""
