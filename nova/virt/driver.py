"""What a hypervisor driver can do, as small protocols.

A driver implements the protocols it supports; nothing else.  Arguments and results are
objects and plain values.  A driver keeps no record of instances.
"""

import dataclasses
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from nova.objects.instance import Instance, InstanceDetail
from nova.objects.lifecycle import PowerState
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
class ImageCacheKeeper(Protocol):
    """Base images that a driver keeps; only some drivers do."""

    def remove_unused_images(self) -> list[str]:
        """Remove base images that nothing has needed for long; return their names."""
        ...


class ComputeDriver(HostInfo, Spawn, Power, Console, Protocol):
    """What every driver must be able to do."""
