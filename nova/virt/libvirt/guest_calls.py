"""What is asked of a single guest while it runs; with host.py all that calls the library."""

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

import libvirt

from nova import exception

T = TypeVar("T")

# Seconds that the agent inside a guest gets for one command.
_AGENT_TIMEOUT_S = 60


class GuestCalls:
    """Part of Host.  Every method raises GuestNotFound and DriverError if not told otherwise."""

    def with_guest(self, operation: str, instance_uuid: str, work: Callable[[Any], T]) -> T:
        """Carry out work on the library's object of a guest, on a native thread."""
        raise NotImplementedError

    # --- Freezing and saving ----------------------------------------------------------------

    def pause(self, instance_uuid: str) -> None:
        """Freeze a guest; a frozen one is left alone."""

        def work(domain: Any) -> None:
            if _state(domain) != libvirt.VIR_DOMAIN_PAUSED:
                domain.suspend()

        self.with_guest("pause the guest", instance_uuid, work)

    def unpause(self, instance_uuid: str) -> None:
        """Let a frozen guest go on; a running one is left alone."""

        def work(domain: Any) -> None:
            if _state(domain) not in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_BLOCKED):
                domain.resume()

        self.with_guest("unpause the guest", instance_uuid, work)

    def save(self, instance_uuid: str) -> None:
        """Write a guest's memory to disk and end it; one that is saved is left alone.

        The next start goes on from there, running.
        """

        def work(domain: Any) -> None:
            if domain.isActive() or not domain.hasManagedSaveImage():
                domain.managedSave(libvirt.VIR_DOMAIN_SAVE_RUNNING)

        self.with_guest("save the guest", instance_uuid, work)

    def is_saved(self, instance_uuid: str) -> bool:
        """Tell whether a guest goes on from its saved memory at the next start."""

        def work(domain: Any) -> bool:
            return bool(domain.hasManagedSaveImage())

        return self.with_guest("look for the saved memory of the guest", instance_uuid, work)

    def forget_saved(self, instance_uuid: str) -> None:
        """Drop a guest's saved memory; none being there, and no guest, is fine."""

        def work(domain: Any) -> None:
            if domain.hasManagedSaveImage():
                domain.managedSaveRemove()

        with contextlib.suppress(exception.GuestNotFound):
            self.with_guest("drop the saved memory of the guest", instance_uuid, work)

    # --- Devices ----------------------------------------------------------------------------

    def definition(self, instance_uuid: str, *, live: bool) -> str:
        """Return the definition in XML.

        live: as the guest runs; that of its next start is returned for one that is off.
        """
        flags = 0 if live else libvirt.VIR_DOMAIN_XML_INACTIVE
        operation = "read the definition of the guest"
        return self.with_guest(operation, instance_uuid, lambda domain: domain.XMLDesc(flags))

    def attach_device(self, instance_uuid: str, xml: str, *, live: bool) -> None:
        """Add a device to the running guest, or to the definition of its next start."""
        self.with_guest(
            "attach a device to the guest",
            instance_uuid,
            lambda domain: domain.attachDeviceFlags(xml, _affecting(live)),
        )

    def detach_device(self, instance_uuid: str, xml: str, *, live: bool) -> None:
        """Remove a device; a running guest is only asked to let it go."""
        self.with_guest(
            "detach a device from the guest",
            instance_uuid,
            lambda domain: domain.detachDeviceFlags(xml, _affecting(live)),
        )

    # --- Copies of disks --------------------------------------------------------------------

    def disk_size(self, instance_uuid: str, target: str) -> int:
        """Return how many bytes a running guest's disk has for the guest."""
        return self.with_guest(
            "measure a disk of the guest",
            instance_uuid,
            lambda domain: int(domain.blockInfo(target)[0]),
        )

    def start_copy(self, instance_uuid: str, target: str, xml: str, *, shallow: bool) -> None:
        """Begin to copy a disk into a qcow2 file that is there.

        shallow: only what the disk's own file holds.  The guest stays defined meanwhile; the
        copying ends with its process.
        """
        flags = libvirt.VIR_DOMAIN_BLOCK_COPY_REUSE_EXT
        flags |= libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
        if shallow:
            flags |= libvirt.VIR_DOMAIN_BLOCK_COPY_SHALLOW
        self.with_guest(
            "copy a disk of the guest",
            instance_uuid,
            lambda domain: domain.blockCopy(target, xml, flags=flags),
        )

    def end_copy(self, instance_uuid: str, target: str) -> None:
        """End copying; a copy that was complete is the disk at this moment."""
        self.with_guest(
            "end the copy of a disk of the guest",
            instance_uuid,
            lambda domain: domain.blockJobAbort(target),
        )

    # --- The agent inside -------------------------------------------------------------------

    def freeze(self, instance_uuid: str) -> None:
        """Make the guest write everything to its disks and wait."""
        self._with_agent("freeze the guest", instance_uuid, lambda domain: domain.fsFreeze())

    def thaw(self, instance_uuid: str) -> None:
        """Let the guest write to its disks again; one that may is left alone."""
        self._with_agent("thaw the guest", instance_uuid, lambda domain: domain.fsThaw())

    def set_password(self, instance_uuid: str, user: str, password: str) -> None:
        """Set the password of a user inside the guest."""
        self._with_agent(
            "set a password in the guest",
            instance_uuid,
            lambda domain: domain.setUserPassword(user, password),
        )

    def _with_agent(self, operation: str, instance_uuid: str, work: Callable[[Any], T]) -> T:
        def patient(domain: Any) -> T:
            try:
                domain.agentSetResponseTimeout(_AGENT_TIMEOUT_S)
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
                    raise
            return work(domain)

        return self.with_guest(operation, instance_uuid, patient)

    # --- Other ------------------------------------------------------------------------------

    def inject_nmi(self, instance_uuid: str) -> None:
        """Send a non-maskable interrupt."""
        self.with_guest(
            "send the guest an interrupt", instance_uuid, lambda domain: domain.injectNMI()
        )

    def statistics(self, instance_uuid: str) -> dict[str, Any]:
        """Return all counters under libvirt's names, such as vcpu.0.time."""

        def work(domain: Any) -> dict[str, Any]:
            [(_, found)] = domain.connect().domainListGetStats([domain])
            return dict(found)

        return self.with_guest("read the counters of the guest", instance_uuid, work)


def _state(domain: Any) -> int:
    state: int = domain.state()[0]
    return state


def _affecting(live: bool) -> int:
    flags: int = libvirt.VIR_DOMAIN_AFFECT_LIVE if live else libvirt.VIR_DOMAIN_AFFECT_CONFIG
    return flags
