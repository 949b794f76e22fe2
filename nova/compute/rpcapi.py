"""What nova-compute does for the conductor (operations) and the API (live reads)."""

from nova.context import RequestContext
from nova.objects.console import ConsoleConnection, ConsoleType
from nova.objects.diagnostics import Diagnostics
from nova.objects.instance import Instance
from nova.objects.operation import Work
from nova.objects.path import GuestPath
from nova.rpc.interface import Interface, call, cast


class ComputeAPI(Interface):
    """Operations on the servers of one host, and what can be read there only."""

    topic = "compute"
    version = "2.3"

    @cast(since="2.0")
    def run_operation(self, context: RequestContext, work: Work) -> None:
        """Carry an operation out; its action is a key of lifecycle.ACTIONS.

        The operation is already stored.  The host does the work once for each operation id,
        because messages may be lost, doubled or late.
        """

    @cast(since="2.0")
    def pull_operations(self, context: RequestContext) -> None:
        """Ask the conductor for unfinished operations of this host and take them up."""

    @cast(since="2.0")
    def cache_images(self, context: RequestContext, image_ids: tuple[str, ...]) -> None:
        """Fetch images into the cache of this host, so that builds from them start at once."""

    @cast(since="2.1")
    def discard_image(self, context: RequestContext, image_id: str) -> None:
        """Delete an image that nobody fills any more; any host can, with its own credentials."""

    @cast(since="2.2")
    def refresh_firewall(self, context: RequestContext) -> None:
        """Read what the host must let through, and apply it; many requests become one."""

    @call(since="2.0", timeout_s=10, retry_safe=True)
    def get_console_output(
        self, context: RequestContext, instance: Instance, tail_lines: int | None = None
    ) -> str:
        """Return the newest serial console lines, oldest first.

        At most the last 100 KiB; invalid bytes are replaced and control characters removed.
        Raises: ConsoleNotAvailable.
        """

    @call(since="2.0", timeout_s=10, retry_safe=True)
    def get_diagnostics(self, context: RequestContext, instance: Instance) -> Diagnostics:
        """Return counters of a running guest.

        Raises: InstanceInvalidState, GuestNotFound, ActionNotSupported.
        """

    @call(since="2.0", timeout_s=10, retry_safe=True)
    def get_host_uptime(self, context: RequestContext) -> str:
        """Return what the host says of its uptime.  Raises: ActionNotSupported."""

    @call(since="2.2", timeout_s=10, retry_safe=True)
    def describe_path(self, context: RequestContext, instance: Instance) -> GuestPath:
        """Return what this host has on the way of a server's packets; changes nothing.

        Raises: DriverError.
        """

    @call(since="2.3", timeout_s=10, retry_safe=True)
    def get_console(
        self, context: RequestContext, instance: Instance, console_type: ConsoleType
    ) -> ConsoleConnection:
        """Return where the console of a running guest listens.

        Raises: ConsoleTypeUnavailable, GuestNotFound, GuestNotRunning, ActionNotSupported.
        """

    @call(since="2.3", timeout_s=4, retry_safe=True)
    def validate_console_port(
        self, context: RequestContext, instance: Instance, port: int, console_type: ConsoleType
    ) -> bool:
        """Tell whether a port is that of the guest's console now."""
