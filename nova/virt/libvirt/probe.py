"""Find out whether guests really run under KVM.

That /dev/kvm opens proves nothing: on some machines guests hang on it.  So a small guest is
started, and must switch itself off.
"""

import dataclasses
import enum
import json
import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nova import clock, concurrency, exception
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt import probe_guest
from nova.virt.libvirt.capabilities import HostCapabilities
from nova.virt.libvirt.guest import GuestConfig, GuestDisk
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.xml import domain_xml

LOG = logging.getLogger(__name__)

KVM = "kvm"
QEMU = "qemu"

_NAME_PREFIX = "nova-probe-"
_RECORD = "virt_type.json"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_POLL_S = 0.1
_ARCHITECTURE = "x86_64"


class Outcome(enum.Enum):
    """What became of a probe guest."""

    RAN = "ran and switched itself off"
    CRASHED = "ended without running its program"
    HUNG = "hung"
    REFUSED = "could not be started"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The domain type to use, and why.  basis: on what kernel and hypervisor it holds."""

    virt_type: str
    reason: str
    basis: str


def choose_virt_type(
    host: Host,
    capabilities: HostCapabilities,
    instances_path: str,
    timeout_s: int,
    sleep: Callable[[float], object] = concurrency.sleep,
) -> Verdict:
    """Return kvm if a guest really ran under it, else qemu.

    The verdict is kept in a file until the machine is booted or the hypervisor changes.
    """
    basis = f"{_boot_id()} {host.facts().hypervisor_version}"
    verdict = _recall(instances_path, basis)
    if verdict is None:
        reason = _objection(capabilities)
        virt_type = QEMU
        if reason is None:
            _remove_strays(host)
            outcome = run_probe(host, KVM, instances_path, timeout_s, sleep)
            virt_type = KVM if outcome is Outcome.RAN else QEMU
            reason = f"a probe guest under kvm {outcome.value}"
        verdict = Verdict(virt_type=virt_type, reason=reason, basis=basis)
        _remember(instances_path, verdict)
    LOG.info("virt_type is %s: %s", verdict.virt_type, verdict.reason)
    return verdict


def _objection(capabilities: HostCapabilities) -> str | None:
    """Return why no guest need be tried under kvm, None if one should be."""
    if not capabilities.offers(KVM):
        return "libvirt offers no kvm guests of this architecture"
    if capabilities.cpu.architecture != _ARCHITECTURE:
        return "there is no probe guest for this architecture; set virt_type to kvm"
    return None


def _remove_strays(host: Host) -> None:
    """Remove probe guests of a process that died meanwhile."""
    for guest in host.list_guests(_NAME_PREFIX):
        host.kill(guest.uuid)
        host.undefine(guest.uuid)


def run_probe(
    host: Host,
    virt_type: str,
    instances_path: str,
    timeout_s: int,
    sleep: Callable[[float], object] = concurrency.sleep,
) -> Outcome:
    """Run the probe guest and remove it again."""
    guest_uuid = str(uuid.uuid4())
    deadline = clock.monotonic() + timeout_s
    with _boot_disk(instances_path) as disk:
        try:
            host.define(domain_xml(_guest(guest_uuid, virt_type, disk)))
            host.start(guest_uuid)
            while clock.monotonic() < deadline:
                facts = host.find_guest(guest_uuid)
                if facts is None or facts.power_state is not PowerState.RUNNING:
                    return Outcome.RAN if facts and facts.shut_down else Outcome.CRASHED
                sleep(_POLL_S)
            return Outcome.HUNG
        except exception.DriverError:
            return Outcome.REFUSED
        finally:
            host.kill(guest_uuid)
            host.undefine(guest_uuid)


def _guest(guest_uuid: str, virt_type: str, disk: str) -> GuestConfig:
    return GuestConfig(
        virt_type=virt_type,
        name=f"{_NAME_PREFIX}{guest_uuid}",
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
            file.write(probe_guest.disk())
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
