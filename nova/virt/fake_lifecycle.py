"""What the fake hypervisor does with guests beyond making and switching them."""

import dataclasses
import os
import tempfile
import threading
from collections.abc import Mapping

from nova import exception
from nova.objects.action_request import ImageChoice
from nova.objects.diagnostics import (
    CpuDiagnostics,
    Diagnostics,
    DiskDiagnostics,
    NicDiagnostics,
)
from nova.objects.firewall import HostFirewall
from nova.objects.flavor import Flavor
from nova.objects.instance import Instance
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState
from nova.objects.network import Vif
from nova.virt.driver import SnapshotFile

ON = frozenset({PowerState.RUNNING, PowerState.PAUSED})


@dataclasses.dataclass(slots=True, kw_only=True)
class FakeGuest:
    """A guest; power_state NOSTATE: only its files are there.

    image_id: what its root disk was made of; rescue_image_id: what it is rescued with.
    aside_gb: size of the root disk that a resize has put aside.  contents: of the root disk.
    display: number of its consoles among those of the host.
    """

    name: str
    memory_mb: int
    root_gb: int
    power_state: PowerState = PowerState.NOSTATE
    console: bytes = b""
    config_drive: dict[str, bytes] | None = None
    obeys_acpi: bool = True
    has_agent: bool = True
    image_id: str | None = None
    rescue_image_id: str | None = None
    aside_gb: int | None = None
    contents: bytes = b"root disk"
    password: str | None = None
    interfaces: dict[str, Vif] = dataclasses.field(default_factory=dict)
    nmis: int = 0
    display: int | None = None


