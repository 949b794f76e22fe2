"""Find out whether guests really run under KVM.

That /dev/kvm opens proves nothing: on some machines guests hang on it.  So a guest of a few
instructions is started, and must switch itself off.
"""

import dataclasses
import json
import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from nova import clock, concurrency, exception
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt.capabilities import HostCapabilities
from nova.virt.libvirt.guest import GuestConfig, GuestDisk
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.xml import domain_xml

LOG = logging.getLogger(__name__)

_RECORD = "virt_type.json"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_POLL_S = 0.1
_SECTOR = 512
_ARCHITECTURES = frozenset({"x86_64", "i686"})
# Count down from 65536, then tell the power management port (0x604) to switch off.
_PROGRAM = bytes.fromhex("fa 31c0 b90000 e2fe ba0406 b80020 ef f4 ebfd")
_BOOT_MARK = b"\x55\xaa"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The domain type to use, and why.  basis: on what kernel and hypervisor it holds."""

    virt_type: str
    reason: str
    basis: str


def choose_virt_type(
    host: Host, capabilities: HostCapabilities, instances_path: str, timeout_s: int
) -> Verdict:
    """Return kvm if a guest really ran under it, else qemu.

    The verdict is kept in a file until the machine is booted or the hypervisor changes.
    """
    basis = f"{_boot_id()} {host.facts().hypervisor_version}"
    verdict = _recall(instances_path, basis)
    if verdict is None:
        virt_type, reason = _try_kvm(host, capabilities, instances_path, timeout_s)
        verdict = Verdict(virt_type=virt_type, reason=reason, basis=basis)
        _remember(instances_path, verdict)
    LOG.info("virt_type is %s: %s", verdict.virt_type, verdict.reason)
    return verdict


def boot_sector() -> bytes:
    """Return a disk whose boot sector switches the machine off."""
    return _PROGRAM.ljust(_SECTOR - len(_BOOT_MARK), b"\0") + _BOOT_MARK


def _try_kvm(
    host: Host, capabilities: HostCapabilities, instances_path: str, timeout_s: int
) -> tuple[str, str]:
    if not capabilities.offers("kvm"):
        return "qemu", "libvirt offers no kvm guests of this architecture"
    if capabilities.cpu.architecture not in _ARCHITECTURES:
        return "qemu", "there is no probe guest for this architecture; set virt_type to kvm"
    try:
        with _boot_disk(instances_path) as disk:
            return _run_guest(host, disk, timeout_s)
    except exception.DriverError:
        return "qemu", "libvirt could not start the probe guest under kvm"


def _run_guest(host: Host, disk: str, timeout_s: int) -> tuple[str, str]:
    guest_uuid = str(uuid.uuid4())
    host.define(domain_xml(_guest(guest_uuid, disk)))
    try:
        host.start(guest_uuid)
        deadline = clock.monotonic() + timeout_s
        while clock.monotonic() < deadline:
            facts = host.find_guest(guest_uuid)
            if facts is None or facts.power_state is not PowerState.RUNNING:
                if facts is not None and facts.shut_down:
                    return "kvm", "a probe guest ran under kvm and switched itself off"
                return "qemu", "the probe guest under kvm ended without running its program"
            concurrency.sleep(_POLL_S)
        return "qemu", f"the probe guest under kvm hung for {timeout_s} seconds"
    finally:
        host.kill(guest_uuid)
        host.undefine(guest_uuid)


def _guest(guest_uuid: str, disk: str) -> GuestConfig:
    return GuestConfig(
        virt_type="kvm",
        name=f"nova-probe-{guest_uuid}",
        uuid=guest_uuid,
        memory_mb=32,
        vcpus=1,
        disks=(GuestDisk(path=disk, disk_format="raw", target="vda", bus="virtio"),),
    )


@contextmanager
def _boot_disk(instances_path: str) -> Iterator[str]:
    """Give the path of a boot disk that the hypervisor's user can reach."""
    directory = tempfile.mkdtemp(prefix=".probe-", dir=instances_path)
    try:
        os.chmod(directory, 0o711)
        path = os.path.join(directory, "disk")
        with open(path, "xb") as file:
            file.write(boot_sector())
        yield path
    finally:
        shutil.rmtree(directory)


def _boot_id() -> str:
    with open(_BOOT_ID, encoding="ascii") as file:
        return file.read().strip()


def _recall(instances_path: str, basis: str) -> Verdict | None:
    try:
        with open(os.path.join(instances_path, _RECORD), encoding="utf-8") as file:
            verdict = Verdict(**json.load(file))
    except (OSError, ValueError, TypeError):
        return None
    return verdict if verdict.basis == basis else None


def _remember(instances_path: str, verdict: Verdict) -> None:
    path = os.path.join(instances_path, _RECORD)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(verdict), file)
    os.rename(path + ".new", path)
