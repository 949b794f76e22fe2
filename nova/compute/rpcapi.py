"""What nova-compute does for the conductor (operations) and the API (live reads)."""

from nova.context import RequestContext
from nova.objects.instance import Instance
from nova.objects.operation import Work
from nova.rpc.interface import Interface, call, cast


class ComputeAPI(Interface):
    """Operations on the servers of one host.

    Each cast carries an operation that is already stored; handlers are idempotent by its
    id, because messages may be lost, doubled or late.
    """

    topic = "compute"
    version = "1.0"

    @cast(since="1.0")
    def build_instance(self, context: RequestContext, work: Work) -> None:
        """Build a server whose resources and addresses have been claimed for this host."""

    @cast(since="1.0")
    def terminate_instance(self, context: RequestContext, work: Work) -> None:
        """Remove a server's guest, disks and network set-up; a missing guest is fine."""

    @cast(since="1.0")
    def start_instance(self, context: RequestContext, work: Work) -> None:
        """Power a server on."""

    @cast(since="1.0")
    def stop_instance(self, context: RequestContext, work: Work) -> None:
        """Shut a server down, by force after the shutdown timeout."""

    @cast(since="1.0")
    def reboot_instance(self, context: RequestContext, work: Work) -> None:
        """Reboot a server, softly or hard as the operation's action says."""

    @cast(since="1.0")
    def pull_operations(self, context: RequestContext) -> None:
        """Ask the conductor for unfinished operations of this host and take them up."""

    @call(since="1.0", timeout_s=10, retry_safe=True)
    def get_console_output(
        self, context: RequestContext, instance: Instance, tail_lines: int | None = None
    ) -> str:
        """Return the newest serial console lines, oldest first.

        At most the last 100 KiB; invalid bytes are replaced and control characters removed.
        Raises: ConsoleNotAvailable.
        """
