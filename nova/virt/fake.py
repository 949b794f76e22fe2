"""A hypervisor in memory, with failure injection; for tests, benchmarks and trials.

Source: virt-driver (operations, other drivers).
"""

import collections
import dataclasses
import itertools
import json
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from nova import concurrency, exception
from nova.objects import traits
from nova.objects.console import ConsoleConnection, ConsoleType
from nova.objects.firewall import HostFirewall
from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState
from nova.objects.numa import HostNuma
from nova.objects.path import GuestPath, Link
from nova.objects.service import NodeResources
from nova.virt.driver import EventSink, GuestEvent
from nova.virt.fake_lifecycle import ON, FakeGuest, FakeLifecycle

T = TypeVar("T")

CONSOLE_BYTES = 100 * 1024
FIRST_PORTS: dict[ConsoleType, int] = {
    ConsoleType.NOVNC: 5900,
    ConsoleType.XVPVNC: 5900,
    ConsoleType.SPICE_HTML5: 6900,
    ConsoleType.SPICE_DIRECT: 6900,
    ConsoleType.RDP_HTML5: 3389,
    ConsoleType.SERIAL: 10000,
    ConsoleType.WEBMKS: 9020,
}
_SPICE_TLS_OFFSET = 1000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FakeSize:
    """What a fake host has; traits: what it says that it can do."""

    vcpus: int = 1000
    memory_mb: int = 800000
    local_gb: int = 600000
    numa: HostNuma | None = None
    traits: tuple[str, ...] = (traits.UEFI, traits.SECURE_BOOT, *traits.TPM.values())