class FakeLifecycle:
    """The operations of a FakeDriver that need no more than its guests."""

    guests: dict[str, FakeGuest]
    cached_images: set[str]
    firewall: HostFirewall
    _lock: threading.RLock
    _snapshots: dict[str, str]

    def _disturb(self, operation: str, instance_uuid: str) -> None:
        raise NotImplementedError

    def _do_injected(self, operation: str) -> None:
        raise NotImplementedError

    def _guest(self, instance: Instance) -> FakeGuest:
        raise NotImplementedError

    def _boot(self, guest: FakeGuest) -> None:
        raise NotImplementedError

    def _switch(self, operation: str, instance: Instance, power_state: PowerState) -> None:
        guest = self._guest(instance)
        self._disturb(operation, instance.uuid)
        guest.power_state = power_state

    # --- Pause, suspend

    def pause(self, instance: Instance) -> None:
        """Freeze the guest."""
        self._switch("pause", instance, PowerState.PAUSED)

    def unpause(self, instance: Instance) -> None:
        """Let the guest go on."""
        self._switch("unpause", instance, PowerState.RUNNING)

    def suspend(self, instance: Instance) -> None:
        """Save the guest; the hypervisor then takes it for one that is off."""
        self._switch("suspend", instance, PowerState.SHUTDOWN)

    def resume(self, instance: Instance) -> None:
        """Go on from what was saved."""
        self._switch("resume", instance, PowerState.RUNNING)

    # --- Rescue, rebuild

    def rescue(
        self, detail: InstanceDetail, image: ImageChoice, config_drive: Mapping[str, bytes] | None
    ) -> None:
        """Boot from another image."""
        guest = self._guest(detail.instance)
        self._disturb("rescue", detail.instance.uuid)
        guest.rescue_image_id = image.image_ref
        self._boot(guest)

    def unrescue(self, instance: Instance) -> None:
        """Boot from the guest's own disk."""
        guest = self._guest(instance)
        self._disturb("unrescue", instance.uuid)
        guest.rescue_image_id = None
        self._boot(guest)

    def rebuild(
        self,
        detail: InstanceDetail,
        config_drive: dict[str, bytes] | None,
        *,
        power_on: bool,
        preserve_ephemeral: bool = False,
    ) -> None:
        """Make the guest anew of its image."""
        instance = detail.instance
        guest = self._guest(instance)
        guest.power_state = PowerState.SHUTDOWN
        self._disturb("rebuild", instance.uuid)
        guest.image_id, guest.contents = instance.image_ref, b"root disk"
        guest.config_drive = config_drive
        if power_on:
            self._boot(guest)

    # --- Resize

    def migrate_disk_and_power_off(
        self, instance: Instance, flavor: Flavor, timeout_s: int, retry_interval_s: int
    ) -> None:
        """Stop the guest and put its disk aside."""
        guest = self._guest(instance)
        self._disturb("migrate_disk_and_power_off", instance.uuid)
        if 0 < flavor.root_gb < instance.flavor.root_gb:
            raise exception.ResizeRefused(
                instance_uuid=instance.uuid, reason="its root disk can not shrink"
            )
        if flavor.ephemeral_gb < instance.flavor.ephemeral_gb:
            raise exception.ResizeRefused(
                instance_uuid=instance.uuid, reason="its ephemeral disk can not shrink"
            )
        guest.power_state = PowerState.SHUTDOWN
        if guest.aside_gb is None:
            guest.aside_gb = guest.root_gb

    def finish_migration(
        self, detail: InstanceDetail, old_flavor: Flavor, *, power_on: bool
    ) -> None:
        """Take the new size."""
        guest = self._guest(detail.instance)
        self._disturb("finish_migration", detail.instance.uuid)
        self._take_flavor(guest, detail.instance.flavor, power_on)

    def confirm_migration(self, instance: Instance) -> None:
        """Forget the old size."""
        self._disturb("confirm_migration", instance.uuid)
        self._guest(instance).aside_gb = None

    def finish_revert_migration(self, detail: InstanceDetail, *, power_on: bool) -> None:
        """Take the old size again."""
        guest = self._guest(detail.instance)
        self._disturb("finish_revert_migration", detail.instance.uuid)
        guest.aside_gb = None
        self._take_flavor(guest, detail.instance.flavor, power_on)

    def _take_flavor(self, guest: FakeGuest, flavor: Flavor, power_on: bool) -> None:
        guest.memory_mb, guest.root_gb = flavor.memory_mb, flavor.disk_gb
        guest.power_state = PowerState.SHUTDOWN
        if power_on:
            self._boot(guest)

    # --- Snapshots and images

    def snapshot(self, instance: Instance, *, quiesce: bool = False) -> SnapshotFile:
        """Copy the contents to a temporary file."""
        guest = self._guest(instance)
        self._disturb("snapshot", instance.uuid)
        if quiesce and not guest.has_agent:
            raise exception.GuestAgentUnavailable(
                instance_uuid=instance.uuid, reason="it does not answer"
            )
        self.discard_snapshot(instance)
        descriptor, path = tempfile.mkstemp(prefix="fake-snapshot-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(guest.contents)
        self._snapshots[instance.uuid] = path
        return SnapshotFile(path=path, disk_format="raw")

    def discard_snapshot(self, instance: Instance) -> None:
        """Delete the temporary file."""
        self._delete_snapshot(instance.uuid)

    def list_snapshots(self) -> set[str]:
        """Return whose temporary files there are."""
        return set(self._snapshots)

    def _delete_snapshot(self, instance_uuid: str) -> None:
        path = self._snapshots.pop(instance_uuid, None)
        if path is not None:
            os.unlink(path)

    def cache_image(self, image_id: str) -> bool:
        """Note an image; False when it was noted before."""
        self._disturb("cache_image", image_id)
        new = image_id not in self.cached_images
        self.cached_images.add(image_id)
        return new

    def remove_unused_images(self) -> list[str]:
        """Keep everything."""
        return []

    # --- Interfaces

    def attach_interface(self, instance: Instance, vif: Vif) -> None:
        """Note an interface."""
        guest = self._guest(instance)
        self._disturb("attach_interface", instance.uuid)
        guest.interfaces[vif.address] = vif

    def detach_interface(self, instance: Instance, vif: Vif) -> None:
        """Forget an interface."""
        guest = self._guest(instance)
        self._disturb("detach_interface", instance.uuid)
        guest.interfaces.pop(vif.address, None)

    # --- Firewall

    def apply_firewall(self, firewall: HostFirewall) -> None:
        """Keep what reaches the guests."""
        self._do_injected("apply_firewall")
        self.firewall = firewall

    def clear_firewall(self) -> None:
        """Forget what reaches the guests, if there are none."""
        if self.guests:
            reason = f"{len(self.guests)} guests are on this host"
            raise exception.DriverError(operation="remove the packet filter", reason=reason)
        self.firewall = HostFirewall()

    # --- Control of a running guest

    def set_admin_password(self, instance: Instance, password: str) -> None:
        """Note a password, if the guest has an agent."""
        guest = self._guest(instance)
        self._disturb("set_admin_password", instance.uuid)
        if not guest.has_agent:
            raise exception.GuestAgentUnavailable(
                instance_uuid=instance.uuid, reason="it does not answer"
            )
        guest.password = password

    def trigger_crash_dump(self, instance: Instance) -> None:
        """Count an NMI."""
        guest = self._guest(instance)
        self._disturb("trigger_crash_dump", instance.uuid)
        guest.nmis += 1

    def get_diagnostics(self, instance: Instance) -> Diagnostics:
        """Return made-up counters of the right number."""
        guest = self._guest(instance)
        self._disturb("get_diagnostics", instance.uuid)
        return Diagnostics(
            state=guest.power_state,
            hypervisor="fake",
            hypervisor_os="linux",
            uptime_s=1,
            config_drive=guest.config_drive is not None,
            cpus=tuple(
                CpuDiagnostics(id=number, time_ns=1, utilisation=0)
                for number in range(instance.flavor.vcpus)
            ),
            nics=tuple(NicDiagnostics(mac_address=vif.address) for vif in instance.vifs),
            disks=(DiskDiagnostics(device="vda"),),
            maximum_memory_mb=guest.memory_mb,
            used_memory_mb=guest.memory_mb,
        )

    def get_host_uptime(self) -> str:
        """Return a line of the usual form."""
        return " 12:00:00 up 1 day,  0 users,  load average: 0.00, 0.00, 0.00"

    def refresh_network(self, instance: Instance) -> None:
        """Do what was injected."""
        self._disturb("refresh_network", instance.uuid)
