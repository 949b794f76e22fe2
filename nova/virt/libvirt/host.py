"""The connection to libvirt: with guest_calls the only place that calls the library.

Each public method is one unit of blocking calls; it runs as a whole on a native thread,
so that daemons on green threads are never held up.  libvirt's event loop has a native
thread of its own; what it sees goes into a mailbox.  Native threads must not log: the log
may belong to green threads.
"""

import collections
import contextlib
import dataclasses
import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import libvirt

from nova import concurrency, exception
from nova.objects.lifecycle import PowerState
from nova.virt.driver import GuestEvent
from nova.virt.libvirt import capabilities
from nova.virt.libvirt.capabilities import HostCapabilities
from nova.virt.libvirt.consoles import serial_port_of
from nova.virt.libvirt.guest_calls import GuestCalls

LOG = logging.getLogger(__name__)

# What the names of all guests of servers begin with.
SERVER_PREFIX = "instance-"

T = TypeVar("T")

_PC_ARCHITECTURES = frozenset({"x86_64", "i686"})
_KEEPALIVE_INTERVAL_S = 5
_KEEPALIVE_COUNT = 3

_POWER_STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: PowerState.NOSTATE,
    libvirt.VIR_DOMAIN_RUNNING: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: PowerState.PAUSED,
    # libvirt has no ACPI state "shutting down" that lasts: the guest still runs.
    libvirt.VIR_DOMAIN_SHUTDOWN: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_SHUTOFF: PowerState.SHUTDOWN,
    libvirt.VIR_DOMAIN_CRASHED: PowerState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: PowerState.SUSPENDED,
}
_EVENT_STATES = {
    libvirt.VIR_DOMAIN_EVENT_STARTED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_EVENT_RESUMED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: PowerState.PAUSED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED: PowerState.SHUTDOWN,
    libvirt.VIR_DOMAIN_EVENT_CRASHED: PowerState.CRASHED,
    libvirt.VIR_DOMAIN_EVENT_PMSUSPENDED: PowerState.SUSPENDED,
}
_LOST = frozenset(
    {
        libvirt.VIR_ERR_NO_CONNECT,
        libvirt.VIR_ERR_INVALID_CONN,
        libvirt.VIR_ERR_AUTH_FAILED,
        libvirt.VIR_ERR_AUTH_CANCELLED,
        libvirt.VIR_ERR_AUTH_UNAVAILABLE,
    }
)
_LOST_DOMAINS = frozenset({libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The host as libvirt knows it; version is major*1000000 + minor*1000 + micro."""

    hostname: str
    hypervisor_type: str
    hypervisor_version: int
    cpus: int
    memory_mb: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestFacts:
    """A guest as libvirt knows it.

    shut_down tells, of a guest that is off, whether it ended by its own will.
    """

    uuid: str
    name: str
    power_state: PowerState
    shut_down: bool = False


class Host(GuestCalls):
    """One libvirt daemon.

    with_events: collect lifecycle events.
    The connection is opened at the first use and again after it was lost; it is replaced
    by assignment only, which needs no lock.
    """

    def __init__(self, uri: str, with_events: bool = True) -> None:
        self.events: concurrency.Mailbox[GuestEvent | None] = concurrency.Mailbox()
        self._uri = uri
        self._with_events = with_events
        self._connection: Any = None
        self._reboots: collections.Counter[str] = collections.Counter()

    # --- Connection -------------------------------------------------------------------------

    def connect(self) -> None:
        """Open the connection and begin to collect events.

        Raises: HypervisorUnavailable.
        """
        libvirt.registerErrorHandler(_ignore_error, None)
        if self._with_events:
            _start_event_loop()
        self._do("open the connection", lambda connection: connection.getLibVersion())

    def close(self) -> None:
        """Close the connection and end the events with None; guests keep running."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(libvirt.libvirtError):
                concurrency.run_native(connection.close)
        self.events.put(None)

    def count_reboots(self, instance_uuid: str) -> int:
        """Return how often a guest has been seen to reboot."""
        return self._reboots[instance_uuid]

    # --- The host ---------------------------------------------------------------------------

    def facts(self) -> HostFacts:
        """Return name, version and size of the host."""

        def work(connection: Any) -> HostFacts:
            info = connection.getInfo()
            return HostFacts(
                hostname=connection.getHostname(),
                hypervisor_type=connection.getType(),
                hypervisor_version=connection.getVersion(),
                cpus=info[2],
                memory_mb=info[1],
            )

        return self._do("describe the host", work)

    def capabilities(self) -> HostCapabilities:
        """Return what guests the host can run."""
        text = self._do("list the capabilities", lambda connection: connection.getCapabilities())
        return capabilities.parse(text)

    def domain_capabilities(self, architecture: str, virt_type: str) -> str:
        """Return the document on what guests of a kind can have, on the newest machine type."""
        machine = "q35" if architecture in _PC_ARCHITECTURES else None
        return self._do(
            "list what guests can have",
            lambda connection: connection.getDomainCapabilities(
                None, architecture, machine, virt_type
            ),
        )

    # --- Guests -----------------------------------------------------------------------------

    def list_guests(self, prefix: str = SERVER_PREFIX) -> list[GuestFacts]:
        """Return the guests whose names begin so; others on the host are left alone."""

        def work(connection: Any) -> list[GuestFacts]:
            found = []
            for domain in connection.listAllDomains():
                with _vanished_is_fine():
                    if domain.name().startswith(prefix):
                        found.append(_facts(domain))
            return found

        return self._do("list the guests", work)

    def serial_ports(self) -> set[int]:
        """Return the ports of serial consoles of all guests that run or are saved."""

        def work(connection: Any) -> set[int]:
            found = set()
            for domain in connection.listAllDomains():
                with _vanished_is_fine():
                    if domain.isActive() or domain.hasManagedSaveImage():
                        found.add(serial_port_of(domain.XMLDesc()))
            return {port for port in found if port is not None}

        return self._do("read the ports of serial consoles", work)

    def find_guest(self, instance_uuid: str) -> GuestFacts | None:
        """Return a guest, None if there is none."""

        def work(connection: Any) -> GuestFacts | None:
            with _vanished_is_fine():
                return _facts(connection.lookupByUUIDString(instance_uuid))
            return None

        return self._do("look for the guest", work)

    def define(self, xml: str) -> None:
        """Store the definition of a guest, in place of an earlier one."""
        self._do("define the guest", lambda connection: connection.defineXML(xml))

    def start(self, instance_uuid: str) -> None:
        """Start a guest; a running one is left alone.  Raises: GuestNotFound, DriverError."""

        def work(domain: Any) -> None:
            if not domain.isActive():
                domain.create()

        self.with_guest("start the guest", instance_uuid, work)

    def kill(self, instance_uuid: str) -> None:
        """Cut the power; a guest that is off or missing is fine."""

        def work(connection: Any) -> None:
            with _vanished_is_fine():
                domain = connection.lookupByUUIDString(instance_uuid)
                if domain.isActive():
                    with _already_off_is_fine(domain):
                        domain.destroy()

        self._do("stop the guest", work)

    def undefine(self, instance_uuid: str) -> None:
        """Forget a guest that is off, with its saved memory; a missing one is fine."""
        wanted = (
            libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
            | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
            | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        )

        def work(connection: Any) -> None:
            with _vanished_is_fine():
                domain = connection.lookupByUUIDString(instance_uuid)
                try:
                    domain.undefineFlags(wanted)
                except libvirt.libvirtError as error:
                    if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
                        raise
                    # Drivers without firmware variables refuse that flag as unknown.
                    domain.undefineFlags(wanted & ~libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)

        self._do("undefine the guest", work)
        self._reboots.pop(instance_uuid, None)

    def ask_shutdown(self, instance_uuid: str) -> None:
        """Press the power button.  Raises: GuestNotFound, DriverError."""
        self.with_guest("shut the guest down", instance_uuid, lambda domain: domain.shutdown())

    def ask_reboot(self, instance_uuid: str) -> None:
        """Ask the guest to reboot, by its agent or ACPI.  Raises: GuestNotFound, DriverError."""
        self.with_guest("reboot the guest", instance_uuid, lambda domain: domain.reboot())

    # --- Packet filters ---------------------------------------------------------------------

    def define_filter(self, name: str, render: Callable[[str | None], str]) -> None:
        """Define a packet filter, keeping the uuid of an earlier one of its name.

        render gets that uuid, or None.
        """

        def work(connection: Any) -> None:
            uuid = None
            with _vanished_is_fine():
                uuid = connection.nwfilterLookupByName(name).UUIDString()
            connection.nwfilterDefineXML(render(uuid))

        self._do("define the packet filter", work)

    def undefine_filter(self, name: str) -> None:
        """Remove a packet filter; a missing one is fine.  Raises: DriverError while in use."""

        def work(connection: Any) -> None:
            with _vanished_is_fine():
                connection.nwfilterLookupByName(name).undefine()

        self._do("remove the packet filter", work)

    def list_filters(self) -> list[str]:
        """Return the names of all packet filters."""
        return self._do("list the packet filters", lambda connection: connection.listNWFilters())

    # --- Inside -----------------------------------------------------------------------------

    def with_guest(self, operation: str, instance_uuid: str, work: Callable[[Any], T]) -> T:
        """Carry out work on a guest.  Raises: GuestNotFound, DriverError."""

        def found(connection: Any) -> T:
            try:
                return work(connection.lookupByUUIDString(instance_uuid))
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    raise exception.GuestNotFound(instance_uuid=instance_uuid) from None
                raise

        return self._do(operation, found)

    def _do(self, operation: str, work: Callable[[Any], T]) -> T:
        """Carry out work on a native thread and turn libvirt's errors into ours."""

        before = self._connection
        try:
            result: T = concurrency.run_native(lambda: work(self._open()))
        except libvirt.libvirtError as error:
            code, domain = error.get_error_code(), error.get_error_domain()
            LOG.warning("libvirt could not %s: %s (code %s)", operation, error, code)
            if code in _LOST or domain in _LOST_DOMAINS:
                self._connection = None
                reason = "the connection to libvirt is lost."
                raise exception.HypervisorUnavailable(reason=reason) from error
            reason = f"libvirt error {code}."
            raise exception.DriverError(operation=operation, reason=reason) from error
        if self._connection is not before:
            LOG.info("Connected to libvirt at %s", self._uri)
        return result

    def _open(self) -> Any:
        """Return a living connection.  Runs on a native thread."""
        connection = self._connection
        if connection is None or not connection.isAlive():
            try:
                connection = libvirt.open(self._uri)
            except libvirt.libvirtError as error:
                raise exception.HypervisorUnavailable(reason=str(error)) from None
            if self._with_events:
                self._watch(connection)
            self._connection = connection
        return connection

    def _watch(self, connection: Any) -> None:
        with contextlib.suppress(libvirt.libvirtError):
            # Local drivers have no wire to keep alive and refuse.
            connection.setKeepAlive(_KEEPALIVE_INTERVAL_S, _KEEPALIVE_COUNT)
        lifecycle, reboot = (
            libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
            libvirt.VIR_DOMAIN_EVENT_ID_REBOOT,
        )
        connection.domainEventRegisterAny(None, lifecycle, self._on_lifecycle, None)
        connection.domainEventRegisterAny(None, reboot, self._on_reboot, None)

    def _on_lifecycle(
        self, _connection: Any, domain: Any, event: int, _detail: int, _opaque: Any
    ) -> None:
        state = _EVENT_STATES.get(event)
        if state is not None and domain.name().startswith(SERVER_PREFIX):
            self.events.put(GuestEvent(instance_uuid=domain.UUIDString(), power_state=state))

    def _on_reboot(self, _connection: Any, domain: Any, _opaque: Any) -> None:
        self._reboots[domain.UUIDString()] += 1


@functools.cache
def _start_event_loop() -> None:
    """Serve libvirt's events on a native thread; the library has one loop per process."""
    libvirt.virEventRegisterDefaultImpl()
    concurrency.spawn_native(_run_event_loop, "libvirt-events")


def _run_event_loop() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def _ignore_error(_opaque: object, _error: object) -> None:
    """Keep the library from writing errors to the terminal; they are raised as well."""


def _facts(domain: Any) -> GuestFacts:
    state, reason = domain.state()
    return GuestFacts(
        uuid=domain.UUIDString(),
        name=domain.name(),
        power_state=_POWER_STATES.get(state, PowerState.NOSTATE),
        shut_down=(state, reason)
        == (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN),
    )


@contextlib.contextmanager
def _vanished_is_fine() -> Iterator[None]:
    """Leave the block without error when what it looks for does not exist."""
    try:
        yield
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (
            libvirt.VIR_ERR_NO_DOMAIN,
            libvirt.VIR_ERR_NO_NWFILTER,
        ):
            raise


@contextlib.contextmanager
def _already_off_is_fine(domain: Any) -> Iterator[None]:
    try:
        yield
    except libvirt.libvirtError:
        if domain.isActive():
            raise