class FakeDriver(FakeLifecycle):
    """Guests of one host in a dictionary; one lock guards it.

    calls: the last operations that can be made to fail, as (operation, instance uuid).
    delays_s: seconds that an operation takes, by name; sleep does the waiting.
    """

    def __init__(
        self,
        size: FakeSize | None = None,
        delays_s: Mapping[str, float] | None = None,
        sleep: Callable[[float], object] = concurrency.sleep,
    ) -> None:
        self.guests: dict[str, FakeGuest] = {}
        self.cached_images: set[str] = set()
        self.firewall = HostFirewall()
        self._snapshots: dict[str, str] = {}
        self.calls: collections.deque[tuple[str, str]] = collections.deque(maxlen=1000)
        self._size = size or FakeSize()
        self._delays_s = dict(delays_s or {})
        self._sleep = sleep
        self._lock = threading.RLock()
        self._failures: dict[str, collections.deque[BaseException]] = {}
        self._hooks: dict[str, collections.deque[Callable[[], object]]] = {}
        self._host = ""
        self._sink: EventSink | None = None

    # --- Failure injection

    def fail_next(self, operation: str, error: BaseException, count: int = 1) -> None:
        """Let the next calls of an operation fail halfway."""
        queue = self._failures.setdefault(operation, collections.deque())
        queue.extend([error] * count)

    def during_next(self, operation: str, hook: Callable[[], object]) -> None:
        """Run a function in the middle of the next call of an operation."""
        self._hooks.setdefault(operation, collections.deque()).append(hook)

    def forget_failures(self) -> None:
        """Drop what was injected and has not happened yet."""
        with self._lock:
            self._failures.clear()
            self._hooks.clear()

    def emit(self, instance_uuid: str, power_state: PowerState) -> None:
        """Let a guest change its power state by itself, and tell the sink."""
        with self._lock:
            self.guests[instance_uuid].power_state = power_state
        if self._sink is not None:
            self._sink(GuestEvent(instance_uuid=instance_uuid, power_state=power_state))

    def _disturb(self, operation: str, instance_uuid: str) -> None:
        """Note an operation and do what was injected."""
        self.calls.append((operation, instance_uuid))
        self._do_injected(operation)

    def _do_injected(self, operation: str) -> None:
        """Do what was injected: delay, hook, failure, in this order."""
        delay_s = self._delays_s.get(operation)
        if delay_s:
            self._sleep(delay_s)
        hook = self._next(self._hooks, operation)
        if hook is not None:
            hook()
        error = self._next(self._failures, operation)
        if error is not None:
            raise error

    def _next(self, queues: dict[str, collections.deque[T]], operation: str) -> T | None:
        with self._lock:
            queue = queues.get(operation)
            return queue.popleft() if queue else None

    # --- Host

    def init_host(self, host: str, sink: EventSink) -> None:
        """Take the host's name and the sink of events."""
        self._disturb("init_host", "")
        self._host = host
        self._sink = sink

    def cleanup_host(self) -> None:
        """Forget the sink; guests stay."""
        self._sink = None

    def get_resources(self) -> NodeResources:
        """Return the size of the host; free disk is what guests leave."""
        self._disturb("get_resources", "")
        with self._lock:
            used_gb = sum(guest.root_gb for guest in self.guests.values())
        return NodeResources(
            hypervisor_hostname=self._host,
            hypervisor_type="fake",
            hypervisor_version=1000000,
            vcpus=self._size.vcpus,
            memory_mb=self._size.memory_mb,
            local_gb=self._size.local_gb,
            free_disk_gb=max(0, self._size.local_gb - used_gb),
            cpu_info=json.dumps({"arch": "x86_64", "model": "fake", "features": ["fake"]}),
            supported_instances=(("x86_64", "fake", "hvm"),),
            traits=self._size.traits,
            numa_topology=self._size.numa,
        )

    def list_guests(self) -> dict[str, PowerState]:
        """Return the power state of every guest."""
        with self._lock:
            return {
                uuid: guest.power_state
                for uuid, guest in self.guests.items()
                if guest.power_state is not PowerState.NOSTATE
            }

    def describe_path(self, instance: Instance) -> GuestPath:
        """Return bridges and the taps of a guest that is on; there is no packet filter."""
        self._disturb("describe_path", instance.uuid)
        power_state = self.get_power_state(instance)
        bridges = {vif.network.bridge for vif in instance.vifs if vif.network.bridge}
        links = [Link(name=name, kind="bridge", up=True) for name in sorted(bridges)]
        if power_state in ON:
            links += [
                Link(name=vif.devname, kind="tun", up=True, bridge=vif.network.bridge)
                for vif in self._guest(instance).interfaces.values()
            ]
        return GuestPath(host=self._host, power_state=power_state, links=tuple(links))

    # --- Spawn

    def spawn(self, detail: InstanceDetail, config_drive: dict[str, bytes] | None) -> None:
        """Make files, then a running guest; what was injected happens in between."""
        instance = detail.instance
        guest = FakeGuest(
            name=instance.name,
            memory_mb=instance.flavor.memory_mb,
            root_gb=instance.flavor.disk_gb,
            config_drive=config_drive,
            image_id=instance.image_ref,
            interfaces={vif.address: vif for vif in instance.vifs},
        )
        with self._lock:
            self.guests[instance.uuid] = guest
        self._disturb("spawn", instance.uuid)
        self._boot(guest)

    def destroy(self, instance: Instance, *, destroy_disks: bool = True) -> None:
        """Remove the guest, and its files unless destroy_disks is False."""
        self._disturb("destroy", instance.uuid)
        self._remove(instance.uuid, destroy_disks)

    def destroy_leftover(self, instance_uuid: str) -> None:
        """Remove what is left of a server of which only the uuid is known."""
        self._disturb("destroy_leftover", instance_uuid)
        self._remove(instance_uuid, destroy_disks=True)

    def list_files(self) -> set[str]:
        """Return the uuids of guests and of files without guests."""
        with self._lock:
            return set(self.guests)

    def _remove(self, instance_uuid: str, destroy_disks: bool) -> None:
        with self._lock:
            if destroy_disks:
                self._delete_snapshot(instance_uuid)
                self.guests.pop(instance_uuid, None)
            elif instance_uuid in self.guests:
                self.guests[instance_uuid].power_state = PowerState.NOSTATE

    # --- Power

    def power_on(self, instance: Instance) -> None:
        """Start the guest unless it runs.  Raises: GuestNotFound."""
        guest = self._guest(instance)
        self._disturb("power_on", instance.uuid)
        if guest.power_state not in ON:
            self._boot(guest)

    def power_off(self, instance: Instance, timeout_s: int, retry_interval_s: int) -> None:
        """Stop the guest; one that does not obey is given timeout_s.  Raises: GuestNotFound."""
        guest = self._guest(instance)
        self._disturb("power_off", instance.uuid)
        if guest.power_state in ON and not guest.obeys_acpi:
            self._sleep(timeout_s)
        guest.power_state = PowerState.SHUTDOWN

    def reboot_soft(self, instance: Instance, timeout_s: int) -> bool:
        """Reboot a running guest that obeys.  Raises: GuestNotFound."""
        guest = self._guest(instance)
        self._disturb("reboot_soft", instance.uuid)
        if guest.power_state not in ON:
            return False
        if not guest.obeys_acpi:
            self._sleep(timeout_s)
            return False
        self._boot(guest)
        return True

    def reboot_hard(self, instance: Instance) -> None:
        """Start the guest anew from whatever state.  Raises: GuestNotFound."""
        guest = self._guest(instance)
        self._disturb("reboot_hard", instance.uuid)
        guest.interfaces = {vif.address: vif for vif in instance.vifs}
        self._boot(guest)

    def get_power_state(self, instance: Instance) -> PowerState:
        """Return the power state; NOSTATE when there is no guest."""
        guest = self.guests.get(instance.uuid)
        return PowerState.NOSTATE if guest is None else guest.power_state

    def _guest(self, instance: Instance) -> FakeGuest:
        guest = self.guests.get(instance.uuid)
        if guest is None:
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        return guest

    def _boot(self, guest: FakeGuest) -> None:
        guest.power_state = PowerState.RUNNING
        line = f"{guest.name}: boots with {guest.memory_mb} MB\n".encode()
        guest.console = (guest.console + line)[-CONSOLE_BYTES:]

    # --- Console

    def get_console_output(self, instance: Instance) -> bytes:
        """Return what the guest printed.  Raises: ConsoleNotAvailable."""
        self._disturb("get_console_output", instance.uuid)
        guest = self.guests.get(instance.uuid)
        if guest is None or not guest.console:
            raise exception.ConsoleNotAvailable(instance_uuid=instance.uuid)
        return guest.console

    def get_console(self, instance: Instance, console_type: ConsoleType) -> ConsoleConnection:
        """Return ports by the guest's display, the lowest that no running guest has.

        Raises: GuestNotFound, GuestNotRunning.
        """
        guest = self._guest(instance)
        self._disturb("get_console", instance.uuid)
        if guest.power_state not in ON:
            raise exception.GuestNotRunning(instance_uuid=instance.uuid)
        port = FIRST_PORTS[console_type] + self._display_of(guest)
        is_spice = console_type in (ConsoleType.SPICE_HTML5, ConsoleType.SPICE_DIRECT)
        is_rdp = console_type is ConsoleType.RDP_HTML5
        return ConsoleConnection(
            host="127.0.0.1",
            port=port,
            tls_port=port + _SPICE_TLS_OFFSET if is_spice else None,
            internal_access_path=instance.uuid if is_rdp else None,
        )

    def _display_of(self, guest: FakeGuest) -> int:
        with self._lock:
            others = [other for other in self.guests.values() if other is not guest]
            taken = {other.display for other in others if other.power_state in ON}
            if guest.display is None or guest.display in taken:
                guest.display = next(n for n in itertools.count() if n not in taken)
            return guest.display
