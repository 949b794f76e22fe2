"""What the driver does with guests that exist: one part of LibvirtDriver."""

from nova import clock, exception
from nova.objects.diagnostics import Diagnostics
from nova.objects.firewall import HostFirewall
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.virt.driver import SnapshotFile
from nova.virt.libvirt import limited, vif
from nova.virt.libvirt.diagnostics import diagnostics
from nova.virt.libvirt.firewall import Firewall
from nova.virt.libvirt.guest_setup import GuestSetup
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.interfaces import GuestInterfaces
from nova.virt.libvirt.snapshots import Snapshots

_ADMINISTRATOR = "root"
_ADMINISTRATORS = {"windows": "Administrator"}
_UPTIME_LIMITS = limited.Limits(cpu_s=5, wall_s=10)


class LiveOperations:
    """Pausing, saving, copying, interfaces and control of guests."""

    _host: Host
    _firewall: Firewall
    _setup: GuestSetup
    _snapshots: Snapshots
    _interfaces: GuestInterfaces

    # --- Pause, suspend ---------------------------------------------------------------------

    def pause(self, instance: Instance) -> None:
        """Freeze the guest; a paused one is left alone.  Raises: GuestNotFound, DriverError."""
        self._host.pause(instance.uuid)

    def unpause(self, instance: Instance) -> None:
        """Let the guest go on; a running one is left alone.  Raises: as pause()."""
        self._host.unpause(instance.uuid)

    def suspend(self, instance: Instance) -> None:
        """Save the guest and stop it; a saved one is left alone.  Raises: as pause()."""
        self._host.save(instance.uuid)

    def resume(self, instance: Instance) -> None:
        """Start the guest from what was saved.  Raises: as pause()."""
        self._setup.start(instance)

    # --- Firewall ---------------------------------------------------------------------------

    def apply_firewall(self, firewall: HostFirewall) -> None:
        """Let through what is told and nothing else.  Raises: command errors, DriverError."""
        self._firewall.apply(firewall)
        vif.set_up_ports(one for guest in firewall.guests for one in guest.vifs)

    def clear_firewall(self) -> None:
        """Remove rules and filters from the host.  Raises: command errors, DriverError."""
        self._host.connect()
        guests = self._host.list_guests()
        if guests:
            reason = f"{len(guests)} guests are on this host, and would be open to everybody."
            raise exception.DriverError(operation="remove the packet filter", reason=reason)
        self._firewall.clear()

    # --- Snapshot ---------------------------------------------------------------------------

    def snapshot(self, instance: Instance, *, quiesce: bool = False) -> SnapshotFile:
        """Copy the root disk, of a running guest too; the guest is as before afterwards.

        Raises: GuestNotFound, GuestAgentUnavailable, DriverError, command errors.
        """
        return self._snapshots.take(instance, quiesce=quiesce)

    def discard_snapshot(self, instance: Instance) -> None:
        """Delete the file of an instance's snapshot, and what an interrupted one left."""
        self._snapshots.discard(instance)

    def list_snapshots(self) -> set[str]:
        """Return the uuids of instances with a copy of a disk, whole or interrupted."""
        return self._snapshots.list_uuids()

    # --- Interfaces -------------------------------------------------------------------------

    def attach_interface(self, instance: Instance, vif: Vif) -> None:
        """Give the guest an interface, at once if it runs; one it has is left alone.

        Raises: GuestNotFound, DriverError.
        """
        self._interfaces.attach(instance, vif, self._setup.hardware)

    def detach_interface(self, instance: Instance, vif: Vif) -> None:
        """Take an interface away, at once if it runs; one it lacks is fine.

        Raises: DriverError when the guest does not let it go.
        """
        self._interfaces.detach(instance, vif)

    # --- Control ----------------------------------------------------------------------------

    def set_admin_password(self, instance: Instance, password: str) -> None:
        """Set the password of the image's administrator through the guest agent.

        Raises: GuestAgentUnavailable, GuestNotFound.
        """
        default = _ADMINISTRATORS.get(instance.os_type or "", _ADMINISTRATOR)
        user = instance.image_properties.get("os_admin_user") or default
        if "\0" in user + password:
            reason = "neither a user's name nor a password can hold a zero character."
            raise exception.GuestAgentUnavailable(instance_uuid=instance.uuid, reason=reason)
        try:
            self._host.set_password(instance.uuid, user, password)
        except exception.DriverError:
            reason = "it does not answer, or did not set the password."
            raise exception.GuestAgentUnavailable(
                instance_uuid=instance.uuid, reason=reason
            ) from None

    def trigger_crash_dump(self, instance: Instance) -> None:
        """Send the guest an NMI.  Raises: GuestNotFound, DriverError."""
        self._host.inject_nmi(instance.uuid)

    def get_diagnostics(self, instance: Instance) -> Diagnostics:
        """Return the guest's counters.  Raises: GuestNotFound."""
        guest = self._host.find_guest(instance.uuid)
        if guest is None:
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        return diagnostics(
            instance,
            guest.power_state,
            self._host.statistics(instance.uuid),
            self._host.definition(instance.uuid, live=True),
            self._setup.hardware.virt_type,
            clock.utcnow(),
        )

    def get_host_uptime(self) -> str:
        """Return what the command uptime says.  Raises: command errors."""
        return limited.run(["uptime"], _UPTIME_LIMITS).rstrip("\n")

    def refresh_network(self, instance: Instance) -> None:
        """Write the filters of a guest's interfaces anew; a missing guest has none.

        Raises: DriverError.
        """
        if self._host.find_guest(instance.uuid) is not None:
            self._firewall.prepare(instance)
