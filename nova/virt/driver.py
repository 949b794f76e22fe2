"""What a hypervisor driver can do, as small protocols.

A driver implements the protocols it supports; nothing else.  Arguments and results are
objects and plain values.  A driver keeps no record of instances.
"""

import dataclasses
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from nova.objects.action_request import ImageChoice
from nova.objects.console import ConsoleConnection, ConsoleType
from nova.objects.diagnostics import Diagnostics
from nova.objects.firewall import HostFirewall
from nova.objects.flavor import Flavor
from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState
from nova.objects.network import Vif
from nova.objects.path import GuestPath
from nova.objects.service import NodeResources


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestEvent:
    """A change that the hypervisor saw by itself."""

    instance_uuid: str
    power_state: PowerState


EventSink = Callable[[GuestEvent], None]


@runtime_checkable
class HostInfo(Protocol):
    """The host itself."""

    def init_host(self, host: str, sink: EventSink) -> None:
        """Connect to the hypervisor and make the host ready.

        Raises: HypervisorUnavailable.
        """
        ...

    def cleanup_host(self) -> None:
        """Let go of the hypervisor; guests keep running."""
        ...

    def get_resources(self) -> NodeResources:
        """Return what the host has."""
        ...

    def list_guests(self) -> dict[str, PowerState]:
        """Return the power state of every guest by instance uuid."""
        ...


@runtime_checkable
class Spawn(Protocol):
    """Making and removing guests."""

    def spawn(self, detail: InstanceDetail, config_drive: dict[str, bytes] | None) -> None:
        """Fetch the image, make disks, define and start the guest.

        config_drive: files by path, or None for no drive.  On return the guest runs.  On
        error the caller runs destroy.  A guest of the same uuid left over from an
        interrupted build is replaced.
        Raises: image and driver errors.
        """
        ...

    def destroy(self, instance: Instance, *, destroy_disks: bool = True) -> None:
        """Power off, undefine and delete; a guest that does not exist is fine."""
        ...

    def list_files(self) -> set[str]:
        """Return the uuids of instances whose files are on this host."""
        ...

    def destroy_leftover(self, instance_uuid: str) -> None:
        """Destroy guest and files of an instance of which nothing but the uuid is known."""
        ...


@runtime_checkable
class Power(Protocol):
    """Power actions."""

    def power_on(self, instance: Instance) -> None:
        """Start the guest; a running one is left alone.  Raises: GuestNotFound."""
        ...

    def power_off(self, instance: Instance, timeout_s: int, retry_interval_s: int) -> None:
        """Ask the guest to shut down, again each interval, and force it after timeout_s."""
        ...

    def reboot_soft(self, instance: Instance, timeout_s: int) -> bool:
        """Ask the guest to reboot; False when it did not within timeout_s."""
        ...

    def reboot_hard(self, instance: Instance) -> None:
        """Cut the power, write the definition anew and start."""
        ...

    def get_power_state(self, instance: Instance) -> PowerState:
        """Return the power state; NOSTATE when there is no guest."""
        ...


@runtime_checkable
class Console(Protocol):
    """The serial console's log."""

    def get_console_output(self, instance: Instance) -> bytes:
        """Return at most the last 100 KiB.  Raises: ConsoleNotAvailable."""
        ...


@runtime_checkable
class RemoteConsole(Protocol):
    """Consoles that proxies connect to; only some drivers have them."""

    def get_console(self, instance: Instance, console_type: ConsoleType) -> ConsoleConnection:
        """Return where a running guest's console of a type listens.

        Raises: ConsoleTypeUnavailable when the guest has none of that type; GuestNotFound;
        GuestNotRunning.
        """
        ...


@runtime_checkable
class ImageCacheKeeper(Protocol):
    """Base images that a driver keeps; only some drivers do."""

    def remove_unused_images(self) -> list[str]:
        """Remove base images that nothing has needed for long; return their names."""
        ...

    def cache_image(self, image_id: str) -> bool:
        """Fetch an image into the cache; False when it was there.  Raises: image errors."""
        ...


@runtime_checkable
class Pause(Protocol):
    """Freezing a guest; its memory is kept."""

    def pause(self, instance: Instance) -> None:
        """Freeze the guest; a paused one is left alone.  Raises: GuestNotFound, DriverError."""
        ...

    def unpause(self, instance: Instance) -> None:
        """Let the guest go on; a running one is left alone.  Raises: as pause()."""
        ...


@runtime_checkable
class Suspend(Protocol):
    """Saving a guest's memory to disk."""

    def suspend(self, instance: Instance) -> None:
        """Save the guest and stop it; a saved one is left alone.  Raises: as pause()."""
        ...

    def resume(self, instance: Instance) -> None:
        """Start the guest from what was saved; a running one is left alone.

        The network set-up of the host is in place.  Raises: as pause().
        """
        ...


@runtime_checkable
class Rescue(Protocol):
    """Booting a guest from another image, with its own root disk attached."""

    def rescue(
        self, detail: InstanceDetail, image: ImageChoice, config_drive: dict[str, bytes] | None
    ) -> None:
        """Stop the guest and start it from a fresh disk of image; safe to repeat.

        The root disk is attached second.  Raises: image and driver errors.
        """
        ...

    def unrescue(self, instance: Instance) -> None:
        """Start the guest from its own disk and delete the rescue files; safe to repeat."""
        ...


@runtime_checkable
class Rebuild(Protocol):
    """Making a guest anew in its place."""

    def rebuild(
        self,
        detail: InstanceDetail,
        config_drive: dict[str, bytes] | None,
        *,
        power_on: bool,
        preserve_ephemeral: bool = False,
    ) -> None:
        """Replace the guest's disks by fresh ones of its (new) image, and start it if asked to.

        Raises: image and driver errors.
        """
        ...


@runtime_checkable
class Resize(Protocol):
    """Giving a guest another flavor on the same host.  Each step is safe to repeat."""

    def migrate_disk_and_power_off(
        self, instance: Instance, flavor: Flavor, timeout_s: int, retry_interval_s: int
    ) -> None:
        """Stop the guest and put its disks aside, as they are, with working copies in place.

        flavor: the new one.  Raises: ResizeRefused when a disk would have to shrink.
        """
        ...

    def finish_migration(
        self, detail: InstanceDetail, old_flavor: Flavor, *, power_on: bool
    ) -> None:
        """Grow the working disks to the instance's (new) flavor, define the guest, start it."""
        ...

    def confirm_migration(self, instance: Instance) -> None:
        """Delete what was put aside."""
        ...

    def finish_revert_migration(self, detail: InstanceDetail, *, power_on: bool) -> None:
        """Put back what was put aside, define the guest with its (old) flavor, start it."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFile:
    """A root disk's contents in a file of their own that the service can read."""

    path: str
    disk_format: str


@runtime_checkable
class Snapshot(Protocol):
    """Copies of root disks."""

    def snapshot(self, instance: Instance, *, quiesce: bool = False) -> SnapshotFile:
        """Copy the root disk, of a running guest too; the guest is as before afterwards.

        quiesce: the guest's file systems must be frozen meanwhile; without it they are where
        the agent answers.  An earlier file of the same instance is replaced.
        Raises: GuestAgentUnavailable (quiesce only), DriverError.
        """
        ...

    def discard_snapshot(self, instance: Instance) -> None:
        """Delete the file of an instance's snapshot, and end one that was interrupted."""
        ...

    def list_snapshots(self) -> set[str]:
        """Return the uuids of instances of whose snapshots anything is on this host."""
        ...


@runtime_checkable
class Interfaces(Protocol):
    """Network interfaces that come and go."""

    def attach_interface(self, instance: Instance, vif: Vif) -> None:
        """Give the guest an interface, at once if it runs; one it has is left alone.

        instance.vifs has it already.  Raises: GuestNotFound, DriverError.
        """
        ...

    def detach_interface(self, instance: Instance, vif: Vif) -> None:
        """Take an interface away, at once if it runs; one it lacks is fine.

        Raises: DriverError when the guest does not let it go.
        """
        ...


@runtime_checkable
class Firewall(Protocol):
    """What reaches the guests of the host."""

    def apply_firewall(self, firewall: HostFirewall) -> None:
        """Let through what is told and nothing else; safe to repeat.

        Guests may be told before they exist and after they are gone.  On an error what was in
        force stays.  Raises: CommandFailed, CommandTimeout, DriverError.
        """
        ...

    def clear_firewall(self) -> None:
        """Remove what apply_firewall() and guests left on a host that ends its service.

        Raises: DriverError while there are guests; CommandFailed, CommandTimeout.
        """
        ...


@runtime_checkable
class GuestControl(Protocol):
    """What is done to a running guest."""

    def set_admin_password(self, instance: Instance, password: str) -> None:
        """Set the administrator's password through the guest agent.

        Raises: GuestAgentUnavailable, GuestNotFound.
        """
        ...

    def trigger_crash_dump(self, instance: Instance) -> None:
        """Send the guest an NMI.  Raises: GuestNotFound, DriverError."""
        ...

    def get_diagnostics(self, instance: Instance) -> Diagnostics:
        """Return the guest's counters.  Raises: GuestNotFound."""
        ...

    def get_host_uptime(self) -> str:
        """Return what the command uptime says."""
        ...

    def refresh_network(self, instance: Instance) -> None:
        """Write the filters of a guest's interfaces anew.  Raises: DriverError."""
        ...

    def describe_path(self, instance: Instance) -> GuestPath:
        """Return devices and rules on the way of a guest's packets.  Raises: DriverError."""
        ...


class ComputeDriver(
    HostInfo,
    Spawn,
    Power,
    Console,
    Pause,
    Suspend,
    Rescue,
    Rebuild,
    Resize,
    Snapshot,
    Interfaces,
    Firewall,
    GuestControl,
    Protocol,
):
    """What every driver must be able to do."""
